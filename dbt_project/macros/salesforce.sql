{#
    Whether a Salesforce record is deleted: it says so itself, or the connector that copied
    it does, or has another version of it in force.
#}
{% macro is_deleted_in_salesforce(alias) -%}
coalesce({{ parse_boolean(alias ~ '.is_deleted') }}, false)
        or coalesce({{ parse_boolean(alias ~ '.connector_deleted') }}, false)
        or not coalesce({{ parse_boolean(alias ~ '.connector_active') }}, true)
{%- endmacro %}

{# When a Salesforce record changed last, by whichever of its stamps was exported. #}
{% macro updated_in_salesforce(alias) -%}
coalesce(
            {{ parse_timestamp(alias ~ '.system_modstamp') | indent(4) }},
            {{ parse_timestamp(alias ~ '.last_modified_date') | indent(4) }},
            {{ parse_timestamp(alias ~ '.connector_synced') | indent(4) }}
        )
{%- endmacro %}
