{#
    Minutes for which a calendar was open between two moments: 0 where it was closed all the
    while. Counted in seconds from the calendar's first day, which are exact, and divided
    once. `first_day` and `last_day` are the rows of int_working_days of the moments' local
    days; null where they are not known.
#}
{% macro working_minutes(first, first_day, last, last_day) -%}
trim_scale(
            (
                {{ open_seconds_until(last, last_day) }}
                - ({{ open_seconds_until(first, first_day) }})
            ) / 60
        )
{%- endmacro %}

{# The sum of the days before, and what of the moment's own day is over. #}
{% macro open_seconds_until(moment, day) -%}
60 * {{ day }}.minutes_before + coalesce(
                    greatest(
                        extract(
                            epoch from least({{ moment }}, {{ day }}.closes_at) - {{ day }}.opens_at
                        ),
                        0
                    ),
                    0
                )
{%- endmacro %}

{# The row of int_working_days for a moment, in the calendar of the ticket. #}
{% macro join_working_day(alias, moment, calendar, time_zone) -%}
left join {{ ref('int_working_days') }} as {{ alias }}
        on {{ alias }}.calendar = {{ calendar }}
        and {{ alias }}.local_date = cast({{ moment }} at time zone {{ time_zone }} as date)
{%- endmacro %}

{#
    The moment until which a calendar is open for so many seconds, counted from its first
    day: the inverse of open_seconds_until. It lies in the last open day that begins before
    the seconds are over; null where that day's calendar is not known any more.
#}
{% macro join_day_of_open_seconds(alias, calendar, seconds) -%}
left join lateral (
        select days.opens_at, days.closes_at, days.minutes_before
        from {{ ref('int_working_days') }} as days
        where days.calendar = {{ calendar }}
            and days.opens_at is not null
            and days.minutes_before < {{ seconds }} / 60
        order by days.minutes_before desc
        limit 1
    ) as {{ alias }}
        on true
{%- endmacro %}

{% macro moment_of_open_seconds(day, seconds) -%}
case
            when {{ seconds }} - 60 * {{ day }}.minutes_before
                <= extract(epoch from {{ day }}.closes_at - {{ day }}.opens_at)
                then {{ day }}.opens_at + make_interval(
                    secs => cast({{ seconds }} - 60 * {{ day }}.minutes_before as double precision)
                )
        end
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
