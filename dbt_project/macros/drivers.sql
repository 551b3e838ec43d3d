{# The month of an answer, as a period: its drivers are weighed anew when one changes. #}
{% macro answered_month() -%}
'month:' || cast(date_trunc('month', cast(answered_date as timestamp)) as date)
{%- endmacro %}
