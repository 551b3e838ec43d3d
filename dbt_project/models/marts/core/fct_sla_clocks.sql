{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_tickets.ticket_id') }} as changed_tickets
    union
    select key from {{ dirty('int_tickets.ticket_id') }} as tickets_judged
    union
    select key from {{ dirty('fct_ticket_events.ticket_id') }} as tickets_with_events
    union
    -- clocks that have become overdue, or are not any more
    select clocks.ticket_id
    from {{ this }} as clocks
    where clocks.fulfilled_at is null
        and clocks.cancelled_at is null
        and {{ as_of_may_have_passed('clocks.due_date') }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['ticket_id', 'sla_metric'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'ticket_id',
        'marks': [
            {'clock_day': {'key': 'created_date', 'of': 'ticket_id, sla_metric, sla_status'}},
        ],
    },
    indexes=[
        {'columns': ['ticket_id']},
        {'columns': ['customer_key']},
        {'columns': ['created_date']},
        {'columns': ['due_date']},
    ],
    pre_hook=join_by_hash(),
) }}

with

tickets as (
    select
        tickets.*,
        int_tickets.is_sla_met,
        {{ source_of_number('tickets.ticket_id', 'tickets') | indent(8) }} as source_system
    from {{ ref('fct_tickets') }} as tickets
    inner join {{ ref('int_tickets') }} as int_tickets
        on int_tickets.ticket_id = tickets.ticket_id
    where {{ to_rebuild('tickets.ticket_id', by_index=true) }}
        and {{ to_rebuild('int_tickets.ticket_id', by_index=true) }}
),

events as (
    select
        ticket_events.*,
        tickets.created_at,
        tickets.is_deleted
    from {{ ref('fct_ticket_events') }} as ticket_events
    inner join tickets
        on tickets.ticket_id = ticket_events.ticket_id
        and tickets.customer_key = ticket_events.customer_key
        {{ only_of('ticket_events.ticket_id', 'tickets') }}
),

moments as (
    select
        ticket_id,
        min(occurred_at) filter (where {{ is_reply('events') }}) as first_reply_at,
        min(occurred_at) filter (where event_type = 'solved') as first_solved_at,
        least(
            min(occurred_at) filter (where event_type = 'merged'),
            max(occurred_at) filter (where event_type = 'deleted' and is_deleted)
        ) as cancelled_at,
        bool_or(event_type = 'priority_changed') as has_other_priority,
        (array_agg(previous_value order by position) filter (
            where event_type = 'priority_changed'
        ))[1] as first_priority
    from events
    group by ticket_id
),

-- A ticket is judged as it was created: what it became later does not move its due time.
tickets_created as (
    select
        tickets.ticket_id,
        tickets.customer_key,
        tickets.calendar,
        coalesce(tickets.source_system, '') as source_system,
        coalesce(tickets.created_group_id, '') as created_group_id,
        coalesce(
            case
                when moments.has_other_priority then moments.first_priority else tickets.priority
            end,
            ''
        ) as created_priority,
        tickets.is_sla_met,
        moments.first_reply_at,
        moments.first_solved_at,
        moments.cancelled_at,
        tickets.created_date,
        tickets.created_at
    from tickets
    inner join moments
        on moments.ticket_id = tickets.ticket_id
),

-- The policies are matched once per kind of ticket and day, not once per ticket.
ticket_kinds as (
    select distinct source_system, created_group_id, created_priority, created_date
    from tickets_created
),

policies_ranked as (
    select
        ticket_kinds.*,
        policies.sla_metric,
        policies.policy,
        policies.target_minutes,
        policies.minutes_kind,
        row_number() over (
            partition by
                ticket_kinds.source_system, ticket_kinds.created_group_id,
                ticket_kinds.created_priority, ticket_kinds.created_date, policies.sla_metric
            order by policies.priority
        ) as policy_rank
    from ticket_kinds
    inner join {{ ref('sla_policies') }} as policies
        on coalesce(
            policies.source_system in (
                ticket_kinds.source_system, split_part(ticket_kinds.source_system, '@', 1)
            ),
            true
        )
        and coalesce(policies.group_id = ticket_kinds.created_group_id, true)
        and coalesce(policies.ticket_priority = ticket_kinds.created_priority, true)
        and ticket_kinds.created_date >= coalesce(policies.valid_from, cast('-infinity' as date))
        and ticket_kinds.created_date < coalesce(policies.valid_to, cast('infinity' as date))
),

-- Where the source tells itself whether it kept its word on the resolution, that counts.
clocks_set as (
    select
        tickets_created.*,
        policies.sla_metric,
        policies.policy,
        policies.target_minutes,
        policies.minutes_kind,
        cast(null as boolean) as is_met_by_source
    from tickets_created
    inner join policies_ranked as policies
        on policies.source_system = tickets_created.source_system
        and policies.created_group_id = tickets_created.created_group_id
        and policies.created_priority = tickets_created.created_priority
        and policies.created_date = tickets_created.created_date
        and policies.policy_rank = 1
    where policies.sla_metric <> 'resolution'
        or tickets_created.is_sla_met is null

    union all

    select
        tickets_created.*,
        'resolution' as sla_metric,
        '(by the source)' as policy,
        null as target_minutes,
        null as minutes_kind,
        tickets_created.is_sla_met as is_met_by_source
    from tickets_created
    where tickets_created.is_sla_met is not null
),

-- Who is solved without a reply does not wait for one any more.
clocks_stopped as (
    select
        *,
        case sla_metric
            when 'first_reply' then least(first_reply_at, first_solved_at)
            else first_solved_at
        end as stopped_at
    from clocks_set
),

clocks_timed as (
    select
        clocks_stopped.*,
        case when stopped_at <= cancelled_at or cancelled_at is null then stopped_at end
            as fulfilled_at,
        case when stopped_at <= cancelled_at then null else cancelled_at end as cancelled_before_at,
        {{ open_seconds_until('clocks_stopped.created_at', 'day_of_creation') }}
            + 60 * clocks_stopped.target_minutes as open_seconds_until_due
    from clocks_stopped
    left join {{ ref('dim_calendars') }} as calendars
        on calendars.calendar = clocks_stopped.calendar
    {{ join_working_day('day_of_creation', 'clocks_stopped.created_at', 'clocks_stopped.calendar', 'calendars.time_zone') }}
),

clocks_due as (
    select
        clocks_timed.*,
        case clocks_timed.minutes_kind
            when 'elapsed'
                then clocks_timed.created_at + clocks_timed.target_minutes * interval '1 minute'
            when 'working'
                then {{ moment_of_open_seconds('due_day', 'clocks_timed.open_seconds_until_due') | indent(12) }}
        end as due_at
    from clocks_timed
    {{ join_day_of_open_seconds(
        'due_day', 'clocks_timed.calendar', 'clocks_timed.open_seconds_until_due'
    ) }}
),

clocks_dated as (
    select
        *,
        {{ reporting_date('due_at') }} as due_date
    from clocks_due
),

sla_clocks as (
    select
        ticket_id,
        customer_key,
        sla_metric,
        policy,
        nullif(created_group_id, '') as created_group_id,
        nullif(created_priority, '') as created_priority,
        minutes_kind,
        case
            when is_met_by_source is false then 'breached'
            when is_met_by_source and fulfilled_at is not null then 'met'
            when is_met_by_source and cancelled_before_at is not null then 'cancelled'
            when is_met_by_source then 'running'
            when due_at is null then 'unmeasured'
            when fulfilled_at <= due_at then 'met'
            when fulfilled_at > due_at then 'breached'
            when cancelled_before_at <= due_at then 'cancelled'
            when cancelled_before_at > due_at then 'breached'
            when due_date <= {{ as_of_date() }} then 'breached'
            else 'running'
        end as sla_status,
        target_minutes,
        created_date,
        due_date,
        created_at,
        due_at,
        fulfilled_at,
        cancelled_before_at as cancelled_at
    from clocks_dated
)

select * from sla_clocks
