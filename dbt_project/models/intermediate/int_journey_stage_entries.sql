{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_journey_stage_visits.journey') }} as journeys
{% endraw %}{% endset %}

{{ config(
    unique_key=['journey_key', 'journey_stage'],
    meta={'rebuild_when': rebuild_when, 'marks': ['entered_date']},
    indexes=[{'columns': ['journey_key']}, {'columns': ['entered_date']}],
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
        and {{ to_rebuild("visits.customer_key || ':' || visits.journey_number") }}
        {%- if is_incremental() %}
        -- Visits have an index of their customers.
        and visits.customer_key in (
            select cast(left(key, 36) as uuid)
            from {{ source('audit', 'dirty_keys') }}
            where place = '{{ this.identifier }}'
        )
        {%- endif %}
),

first_entries as (
    select *
    from visits
    where entry_number = 1
),

-- One join: two of them over the same few estimated rows would be a nested loop.
entries as (
    select
        first_entries.customer_key || ':' || first_entries.journey_number as journey_key,
        first_entries.customer_key,
        first_entries.journey_number,
        first_entries.journey_stage,
        first_entries.segment,
        first_entries.country,
        first_entries.visits,
        bool_or(later_visits.journey_stage is not null) as is_converted,
        coalesce(
            bool_or(later_visits.stage_rank = first_entries.stage_rank + 1), false
        ) as is_direct,
        first_entries.entered_date,
        first_entries.entered_at
    from first_entries
    left join visits as later_visits
        on later_visits.customer_key = first_entries.customer_key
        and later_visits.journey_number = first_entries.journey_number
        and later_visits.stage_rank > first_entries.stage_rank
        and later_visits.entered_at >= first_entries.entered_at
        and later_visits.entered_at <= first_entries.entered_at + interval '1440 hours'
    group by
        first_entries.customer_key,
        first_entries.journey_number,
        first_entries.journey_stage,
        first_entries.segment,
        first_entries.country,
        first_entries.visits,
        first_entries.entered_date,
        first_entries.entered_at
)

select * from entries
