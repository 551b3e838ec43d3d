{{ config(materialized='table', meta={'row_key': ['journey_stage']}) }}

select
    journey_stage,
    stage_name,
    lane,
    description,
    stage_order
from {{ ref('journey_stages') }}
