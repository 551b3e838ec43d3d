{#
    What loyalty and value are counted by. Windows are elapsed time, in hours where they begin
    at a moment; what is counted by days matures by local days.
#}

{# A customer without a contract is active for so long after each purchase. #}
{% macro active_after_purchase() -%}
interval '4320 hours'
{%- endmacro %}

{# Whoever buys again within so many days of the first purchase has bought again. #}
{% macro repeat_days() -%}
90
{%- endmacro %}

{# What is sent back within so many days of its order is a return of that order's month. #}
{% macro return_days() -%}
60
{%- endmacro %}

{# What becomes of a customer after a contact is looked at so many days later. #}
{% macro contact_outcome_days() -%}
90
{%- endmacro %}

{# The currency that all amounts are converted to: the seed exchange_rates names one. #}
{% macro reporting_currency() -%}
(select min(reporting_currency collate "C") from {{ ref('exchange_rates') }})
{%- endmacro %}

{# The first local midnight that begins a month, at or after a moment, as that month's day. #}
{% macro next_month_boundary(moment) -%}
cast(
            date_trunc(
                'month',
                {{ moment }} at time zone '{{ env_var("CX_REPORTING_TIME_ZONE", "America/Sao_Paulo") }}'
                - interval '1 microsecond'
            ) + interval '1 month' as date
        )
{%- endmacro %}

{# What follows a message is looked for over so many days; an answer to it, over 7. #}
{% macro touch_outcome_days() -%}
30
{%- endmacro %}
