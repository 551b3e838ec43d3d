{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_journey_stage_entries.entered_date') }} as days
    union
    -- Cohorts that were, or are again, to mature, show another as-of day.
    select cast(cohorts.cohort_date as text)
    from {{ this }} as cohorts
    inner join (
        select min(low_date) as low_date, max(high_date) as high_date
        from {{ source('audit', 'as_of') }}
    ) as moves
        on moves.low_date < moves.high_date
        and cohorts.matures_on > moves.low_date
{% endraw %}{% endset %}

{{ config(
    unique_key='journey_funnel_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'cohort_date'},
    indexes=[{'columns': ['cohort_date']}],
) }}

with

stages as (
    select
        journey_stage,
        stage_order,
        stage_order = max(stage_order) over () as is_last_stage
    from {{ ref('journey_stages') }}
    where lane = 'buying'
),

as_of as (
    select {{ as_of_date() }} as as_of_date
),

cohorts as (
    select
        journey_stage,
        coalesce(segment, '(unknown)') as segment,
        coalesce(country, '(unknown)') as country,
        entered_date as cohort_date,
        entered_date + 60 as matures_on,
        sum(visits) as visits,
        count(*) as journeys_entered,
        count(*) filter (where is_converted) as converted_journeys,
        count(*) filter (where is_direct) as direct_journeys
    from {{ ref('int_journey_stage_entries') }}
    where {{ to_rebuild('entered_date', 'date') }}
    group by journey_stage, segment, country, entered_date
),

funnel as (
    select
        concat_ws(
            '|', cohorts.cohort_date, cohorts.journey_stage, cohorts.segment, cohorts.country
        ) as journey_funnel_key,
        cohorts.journey_stage,
        cohorts.segment,
        cohorts.country,
        stages.stage_order,
        cast(cohorts.visits as bigint) as visits,
        cohorts.journeys_entered,
        case when not stages.is_last_stage then cohorts.converted_journeys end
            as converted_journeys,
        case when not stages.is_last_stage then cohorts.direct_journeys end as direct_journeys,
        case
            when not stages.is_last_stage and cohorts.matures_on <= as_of.as_of_date
                then round(cast(cohorts.converted_journeys as numeric) / cohorts.journeys_entered, 6)
        end as conversion_rate,
        coalesce(cohorts.matures_on <= as_of.as_of_date, false) as is_mature,
        cohorts.cohort_date,
        cohorts.matures_on,
        case
            when as_of.as_of_date is not null then least(cohorts.matures_on, as_of.as_of_date)
        end as as_of_date
    from cohorts
    inner join stages
        on stages.journey_stage = cohorts.journey_stage
    cross join as_of
)

select * from funnel
