{{ config(materialized='table', meta={'row_key': ['journey_stage']}) }}

select
    journey_stage,
    stage_name,
    lane,
    description,
    stage_order,
    times_out_after_days
from {{ ref('journey_stages') }}
