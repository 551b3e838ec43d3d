{#
    The value of a ticket's field that the seed ticket_fields names: `tag:<name>` is true where
    the ticket has the tag, `field:<number>` is a custom field, any other name a field of the
    ticket itself. Null: not set, or blank.
#}
{% macro ticket_field_value(fields, field) -%}
nullif(trim(
            case split_part({{ field }}, ':', 1)
                when 'tag' then case when {{ fields }} -> 'tags' ? substr({{ field }}, 5) then 'true' end
                when 'field' then jsonb_path_query_first(
                    {{ fields }},
                    '$.custom_fields[*] ? (@.id == $number)',
                    jsonb_build_object('number', cast(substr({{ field }}, 7) as bigint))
                ) ->> 'value'
                else {{ fields }} ->> {{ field }}
            end
        ), '')
{%- endmacro %}

{# A reply that ends the customer's wait: public, by a person who was an agent then, and not
   the comment that the ticket was opened with. #}
{% macro is_reply(events) -%}
{{ events }}.event_type = 'commented'
                and {{ events }}.is_public
                and {{ events }}.author_role = 'agent'
                and {{ events }}.occurred_at > {{ events }}.created_at
{%- endmacro %}
