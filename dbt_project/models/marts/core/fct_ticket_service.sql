{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_tickets.ticket_id') }} as changed_tickets
    union
    select key from {{ dirty('fct_ticket_events.ticket_id') }} as tickets_with_events
{% endraw %}{% endset %}

{{ config(
    unique_key='ticket_id',
    meta={
        'rebuild_when': rebuild_when,
        'marks': [
            'customer_key',
            'solved_date',
            {'service_day': {
                'key': 'created_date',
                'of': 'ticket_id, first_reply_at, first_reply_minutes, '
                    ~ 'first_reply_working_minutes, first_solved_at, full_resolution_minutes, '
                    ~ 'full_resolution_working_minutes, bot_comments, reopens, agent_hand_offs, '
                    ~ 'group_hand_offs, channel_switches, is_solved, is_unreplied, '
                    ~ 'is_bot_contained, is_out_of_hours',
            }},
        ],
    },
    indexes=[
        {'columns': ['ticket_id']},
        {'columns': ['customer_key']},
        {'columns': ['created_date']},
        {'columns': ['solved_date']},
    ],
) }}

with

tickets as (
    select *
    from {{ ref('fct_tickets') }}
    where {{ to_rebuild('ticket_id') }}
        and not is_deleted
),

events as (
    select
        ticket_events.*,
        tickets.created_at
    from {{ ref('fct_ticket_events') }} as ticket_events
    inner join tickets
        on tickets.ticket_id = ticket_events.ticket_id
        and tickets.customer_key = ticket_events.customer_key
),

-- A comment at the very moment of the creation is what the ticket was opened with.
events_counted as (
    select
        ticket_id,
        min(occurred_at) filter (
            where {{ is_reply('events') }}
        ) as first_reply_at,
        count(*) filter (
            where event_type = 'commented' and is_public and author_role = 'agent'
        ) as agent_comments,
        count(*) filter (
            where event_type = 'commented' and is_public and author_role = 'bot'
        ) as bot_comments,
        count(*) filter (
            where event_type = 'commented' and author_role = 'customer' and occurred_at > created_at
        ) as customer_comments,
        min(occurred_at) filter (where event_type in ('solved', 'merged')) as first_solved_at,
        max(occurred_at) filter (where event_type in ('solved', 'merged')) as last_solved_at,
        count(*) filter (where event_type = 'reopened') as reopens,
        count(*) filter (
            where event_type = 'assigned' and previous_value is not null and new_value is not null
        ) as agent_hand_offs,
        count(*) filter (where event_type = 'moved' and previous_value is not null) as group_hand_offs,
        count(*) filter (where event_type = 'channel_changed') as channel_switches,
        count(*) filter (where event_type = 'merged') > 0 as was_merged
    from events
    group by ticket_id
),

tickets_served as (
    select
        tickets.ticket_id,
        tickets.customer_key,
        tickets.calendar,
        calendars.time_zone,
        tickets.ticket_status in ('solved', 'closed') as is_solved,
        tickets.created_at,
        events_counted.first_reply_at,
        events_counted.first_solved_at,
        case when tickets.ticket_status in ('solved', 'closed') then events_counted.last_solved_at end
            as solved_at,
        events_counted.agent_comments,
        events_counted.bot_comments,
        events_counted.customer_comments,
        events_counted.reopens,
        events_counted.agent_hand_offs,
        events_counted.group_hand_offs,
        events_counted.channel_switches,
        events_counted.was_merged,
        tickets.created_date
    from tickets
    inner join events_counted
        on events_counted.ticket_id = tickets.ticket_id
    left join {{ ref('dim_calendars') }} as calendars
        on calendars.calendar = tickets.calendar
),

ticket_service as (
    select
        served.ticket_id,
        served.customer_key,
        served.calendar,
        served.first_reply_at,
        {{ minutes_between('served.created_at', 'served.first_reply_at') }} as first_reply_minutes,
        {{ working_minutes('served.created_at', 'day_of_creation', 'served.first_reply_at', 'day_of_reply') }}
            as first_reply_working_minutes,
        served.first_solved_at,
        {{ minutes_between('served.created_at', 'served.first_solved_at') }}
            as first_resolution_minutes,
        {{ working_minutes('served.created_at', 'day_of_creation', 'served.first_solved_at', 'day_of_first_solve') }}
            as first_resolution_working_minutes,
        served.solved_at,
        {{ minutes_between('served.created_at', 'served.solved_at') }} as full_resolution_minutes,
        {{ working_minutes('served.created_at', 'day_of_creation', 'served.solved_at', 'day_of_solve') }}
            as full_resolution_working_minutes,
        cast(served.agent_comments as integer) as agent_comments,
        cast(served.bot_comments as integer) as bot_comments,
        cast(served.customer_comments as integer) as customer_comments,
        cast(served.reopens as integer) as reopens,
        cast(served.agent_hand_offs as integer) as agent_hand_offs,
        cast(served.group_hand_offs as integer) as group_hand_offs,
        cast(served.channel_switches as integer) as channel_switches,
        served.is_solved,
        served.was_merged,
        served.first_reply_at is null and not served.is_solved as is_unreplied,
        served.is_solved and served.bot_comments > 0 and served.agent_comments = 0
            as is_bot_contained,
        -- Of an unknown calendar, or a year whose holidays are not known: null.
        case
            when day_of_creation.calendar is not null
                then not coalesce(
                    served.created_at >= day_of_creation.opens_at
                    and served.created_at < day_of_creation.closes_at,
                    false
                )
        end as is_out_of_hours,
        served.created_date,
        {{ reporting_date('served.solved_at') }} as solved_date
    from tickets_served as served
    {{ join_working_day('day_of_creation', 'served.created_at', 'served.calendar', 'served.time_zone') }}
    {{ join_working_day('day_of_reply', 'served.first_reply_at', 'served.calendar', 'served.time_zone') }}
    {{ join_working_day('day_of_first_solve', 'served.first_solved_at', 'served.calendar', 'served.time_zone') }}
    {{ join_working_day('day_of_solve', 'served.solved_at', 'served.calendar', 'served.time_zone') }}
)

select * from ticket_service
