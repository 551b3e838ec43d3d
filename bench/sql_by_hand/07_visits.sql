-- The stages that customers passed through: each advancing event is compared with the one
-- before it in its lane; where a visit begins, the one before has ended.
create table by_hand.fct_journey_stage_visits as
with stages as (
    select
        *, 1 << stage_order as stage_bit,
        bit_or(1 << stage_order) over (partition by lane) as lane_bits
    from warehouse.journey_stages
),
events as (
    select
        event_id, customer_key, customer_version_key, touchpoint, journey_stage, lane,
        stage_order, lane_bits, channel, segment, country,
        case lane when 'support' then coalesce(case_id, event_id) end as case_id,
        0 as position,
        advances_stage or lane = 'support' and case_id is not null as is_advancing,
        case lane when 'support' then case_id is null else is_purchase end as is_closing,
        occurred_at,
        case
            when lane = 'support' then 'infinity'
            when is_purchase then '-infinity'
            else occurred_at + make_interval(hours => 24 * times_out_after_days)
        end as extends_until
    from by_hand.fct_touchpoints
    inner join stages using (journey_stage)
    union all
    -- What happens to a ticket; it keeps the touchpoint that it came by.
    select
        ticket_event_key, ticket_events.customer_key, ticket_events.customer_version_key,
        touchpoint, journey_stage, lane, stage_order, lane_bits, channel,
        customers.segment, customers.country, case_id, position, true,
        event_type <> 'reopened', ticket_events.occurred_at,
        case event_type
            when 'reopened' then 'infinity'
            else ticket_events.occurred_at + interval '168 hours'
        end
    from by_hand.fct_ticket_events as ticket_events
    inner join by_hand.fct_touchpoints as touches
        on touches.event_id = 'ticket:' || ticket_id
    inner join stages using (journey_stage)
    inner join customers
        on customers.customer_version_key = ticket_events.customer_version_key
    where lane = 'support' and (
        event_type in ('solved', 'reopened')
        or event_type = 'merged' and previous_value not in ('solved', 'closed')
    )
),
-- A passive touch takes the step of the advancing event before it.
stepped as (
    select
        *,
        count(*) filter (where is_advancing) over (
            partition by customer_key, lane_or_case
            order by
                occurred_at, stage_order, position, touchpoint collate "C",
                event_id collate "C"
        ) as step
    from (select *, coalesce(case_id, lane) as lane_or_case from events) as in_lanes
),
timed as (
    select
        *,
        max(extends_until) filter (where is_advancing) over (
            partition by customer_key, lane_or_case, step
        ) as step_extends_until
    from stepped
),
counted as (
    select
        *,
        count(*) filter (where not is_advancing and occurred_at <= step_extends_until) over (
            partition by customer_key, lane_or_case, step
        ) as passive_events
    from timed
),
compared as (
    select
        *,
        lag(occurred_at) over by_step as previous_at,
        lag(stage_order) over by_step as previous_stage_order,
        lag(is_closing) over by_step as previous_is_closing,
        lag(extends_until) over by_step as previous_extends_until,
        sum(1 + passive_events) over by_step - 1 - passive_events as events_before,
        sum(1 + passive_events) over whole_lane as events_in_lane,
        last_value(step) over whole_lane as last_step,
        last_value(occurred_at) over whole_lane as last_at,
        last_value(is_closing) over whole_lane as last_is_closing,
        last_value(extends_until) over whole_lane as last_extends_until
    from counted
    where is_advancing
    window
        by_step as (partition by customer_key, lane_or_case order by step),
        whole_lane as (
            partition by customer_key, lane_or_case order by step
            rows between unbounded preceding and unbounded following
        )
),
-- Why the visit before this event has ended; null while the event belongs to it.
judged as (
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
    from compared
),
numbered as (
    select
        *,
        case lane
            when 'buying' then 1 + count(*) filter (where begins_journey) over (
                partition by customer_key, lane_or_case order by step
            )
        end as journey_number
    from judged
),
begun as (
    select
        *,
        lead(previous_exit_reason) over by_step as next_exit_reason,
        lead(occurred_at) over by_step as next_at,
        coalesce(lead(previous_at) over by_step, last_at) as last_advancing_at,
        coalesce(lead(previous_extends_until) over by_step, last_extends_until)
            as may_extend_until,
        coalesce(lead(events_before) over by_step, events_in_lane) - events_before as events,
        coalesce(lead(step) over by_step, last_step + 1) - step as advancing_events
    from numbered
    where previous_exit_reason is not null
    window by_step as (partition by customer_key, lane_or_case order by step)
),
ended as (
    select
        *,
        case
            when next_exit_reason is not null then next_exit_reason
            when last_is_closing then 'completed'
            when last_extends_until < as_of_end then 'timed_out'
        end as exit_reason
    from begun
    cross join (
        select cast(min(as_of_date) + 1 as timestamp) at time zone 'America/Sao_Paulo'
            as as_of_end
        from audit.as_of
    ) as as_of
),
placed as (
    select
        *,
        case
            when exit_reason in ('advanced', 'returned') then next_at
            when exit_reason is not null then last_advancing_at
        end as left_at,
        -- Upwards: the stages in between that the journey has not visited before.
        case
            when previous_exit_reason = 'advanced'
                then lane_bits
                    & ((1 << stage_order) - (1 << (previous_stage_order + 1)))
                    & ~bit_or(1 << stage_order) over (
                        partition by customer_key, lane_or_case, journey_number
                        order by step
                    )
        end as skipped_bits,
        row_number() over (
            partition by customer_key, journey_stage
            order by occurred_at, case_id collate "C", step
        ) as visit_number,
        case
            when lane <> 'support'
                then lead(journey_stage) over (
                    partition by customer_key, lane = 'support'
                    order by occurred_at, stage_order, step
                )
        end as next_stage
    from ended
),
stage_sets as (
    select
        skipped_bits,
        string_agg(stages.journey_stage, ',' order by stages.stage_order) as skipped_stages
    from generate_series(1, (select sum(stage_bit) from stages)) as sets (skipped_bits)
    inner join stages on stage_bit & skipped_bits <> 0
    group by skipped_bits
)
select
    customer_key || ':' || journey_stage || ':' || visit_number as visit_key,
    customer_key, customer_version_key, lane, journey_stage, visit_number, journey_number,
    case_id, touchpoint as first_touchpoint, channel as entry_channel, segment, country,
    skipped_stages, next_stage, exit_reason, cast(events as bigint) as events,
    advancing_events,
    round(extract(epoch from left_at - occurred_at) / 60, 6) as duration_minutes,
    exit_reason is null as is_open,
    cast(occurred_at at time zone 'America/Sao_Paulo' as date) as entered_date,
    occurred_at as entered_at, left_at,
    case
        when exit_reason in ('advanced', 'returned', 'completed') then left_at
        when lane <> 'support' then may_extend_until
    end as open_until
from placed
left join stage_sets using (skipped_bits);
create index on by_hand.fct_journey_stage_visits (visit_key);
create index on by_hand.fct_journey_stage_visits
    (customer_key, lane, entered_at, journey_stage, visit_number, journey_number);
create index on by_hand.fct_journey_stage_visits (case_id);
create index on by_hand.fct_journey_stage_visits (entered_date);
create index on by_hand.fct_journey_stage_visits (open_until);
analyze by_hand.fct_journey_stage_visits;
