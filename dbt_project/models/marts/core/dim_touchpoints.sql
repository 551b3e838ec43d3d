{{ config(materialized='table', meta={'row_key': ['touchpoint']}) }}

with

touchpoints as (
    select
        touchpoint,
        journey_stage,
        channel,
        environment,
        owner_area,
        approach,
        advances_stage
    from {{ ref('touchpoints') }}

    union all

    -- Events that no rule maps are kept and counted here.
    select
        '(unmapped)' as touchpoint,
        cast(null as text) as journey_stage,
        cast(null as text) as channel,
        cast(null as text) as environment,
        cast(null as text) as owner_area,
        cast(null as text) as approach,
        false as advances_stage
)

select * from touchpoints
