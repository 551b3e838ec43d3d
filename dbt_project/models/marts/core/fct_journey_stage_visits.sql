{#
    A state machine without a loop. Sorted, each advancing event is compared with the one
    before it in its lane; where a visit begins, the one before has ended, for a reason
    that the comparison knows. The rest is running sums.
#}
{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_touchpoints.customer_key') }} as touches
    union
    select key from {{ dirty('fct_ticket_events.customer_key') }} as ticket_events
    union
    select key from {{ dirty('dim_customers.customer_key') }} as customers
    union
    select cast(visits.customer_key as text)
    from {{ this }} as visits
    inner join (
        select min(low_date) as low_date, max(high_date) as high_date
        from {{ source('audit', 'as_of') }}
    ) as moves
        on visits.open_until >= {{ end_of_reporting_date('moves.low_date') }}
        and visits.open_until < {{ end_of_reporting_date('moves.high_date') }}
    where visits.is_open or visits.exit_reason = 'timed_out'
{% endraw %}{% endset %}

{# A case is a lane of its own within support; elsewhere case_id is null. #}
{% set whole_lane = 'partition by customer_key, lane, case_id' %}
{% set in_order -%}
{{ whole_lane }}
        order by
            occurred_at, stage_order, position, touchpoint collate "C", event_id collate "C"
{%- endset %}

{{ config(
    unique_key='visit_key',
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'marks': ['entered_date'],
    },
    indexes=[
        {'columns': ['visit_key']},
        {'columns': ['customer_key']},
        {'columns': ['entered_date']},
        {'columns': ['open_until']},
    ],
) }}

with

stages as (
    select
        *,
        1 << stage_order as stage_bit,
        bit_or(1 << stage_order) over (partition by lane) as lane_bits
    from {{ ref('journey_stages') }}
),

as_of as (
    select {{ end_of_reporting_date(as_of_date()) }} as as_of_end
),

touches as (
    select
        fct_touchpoints.event_id,
        fct_touchpoints.customer_key,
        fct_touchpoints.customer_version_key,
        fct_touchpoints.touchpoint,
        fct_touchpoints.journey_stage,
        stages.stage_order,
        stages.lane,
        fct_touchpoints.channel,
        fct_touchpoints.segment,
        fct_touchpoints.country,
        -- A support touch without a case is a case of its own.
        case stages.lane
            when 'support' then coalesce(fct_touchpoints.case_id, fct_touchpoints.event_id)
        end as case_id,
        0 as position,
        fct_touchpoints.advances_stage
            or stages.lane = 'support' and fct_touchpoints.case_id is not null as is_advancing,
        case stages.lane
            when 'support' then fct_touchpoints.case_id is null
            else fct_touchpoints.is_purchase
        end as is_closing,
        fct_touchpoints.occurred_at
    from {{ ref('fct_touchpoints') }} as fct_touchpoints
    inner join stages
        on stages.journey_stage = fct_touchpoints.journey_stage
    where {{ to_rebuild('fct_touchpoints.customer_key', 'uuid') }}
),

-- What happens to a ticket whose creation is a support touch; it keeps that touchpoint.
case_events as (
    select
        ticket_events.ticket_event_key as event_id,
        ticket_events.customer_key,
        ticket_events.customer_version_key,
        touches.touchpoint,
        touches.journey_stage,
        touches.stage_order,
        touches.lane,
        touches.channel,
        customers.segment,
        customers.country,
        touches.case_id,
        ticket_events.position,
        true as is_advancing,
        ticket_events.event_type <> 'reopened' as is_closing,
        ticket_events.occurred_at
    from {{ ref('fct_ticket_events') }} as ticket_events
    inner join touches
        on touches.customer_key = ticket_events.customer_key
        and touches.case_id = 'zendesk:ticket:' || ticket_events.ticket_id
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = ticket_events.customer_key
        and customers.customer_version_key = ticket_events.customer_version_key
    where {{ to_rebuild('ticket_events.customer_key', 'uuid') }}
        and (
            ticket_events.event_type in ('solved', 'reopened')
            or ticket_events.event_type = 'merged'
            and ticket_events.previous_value not in ('solved', 'closed')
        )
),

events as (
    select * from touches
    union all
    select * from case_events
),

-- Until when another event of the same stage belongs to the same visit.
events_timed as (
    select
        events.*,
        case
            when events.lane = 'support' and events.is_closing
                then events.occurred_at + interval '168 hours'
            when events.lane = 'support' then 'infinity'
            when events.is_closing then '-infinity'
            else events.occurred_at + make_interval(hours => 24 * stages.times_out_after_days)
        end as extends_until
    from events
    inner join stages
        on stages.journey_stage = events.journey_stage
),

-- A passive touch takes the step of the advancing event before it.
events_stepped as (
    select
        *,
        count(*) filter (where is_advancing) over in_order as step
    from events_timed
    window in_order as (
        {{ in_order }}
    )
),

events_compared as (
    select
        *,
        lag(occurred_at) over in_order as previous_at,
        lag(stage_order) over in_order as previous_stage_order,
        lag(is_closing) over in_order as previous_is_closing,
        lag(extends_until) over in_order as previous_extends_until,
        max(step) over whole_lane as last_step,
        max(step) filter (where is_closing) over whole_lane as last_closing_step,
        max(occurred_at) over whole_lane as last_at,
        last_value(extends_until) over (
            {{ in_order }}
            rows between unbounded preceding and unbounded following
        ) as last_extends_until
    from events_stepped
    where is_advancing
    window
        whole_lane as ({{ whole_lane }}),
        in_order as (
            {{ in_order }}
        )
),

-- Why the visit before this event has ended; null while the event belongs to it.
events_judged as (
    select
        *,
        case
            when previous_at is null then 'none before'
            when stage_order = previous_stage_order and occurred_at <= previous_extends_until
                then null
            when previous_is_closing then 'completed'
            when occurred_at > previous_extends_until then 'timed_out'
            when stage_order > previous_stage_order then 'advanced'
            else 'returned'
        end as previous_exit_reason,
        lane = 'buying' and (
            previous_is_closing or occurred_at > previous_at + interval '2160 hours'
        ) as begins_journey
    from events_compared
),

events_numbered as (
    select
        *,
        count(previous_exit_reason) over in_order as visit_in_lane,
        case lane
            when 'buying' then 1 + count(*) filter (where begins_journey) over in_order
        end as journey_number
    from events_judged
    window in_order as (
        {{ in_order }}
    )
),

visits_begun as (
    select
        *,
        lead(previous_exit_reason) over in_order as next_exit_reason,
        lead(previous_at) over in_order as next_previous_at,
        lead(occurred_at) over in_order as next_entered_at,
        lead(step) over in_order as next_step
    from events_numbered
    where previous_exit_reason is not null
    window in_order as (
        {{ in_order }}
    )
),

visits_ended as (
    select
        visits_begun.*,
        visits_begun.occurred_at as entered_at,
        coalesce(visits_begun.next_previous_at, visits_begun.last_at) as last_advancing_at,
        coalesce(visits_begun.next_step, visits_begun.last_step + 1) - visits_begun.step
            as advancing_events,
        case
            when visits_begun.next_exit_reason is not null then visits_begun.next_exit_reason
            when visits_begun.last_closing_step = visits_begun.last_step then 'completed'
            when visits_begun.last_extends_until < as_of.as_of_end then 'timed_out'
        end as exit_reason
    from visits_begun
    cross join as_of
),

visits_left as (
    select
        *,
        case
            when exit_reason in ('advanced', 'returned') then next_entered_at
            when exit_reason is not null then last_advancing_at
        end as left_at
    from visits_ended
),

visits_placed as (
    select
        visits_left.*,
        row_number() over (
            partition by visits_left.customer_key, visits_left.journey_stage
            order by
                visits_left.entered_at, visits_left.case_id collate "C", visits_left.visit_in_lane
        ) as visit_number,
        case
            when visits_left.lane <> 'support'
                then lead(visits_left.journey_stage) over (
                    partition by visits_left.customer_key, visits_left.lane = 'support'
                    order by
                        visits_left.entered_at, visits_left.stage_order, visits_left.visit_in_lane
                )
        end as next_stage,
        -- Upwards without a break: the stages of the lane in between, but for those that
        -- the journey has visited before.
        case
            when visits_left.previous_exit_reason = 'advanced'
                then stages.lane_bits
                    & (stages.stage_bit - (1 << (visits_left.previous_stage_order + 1)))
                    & ~bit_or(stages.stage_bit) over (
                        partition by
                            visits_left.customer_key,
                            visits_left.lane,
                            visits_left.case_id,
                            visits_left.journey_number
                        order by visits_left.visit_in_lane
                    )
            else 0
        end as skipped_bits
    from visits_left
    inner join stages
        on stages.journey_stage = visits_left.journey_stage
),

skipped_stages as (
    select
        skips.skipped_bits,
        string_agg(stages.journey_stage, ',' order by stages.stage_order) as skipped_stages
    from (select distinct skipped_bits from visits_placed) as skips
    inner join stages
        on stages.stage_bit & skips.skipped_bits <> 0
    group by skips.skipped_bits
),

-- A passive touch belongs to the visit of the advancing event before it, unless that has
-- closed the visit or lies too far back.
passive_touches as (
    select
        touches.customer_key,
        advancing.lane,
        advancing.visit_in_lane,
        count(*) as passive_events
    from events_stepped as touches
    inner join events_numbered as advancing
        on advancing.customer_key = touches.customer_key
        and advancing.lane = touches.lane
        and advancing.step = touches.step
        and advancing.extends_until >= touches.occurred_at
    where not touches.is_advancing
        and touches.lane <> 'support'
    group by touches.customer_key, advancing.lane, advancing.visit_in_lane
),

visits as (
    select
        visits_placed.customer_key || ':' || visits_placed.journey_stage || ':'
            || visits_placed.visit_number as visit_key,
        visits_placed.customer_key,
        visits_placed.customer_version_key,
        visits_placed.lane,
        visits_placed.journey_stage,
        visits_placed.visit_number,
        visits_placed.journey_number,
        visits_placed.case_id,
        visits_placed.touchpoint as first_touchpoint,
        visits_placed.channel as entry_channel,
        visits_placed.segment,
        visits_placed.country,
        skipped_stages.skipped_stages,
        visits_placed.next_stage,
        visits_placed.exit_reason,
        visits_placed.advancing_events + coalesce(passive_touches.passive_events, 0) as events,
        visits_placed.advancing_events,
        round(
            extract(epoch from visits_placed.left_at - visits_placed.entered_at) / 60, 6
        ) as duration_minutes,
        visits_placed.exit_reason is null as is_open,
        {{ reporting_date('visits_placed.entered_at') }} as entered_date,
        visits_placed.entered_at,
        visits_placed.left_at,
        case
            when visits_placed.exit_reason in ('advanced', 'returned', 'completed')
                then visits_placed.left_at
            when visits_placed.lane <> 'support'
                then visits_placed.last_advancing_at
                    + make_interval(hours => 24 * stages.times_out_after_days)
        end as open_until
    from visits_placed
    inner join stages
        on stages.journey_stage = visits_placed.journey_stage
    left join skipped_stages
        on skipped_stages.skipped_bits = visits_placed.skipped_bits
    left join passive_touches
        on passive_touches.customer_key = visits_placed.customer_key
        and passive_touches.lane = visits_placed.lane
        and passive_touches.visit_in_lane = visits_placed.visit_in_lane
)

select * from visits
