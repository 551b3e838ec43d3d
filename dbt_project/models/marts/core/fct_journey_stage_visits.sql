{#
    A state machine without a loop. Sorted, each advancing event is compared with the one
    before it in its lane; where a visit begins, the one before has ended, for a reason
    that the comparison knows. The rest is running sums.

    A night rebuilds a customer's visits lane by lane, each from a moment on (decision 9). What
    is kept lies before, and tells how many visits and journeys there were. `next_stage` spans
    buying and owning: visits that are kept are told anew which one follows.
#}
{% set rebuild_when %}{% raw %}
    with

    changed_cases as (
        -- A case is named by the touch that opens it.
        select key as case_id from {{ dirty('fct_touchpoints.event_id') }} as touches
        union
        select 'ticket:' || key
        from {{ dirty('fct_ticket_events.ticket_id') }} as tickets
        union
        select case_id
        from {{ this }}
        where customer_key in (
                select cast(key as uuid) from {{ dirty('dim_customers.customer_key') }} as customers
            )
            and case_id is not null
    ),

    lanes_touched as (
        select distinct left(touches.key, 36) as customer_key, stages.lane
        from {{ dirty('fct_touchpoints.customer_stage') }} as touches
        inner join {{ ref('journey_stages') }} as stages
            on stages.journey_stage = substring(touches.key from 38)
            and stages.lane <> 'support'
    ),

    changes as (
        select
            cast(lanes.customer_key as uuid) as customer_key,
            lanes.lane,
            {{ end_of_reporting_date('cast(substring(days.key from 38) as date) - 1') }}
                as changed_at
        from lanes_touched as lanes
        inner join {{ dirty('fct_touchpoints.customer_day') }} as days
            on left(days.key, 36) = lanes.customer_key
        union all
        -- Another as-of day: visits that have timed out now, or are open again.
        select visits.customer_key, visits.lane, visits.open_until
        from {{ this }} as visits
        inner join (
            select min(low_date) as low_date, max(high_date) as high_date
            from {{ source('audit', 'as_of') }}
        ) as moves
            on visits.open_until >= {{ end_of_reporting_date('moves.low_date') }}
            and visits.open_until < {{ end_of_reporting_date('moves.high_date') }}
        where visits.lane <> 'support'
            and (visits.is_open or visits.exit_reason = 'timed_out')
        union all
        -- Where changed cases begin, or did.
        select customer_key, lane, entered_at
        from {{ this }}
        where case_id in (select case_id from changed_cases)
        union all
        select touches.customer_key, stages.lane, touches.occurred_at
        from {{ ref('fct_touchpoints') }} as touches
        inner join {{ ref('journey_stages') }} as stages
            on stages.journey_stage = touches.journey_stage
            and stages.lane = 'support'
        where touches.event_id in (select case_id from changed_cases)
        union all
        select customer_key, 'support', occurred_at
        from {{ ref('fct_ticket_events') }}
        where ticket_id in (
            select substring(case_id from 8)
            from changed_cases
            where starts_with(case_id, 'ticket:')
        )
    ),

    first_changes as (
        select customer_key, lane, min(changed_at) as changed_at
        from changes
        group by customer_key, lane
    ),

    -- A change may reach the last visit of the lane before it, and all after it.
    cuts as (
        select
            changes.customer_key,
            changes.lane,
            coalesce(visits_before.entered_at, changes.changed_at) as rebuilt_from
        from first_changes as changes
        left join lateral (
            select max(visits.entered_at) as entered_at
            from {{ this }} as visits
            where visits.customer_key = changes.customer_key
                and visits.lane = changes.lane
                and visits.entered_at < changes.changed_at
                and changes.lane <> 'support'
        ) as visits_before
            on true
    ),

    -- Of both lanes that `next_stage` spans, from the last visit before on.
    customers_followed as (
        select cuts.customer_key, max(visits_before.entered_at) as followed_from
        from (
            select customer_key, min(rebuilt_from) as rebuilt_from
            from cuts
            where lane <> 'support'
            group by customer_key
        ) as cuts
        cross join (
            select distinct lane from {{ ref('journey_stages') }} where lane <> 'support'
        ) as lanes
        cross join lateral (
            select coalesce(max(visits.entered_at), '-infinity') as entered_at
            from {{ this }} as visits
            where visits.customer_key = cuts.customer_key
                and visits.lane = lanes.lane
                and visits.entered_at < cuts.rebuilt_from
        ) as visits_before
        group by cuts.customer_key
    ),

    visits_to_rebuild as (
        select visits.visit_key, visits.case_id
        from customers_followed as customers
        inner join {{ this }} as visits
            on visits.customer_key = customers.customer_key
            and visits.entered_at >= customers.followed_from
            and visits.lane <> 'support'
        union all
        select visits.visit_key, visits.case_id
        from cuts
        inner join {{ this }} as visits
            on visits.customer_key = cuts.customer_key
            and visits.entered_at >= cuts.rebuilt_from
            and visits.lane = cuts.lane
        where cuts.lane = 'support'
    )

    select visit_key from visits_to_rebuild
    union all
    select 'from:' || customer_key || ':' || lane || ':' || rebuilt_from from cuts
    union all
    select 'case:' || case_id from changed_cases
    union all
    select 'case:' || case_id from visits_to_rebuild where case_id is not null
{% endraw %}{% endset %}

{# Within support each case is a lane of its own. #}
{% set whole_lane = 'partition by customer_key, lane_or_case' %}
{% set by_step = whole_lane ~ ' order by step' %}

{{ config(
    unique_key='visit_key',
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'rebuild_rows_by': 'visit_key',
        'publish_by': 'visit_key',
        'marks': [
            {'journey': "customer_key || ':' || journey_number"},
            {'stage_since': {
                'key': "customer_key || ':' || entered_date",
                'of': 'visit_key, lane, journey_stage, entered_at, open_until',
            }},
        ],
        'published_indexes': [['visit_key'], ['customer_key', 'entered_at'], ['entered_date']],
    },
    indexes=[
        {'columns': ['visit_key']},
        {'columns': [
            'customer_key', 'lane', 'entered_at', 'journey_stage', 'visit_number', 'journey_number',
        ]},
        {'columns': ['case_id']},
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

{%- if is_incremental() %}

cuts as (
    select
        cast(substring(key from 6 for 36) as uuid) as customer_key,
        split_part(key, ':', 3) as lane,
        min(
            cast(
                substring(key from 44 + length(split_part(key, ':', 3)))
                as timestamp with time zone
            )
        ) as rebuilt_from
    from {{ source('audit', 'dirty_keys') }}
    where place = '{{ this.identifier }}' and starts_with(key, 'from:')
    group by customer_key, lane
),

kept_stages as (
    select
        cuts.customer_key,
        cuts.lane,
        stages.journey_stage,
        stages.stage_bit,
        max(visits.visit_number) as visits,
        max(visits.journey_number) as journey_number,
        max(max(visits.journey_number)) over (partition by cuts.customer_key, cuts.lane)
            as last_journey_number
    from cuts
    inner join {{ this }} as visits
        on visits.customer_key = cuts.customer_key
        and visits.lane = cuts.lane
        and visits.entered_at < cuts.rebuilt_from
    inner join stages
        on stages.journey_stage = visits.journey_stage
    group by cuts.customer_key, cuts.lane, stages.journey_stage, stages.stage_bit
),

cuts_and_kept as (
    select
        cuts.customer_key,
        cuts.lane,
        cuts.rebuilt_from,
        jsonb_object_agg(kept.journey_stage, kept.visits) filter (where kept.visits > 0)
            as visits_kept,
        max(kept.last_journey_number) as journeys_kept,
        bit_or(kept.stage_bit) filter (
            where kept.journey_number is not distinct from kept.last_journey_number
        ) as stages_kept
    from cuts
    left join kept_stages as kept
        on kept.customer_key = cuts.customer_key
        and kept.lane = cuts.lane
    group by cuts.customer_key, cuts.lane, cuts.rebuilt_from
),

-- The last advancing event of a lane before is read again, to compare with.
stages_read as (
    select
        cuts.*,
        stages.journey_stage,
        coalesce(
            max(touches_before.last_at) over (partition by cuts.customer_key, cuts.lane),
            cuts.rebuilt_from
        ) as read_from
    from cuts_and_kept as cuts
    inner join stages
        on stages.lane = cuts.lane
        and stages.lane <> 'support'
    cross join lateral (
        select max(fct_touchpoints.occurred_at) as last_at
        from {{ ref('fct_touchpoints') }} as fct_touchpoints
        where fct_touchpoints.customer_key = cuts.customer_key
            and fct_touchpoints.journey_stage = stages.journey_stage
            and fct_touchpoints.occurred_at < cuts.rebuilt_from
            and fct_touchpoints.advances_stage
    ) as touches_before
),
{%- endif %}

{#
    Touches of the lanes are found by customer and stage, those of a case by the event that
    names it: each has an index. A full build reads all, twice rather than from a copy.
#}
{%- set touch_columns %}
        touches.event_id,
        touches.customer_key,
        touches.customer_version_key,
        touches.touchpoint,
        touches.journey_stage,
        touches.channel,
        touches.segment,
        touches.country,
        touches.case_id,
        touches.advances_stage,
        touches.is_purchase,
        touches.occurred_at,
        stages.lane,
        stages.stage_order,
        stages.lane_bits,
        stages.times_out_after_days,
{%- endset %}
{%- if is_incremental() %}
touches as materialized (
    select
        {{- touch_columns }}
        cuts.rebuilt_from,
        cuts.visits_kept,
        cuts.journeys_kept,
        cuts.stages_kept
    from stages_read as cuts
    inner join stages
        on stages.journey_stage = cuts.journey_stage
    inner join {{ ref('fct_touchpoints') }} as touches
        on touches.customer_key = cuts.customer_key
        and touches.journey_stage = cuts.journey_stage
        and touches.occurred_at >= cuts.read_from
    union all
    select
        {{- touch_columns }}
        cuts.rebuilt_from,
        cuts.visits_kept,
        cuts.journeys_kept,
        cuts.stages_kept
    from cuts_and_kept as cuts
    inner join {{ ref('fct_touchpoints') }} as touches
        on touches.customer_key = cuts.customer_key
    inner join stages
        on stages.journey_stage = touches.journey_stage
        and stages.lane = cuts.lane
    where cuts.lane = 'support'
        and {{ to_rebuild('touches.event_id', prefix='case:') }}
),
{%- else %}
touches as not materialized (
    select
        {{- touch_columns }}
        cast('-infinity' as timestamp with time zone) as rebuilt_from,
        cast(null as jsonb) as visits_kept,
        cast(null as bigint) as journeys_kept,
        cast(null as integer) as stages_kept
    from {{ ref('fct_touchpoints') }} as touches
    inner join stages
        on stages.journey_stage = touches.journey_stage
),
{%- endif %}

touch_events as (
    select
        event_id,
        customer_key,
        customer_version_key,
        touchpoint,
        journey_stage,
        lane,
        stage_order,
        lane_bits,
        channel,
        segment,
        country,
        rebuilt_from,
        visits_kept,
        journeys_kept,
        stages_kept,
        -- A support touch without a case is a case of its own.
        case lane when 'support' then coalesce(case_id, event_id) end as case_id,
        0 as position,
        advances_stage or lane = 'support' and case_id is not null as is_advancing,
        case lane when 'support' then case_id is null else is_purchase end as is_closing,
        occurred_at,
        -- Until when another event of the same stage belongs to the same visit.
        case
            when lane = 'support' then 'infinity'
            when is_purchase then '-infinity'
            else occurred_at + make_interval(hours => 24 * times_out_after_days)
        end as extends_until
    from touches
),

-- What happens to a ticket whose creation is a support touch; it keeps that touchpoint.
case_events as (
    select
        ticket_events.ticket_event_key as event_id,
        ticket_events.customer_key,
        ticket_events.customer_version_key,
        cases.touchpoint,
        cases.journey_stage,
        cases.lane,
        cases.stage_order,
        cases.lane_bits,
        cases.channel,
        customers.segment,
        customers.country,
        cases.rebuilt_from,
        cases.visits_kept,
        cases.journeys_kept,
        cases.stages_kept,
        cases.case_id,
        ticket_events.position,
        true as is_advancing,
        ticket_events.event_type <> 'reopened' as is_closing,
        ticket_events.occurred_at,
        case ticket_events.event_type
            when 'reopened' then 'infinity'
            else ticket_events.occurred_at + interval '168 hours'
        end as extends_until
    from {{ ref('fct_ticket_events') }} as ticket_events
    -- The touch that opened the ticket is of the same customer. With both keys the planner
    -- would expect a row or two, and loop over all customers for each of a million.
    inner join touches as cases
        on cases.case_id = 'ticket:' || ticket_events.ticket_id
        and cases.lane = 'support'
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_version_key = ticket_events.customer_version_key
    where {{ to_rebuild('ticket_events.ticket_id', prefix='case:ticket:') }}
        and (
            ticket_events.event_type in ('solved', 'reopened')
            or ticket_events.event_type = 'merged'
            and ticket_events.previous_value not in ('solved', 'closed')
        )
),

events as (
    select
        *,
        coalesce(case_id, lane) collate "C" as lane_or_case
    from (
        select * from touch_events
        union all
        select * from case_events
    ) as touches_and_case_events
),

-- A passive touch takes the step of the advancing event before it.
events_stepped as (
    select
        *,
        count(*) filter (where is_advancing) over (
            {{ whole_lane }}
            order by
                occurred_at,
                stage_order,
                position,
                touchpoint collate "C",
                event_id collate "C"
        ) as step
    from events
),

steps_timed as (
    select
        *,
        max(extends_until) filter (where is_advancing) over one_step as step_extends_until
    from events_stepped
    window one_step as ({{ whole_lane }}, step)
),

-- Passive touches belong to the step unless it has closed its visit or lies too far back.
steps_counted as (
    select
        *,
        count(*) filter (
            where not is_advancing and occurred_at <= step_extends_until
        ) over one_step as passive_events
    from steps_timed
    window one_step as ({{ whole_lane }}, step)
),

steps_compared as (
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
    from steps_counted
    where is_advancing
    window
        by_step as ({{ by_step }}),
        whole_lane as (
            {{ by_step }} rows between unbounded preceding and unbounded following
        )
),

-- Why the visit before this event has ended; null while the event belongs to it.
steps_judged as (
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
    from steps_compared
),

steps_numbered as (
    select
        *,
        case lane
            when 'buying'
                then coalesce(journeys_kept, 1)
                    + count(*) filter (where begins_journey) over by_step
        end as journey_number
    from steps_judged
    where occurred_at >= rebuilt_from
    window by_step as ({{ by_step }})
),

visits_begun as (
    select
        *,
        occurred_at as entered_at,
        lead(previous_exit_reason) over by_step as next_exit_reason,
        lead(occurred_at) over by_step as next_entered_at,
        coalesce(lead(previous_at) over by_step, last_at) as last_advancing_at,
        coalesce(lead(previous_extends_until) over by_step, last_extends_until)
            as may_extend_until,
        coalesce(lead(events_before) over by_step, events_in_lane) - events_before as events,
        coalesce(lead(step) over by_step, last_step + 1) - step as advancing_events
    from steps_numbered
    where previous_exit_reason is not null
    window by_step as ({{ by_step }})
),

visits_ended as (
    select
        visits_begun.*,
        case
            when visits_begun.next_exit_reason is not null then visits_begun.next_exit_reason
            when visits_begun.last_is_closing then 'completed'
            when visits_begun.last_extends_until < as_of.as_of_end then 'timed_out'
        end as exit_reason
    from visits_begun
    cross join as_of
),

visits_numbered as (
    select
        *,
        coalesce(cast(visits_kept ->> journey_stage as bigint), 0) + row_number() over (
            partition by customer_key, journey_stage
            order by entered_at, case_id collate "C", step
        ) as visit_number
    from visits_ended
),

visits_placed as (
    select
        *,
        case
            when exit_reason in ('advanced', 'returned') then next_entered_at
            when exit_reason is not null then last_advancing_at
        end as left_at,
        -- Upwards without a break: the stages of the lane in between, but for those that
        -- the journey has visited before. Of buying, the last journey may have been kept.
        case
            when previous_exit_reason = 'advanced'
                then lane_bits
                    & ((1 << stage_order) - (1 << (previous_stage_order + 1)))
                    & ~case
                        when journey_number > journeys_kept then 0
                        else coalesce(stages_kept, 0)
                    end
                    & ~bit_or(1 << stage_order) over (
                        partition by customer_key, lane_or_case, journey_number
                        order by step
                    )
        end as skipped_bits
    from visits_numbered
),

-- Every set of stages by its names; there are a few hundred.
stage_sets as (
    select
        sets.stage_bits,
        string_agg(stages.journey_stage, ',' order by stages.stage_order) as stage_names
    from generate_series(1, (select sum(stage_bit) from stages)) as sets (stage_bits)
    inner join stages
        on stages.stage_bit & sets.stage_bits <> 0
    group by sets.stage_bits
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
        stage_sets.stage_names as skipped_stages,
        visits_placed.exit_reason,
        cast(visits_placed.events as bigint) as events,
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
            when visits_placed.lane <> 'support' then visits_placed.may_extend_until
        end as open_until
    from visits_placed
    left join stage_sets
        on stage_sets.stage_bits = visits_placed.skipped_bits
    {%- if is_incremental() %}

    union all

    -- Kept, but what follows them may be another one now.
    select
        kept.visit_key,
        kept.customer_key,
        kept.customer_version_key,
        kept.lane,
        kept.journey_stage,
        kept.visit_number,
        kept.journey_number,
        kept.case_id,
        kept.first_touchpoint,
        kept.entry_channel,
        kept.segment,
        kept.country,
        kept.skipped_stages,
        kept.exit_reason,
        kept.events,
        kept.advancing_events,
        kept.duration_minutes,
        kept.is_open,
        kept.entered_date,
        kept.entered_at,
        kept.left_at,
        kept.open_until
    from {{ this }} as kept
    left join cuts
        on cuts.customer_key = kept.customer_key
        and cuts.lane = kept.lane
    where {{ to_rebuild('kept.visit_key') }}
        and kept.lane <> 'support'
        and (cuts.rebuilt_from is null or kept.entered_at < cuts.rebuilt_from)
    {%- endif %}
),

visits_followed as (
    select
        visits.*,
        case
            when visits.lane <> 'support'
                then lead(visits.journey_stage) over (
                    partition by visits.customer_key, visits.lane = 'support'
                    order by visits.entered_at, stages.stage_order, visits.visit_number
                )
        end as next_stage
    from visits
    inner join stages
        on stages.journey_stage = visits.journey_stage
)

select * from visits_followed
