{# Zendesk's statuses, also as connectors spell them. #}
{% macro parse_zendesk_status(text) -%}
{{ parse_listed(text, {
        'new': ['new'],
        'open': ['open'],
        'pending': ['pending'],
        'hold': ['hold', 'on-hold'],
        'solved': ['solved'],
        'closed': ['closed'],
        'deleted': ['deleted'],
    }) }}
{%- endmacro %}
