-- Advancing touches and what happened to cases, by lane, against the events of the visits.
with

events as (
    select journey_stages.lane
    from {{ ref('fct_touchpoints') }} as touches
    inner join {{ ref('journey_stages') }} as journey_stages
        on journey_stages.journey_stage = touches.journey_stage
    where touches.advances_stage
        or journey_stages.lane = 'support' and touches.case_id is not null

    union all

    select journey_stages.lane
    from {{ ref('fct_ticket_events') }} as ticket_events
    inner join {{ ref('fct_touchpoints') }} as touches
        on touches.customer_key = ticket_events.customer_key
        and touches.case_id = 'ticket:' || ticket_events.ticket_id
    inner join {{ ref('journey_stages') }} as journey_stages
        on journey_stages.journey_stage = touches.journey_stage
        and journey_stages.lane = 'support'
    where ticket_events.event_type in ('solved', 'reopened')
        or ticket_events.event_type = 'merged'
        and ticket_events.previous_value not in ('solved', 'closed')
),

events_counted as (
    select lane, count(*) as events
    from events
    group by lane
),

visits_counted as (
    select lane, sum(advancing_events) as events
    from {{ ref('fct_journey_stage_visits') }}
    group by lane
),

differences as (
    select
        lane,
        coalesce(events_counted.events, 0) as events,
        coalesce(visits_counted.events, 0) as events_of_visits
    from events_counted
    full join visits_counted using (lane)
    where coalesce(events_counted.events, 0) <> coalesce(visits_counted.events, 0)
)

select * from differences
