{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_response_links.response_id') }} as links
    union
    select key from {{ dirty('int_response_touches.response_id') }} as touches
    union
    -- who was asked during a visit that changed, or after it
    select links.response_id
    from (
        select
            cast(left(key, 36) as uuid) as customer_key,
            min(cast(substring(key from 38) as date)) as entered_date
        from {{ dirty('fct_journey_stage_visits.stage_since') }} as visits
        group by left(key, 36)
    ) as changed
    inner join {{ ref('int_response_links') }} as links
        on links.customer_key = changed.customer_key
        and links.sent_at >= {{ end_of_reporting_date('changed.entered_date - 1') }}
    where links.link_method = 'relational'
        and links.looks_back_to_date is null
{% endraw %}{% endset %}

{{ config(
    unique_key='response_id',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['response_id']}],
) }}

with

links as (
    select *
    from {{ ref('int_response_links') }}
    where {{ to_rebuild('response_id') }}
),

touches_linked as (
    select
        links.response_id,
        links.event_id,
        touchpoints.touchpoint,
        touchpoints.journey_stage,
        touchpoints.channel,
        touchpoints.environment,
        touchpoints.owner_area,
        links.product,
        links.occurred_at
    from links
    inner join {{ ref('dim_touchpoints') }} as touchpoints
        on touchpoints.touchpoint = links.touchpoint
),

last_touches as (
    select *
    from {{ ref('int_response_touches') }}
    where {{ to_rebuild('response_id') }}
),

-- Two stages at the same time: nobody can tell which one the answer is about.
touches as (
    select * from touches_linked
    union all
    select * from last_touches where journey_stage is not null
),

-- An answer about the whole relationship has no stage; it has one in which it was asked.
visits_ranked as (
    select
        links.response_id,
        visits.journey_stage,
        row_number() over (
            partition by links.response_id
            order by
                array_position(array['owning', 'support', 'buying'], visits.lane),
                visits.entered_at desc,
                visits.visit_key collate "C"
        ) as visit_rank
    from links
    inner join {{ ref('fct_journey_stage_visits') }} as visits
        on visits.customer_key = links.customer_key
        and links.sent_at >= visits.entered_at
        and links.sent_at < coalesce(visits.open_until, cast('infinity' as timestamptz))
    where links.link_method = 'relational'
),

attributions as (
    select
        links.response_id,
        links.customer_key,
        touches.event_id as touch_event_id,
        case
            when links.link_method is not null then links.link_method
            when links.registered_stage is not null then 'registered_stage'
            when last_touches.response_id is null then 'unattributed'
            when last_touches.journey_stage is null then 'ambiguous'
            else 'last_touch'
        end as attribution_method,
        touches.touchpoint,
        coalesce(
            touches.journey_stage,
            case when links.link_method is null then links.registered_stage end
        ) as journey_stage,
        touches.channel,
        touches.environment,
        touches.owner_area,
        touches.product,
        visits_ranked.journey_stage as stage_at_invitation,
        links.identity_method,
        links.is_identity_conflict,
        touches.occurred_at as experienced_at
    from links
    left join touches
        on touches.response_id = links.response_id
    left join last_touches
        on last_touches.response_id = links.response_id
    left join visits_ranked
        on visits_ranked.response_id = links.response_id
        and visits_ranked.visit_rank = 1
)

select * from attributions
