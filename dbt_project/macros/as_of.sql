{#
    Whether a row that shows the as-of date until a given day may show another one since the
    last complete build: as-of has moved, and the day had not come in all sources.
#}
{% macro as_of_may_have_moved_before(day) -%}
exists (
            select 1
            from (
                select min(low_date) as low_date, max(high_date) as high_date
                from {{ source('audit', 'as_of') }}
            ) as moves
            where moves.low_date < moves.high_date
                and {{ day }} > moves.low_date
        )
{%- endmacro %}

{#
    Whether as-of has come to a day, or gone back before it, since the last complete build.
    The bounds are values, so that the days between them are found by index.
#}
{% macro as_of_may_have_passed(day) -%}
{{ day }} > coalesce(
            (select min(moves.low_date) from {{ source('audit', 'as_of') }} as moves),
            cast('-infinity' as date)
        )
        and {{ day }} <= (select max(moves.high_date) from {{ source('audit', 'as_of') }} as moves)
{%- endmacro %}
