{{ config(materialized='table', meta={'row_key': ['date_day']}) }}

with

days as (
    select cast(day as date) as date_day
    from generate_series(
        cast('2000-01-01' as timestamp), cast('2049-12-31' as timestamp), interval '1 day'
    ) as series (day)
)

select
    date_day,
    to_char(date_day, 'IYYY-"W"IW') as week_label,
    to_char(date_day, 'YYYY-MM') as month_label,
    to_char(date_day, 'YYYY-"Q"Q') as quarter_label,
    cast(extract(isodow from date_day) as integer) as iso_weekday,
    extract(isodow from date_day) >= 6 as is_weekend,
    cast(date_trunc('week', date_day) as date) as week_start,
    cast(date_trunc('month', date_day) as date) as month_start,
    cast(date_trunc('quarter', date_day) as date) as quarter_start
from days
