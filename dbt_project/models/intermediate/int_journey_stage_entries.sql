{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_journey_stage_visits.customer_key') }} as customers
{% endraw %}{% endset %}

{{ config(
    unique_key=['customer_key', 'journey_number', 'journey_stage'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'marks': ['entered_date'],
    },
    indexes=[{'columns': ['customer_key']}, {'columns': ['entered_date']}],
) }}

with

stages as (
    select
        journey_stage,
        stage_order,
        rank() over (order by stage_order) as stage_rank
    from {{ ref('journey_stages') }}
    where lane = 'buying'
),

visits as (
    select
        visits.customer_key,
        visits.journey_number,
        visits.journey_stage,
        stages.stage_rank,
        visits.segment,
        visits.country,
        visits.entered_date,
        visits.entered_at,
        row_number() over (
            partition by visits.customer_key, visits.journey_number, visits.journey_stage
            order by visits.visit_number
        ) as entry_number,
        count(*) over (
            partition by visits.customer_key, visits.journey_number, visits.journey_stage
        ) as visits
    from {{ ref('fct_journey_stage_visits') }} as visits
    inner join stages
        on stages.journey_stage = visits.journey_stage
    where visits.lane = 'buying'
        and {{ to_rebuild('visits.customer_key', 'uuid') }}
),

first_entries as (
    select *
    from visits
    where entry_number = 1
),

conversions as (
    select
        first_entries.customer_key,
        first_entries.journey_number,
        first_entries.journey_stage,
        bool_or(visits.stage_rank = first_entries.stage_rank + 1) as is_direct
    from first_entries
    inner join visits
        on visits.customer_key = first_entries.customer_key
        and visits.journey_number = first_entries.journey_number
        and visits.stage_rank > first_entries.stage_rank
        and visits.entered_at >= first_entries.entered_at
        and visits.entered_at <= first_entries.entered_at + interval '1440 hours'
    group by
        first_entries.customer_key, first_entries.journey_number, first_entries.journey_stage
),

entries as (
    select
        first_entries.customer_key,
        first_entries.journey_number,
        first_entries.journey_stage,
        first_entries.segment,
        first_entries.country,
        first_entries.visits,
        conversions.journey_stage is not null as is_converted,
        coalesce(conversions.is_direct, false) as is_direct,
        first_entries.entered_date,
        first_entries.entered_at
    from first_entries
    left join conversions
        on conversions.customer_key = first_entries.customer_key
        and conversions.journey_number = first_entries.journey_number
        and conversions.journey_stage = first_entries.journey_stage
)

select * from entries
