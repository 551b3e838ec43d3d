{{ config(materialized='table', meta={'row_key': ['calendar']}) }}

select
    calendar,
    calendar_name,
    time_zone,
    weekdays,
    is_always_open,
    opens_at,
    closes_at,
    holiday_region
from {{ ref('calendars') }}
