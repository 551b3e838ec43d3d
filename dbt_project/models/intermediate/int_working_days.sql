{{ config(
    materialized='table',
    meta={'row_key': ['calendar', 'local_date']},
    indexes=[{'columns': ['calendar', 'local_date']}, {'columns': ['calendar', 'minutes_before']}],
) }}

with

-- Years of which no holiday is known have no rows: their minutes are unknown, not wrong.
years as (
    select
        cast(date_trunc('year', min(holiday_date)) as date) as first_day,
        cast(date_trunc('year', max(holiday_date)) + interval '1 year' as date) as day_after
    from {{ ref('holidays') }}
),

days as (
    select
        calendars.calendar,
        calendars.time_zone,
        calendars.is_always_open,
        calendars.opens_at as usually_opens_at,
        calendars.closes_at as usually_closes_at,
        dates.date_day as local_date,
        strpos(calendars.weekdays, cast(dates.iso_weekday as text)) > 0 as is_weekday_worked,
        holidays.holiday_date is not null as is_holiday,
        holidays.opens_at,
        holidays.closes_at
    from {{ ref('calendars') }} as calendars
    cross join years
    inner join {{ ref('dim_dates') }} as dates
        on dates.date_day >= years.first_day
        and dates.date_day < years.day_after
    left join {{ ref('holidays') }} as holidays
        on holidays.holiday_region = calendars.holiday_region
        and holidays.holiday_date = dates.date_day
),

-- A holiday that has hours of its own shortens a working day, and makes none.
local_hours as (
    select
        calendar,
        time_zone,
        local_date,
        case
            when is_always_open then usually_opens_at
            when is_weekday_worked and not is_holiday then usually_opens_at
            when is_weekday_worked and opens_at is not null
                then greatest(usually_opens_at, opens_at)
        end as opens_at,
        case
            when is_always_open then usually_closes_at
            when is_weekday_worked and not is_holiday then usually_closes_at
            when is_weekday_worked and closes_at is not null
                then least(usually_closes_at, closes_at)
        end as closes_at
    from days
),

-- Wall times become moments day by day: a day may have 23 hours, or 25.
hours as (
    select
        calendar,
        time_zone,
        local_date,
        case when opens_at < closes_at then (local_date + opens_at) at time zone time_zone end
            as opens_at,
        case when opens_at < closes_at then (local_date + closes_at) at time zone time_zone end
            as closes_at
    from local_hours
),

working_days as (
    select
        calendar,
        time_zone,
        local_date,
        opens_at,
        closes_at,
        coalesce(
            trim_scale(sum(extract(epoch from closes_at - opens_at) / 60) over (
                partition by calendar
                order by local_date
                rows between unbounded preceding and 1 preceding
            )),
            0
        ) as minutes_before
    from hours
)

select * from working_days
