{#
    Minutes for which a calendar was open until a moment, since its first day: the sum of the
    days before, and what of the moment's own day is over. Their difference is the working
    time between two moments: 0 where it was closed all the while. `day` is the row of
    int_working_days of the moment's local day; null where that is not known.
#}
{% macro open_minutes_until(moment, day) -%}
trim_scale({{ day }}.minutes_before + coalesce(
            greatest(
                extract(epoch from least({{ moment }}, {{ day }}.closes_at) - {{ day }}.opens_at) / 60,
                0
            ),
            0
        ))
{%- endmacro %}

{# The row of int_working_days for a moment, in the calendar of the ticket. #}
{% macro join_working_day(alias, moment, calendar, time_zone) -%}
left join {{ ref('int_working_days') }} as {{ alias }}
        on {{ alias }}.calendar = {{ calendar }}
        and {{ alias }}.local_date = cast({{ moment }} at time zone {{ time_zone }} as date)
{%- endmacro %}

{# Elapsed minutes between two moments, exactly. #}
{% macro minutes_between(start, finish) -%}
trim_scale(extract(epoch from {{ finish }} - {{ start }}) / 60)
{%- endmacro %}

{# A percentile of minutes over the rows of a group, to a millionth; nulls are left out. #}
{% macro percentile(share, minutes) -%}
trim_scale(round(cast(
            percentile_cont({{ share }}) within group (order by {{ minutes }}) as numeric
        ), 6))
{%- endmacro %}
