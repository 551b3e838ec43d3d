{{ config(materialized='table', meta={'row_key': ['channel']}) }}

select
    channel,
    channel_name,
    environment
from {{ ref('channels') }}
