{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_tickets.ticket_id') }} as changed_tickets
    union
    select key from {{ dirty('int_ticket_audit_events.ticket_id') }} as audited_tickets
    union
    -- whoever wrote may turn out to have been an agent then
    select audit_events.ticket_id
    from {{ ref('int_ticket_audit_events') }} as audit_events
    where audit_events.author_id in (
        select key from {{ dirty('int_user_roles.user_id') }} as users
    )
{% endraw %}{% endset %}

{{ config(
    unique_key=['ticket_id', 'ticket_event_key'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'ticket_id',
        'marks': ['identity_id'],
    },
    indexes=[{'columns': ['ticket_id']}, {'columns': ['identity_id']}],
) }}

with

tickets as (
    select *
    from {{ ref('int_tickets') }}
    where {{ to_rebuild('ticket_id') }}
),

audit_events as (
    select
        audit_events.*,
        row_number() over (
            partition by audit_events.ticket_id
            order by
                audit_events.occurred_at,
                length(audit_events.audit_id),
                audit_events.audit_id collate "C",
                audit_events.event_number
        ) as audit_event_order
    from {{ ref('int_ticket_audit_events') }} as audit_events
    inner join tickets
        on tickets.ticket_id = audit_events.ticket_id
),

-- What a ticket was before the first change that is known of it.
first_values as (
    select
        ticket_id,
        field_name,
        case audit_event_type when 'create' then new_value else previous_value end as first_value,
        row_number() over (
            partition by ticket_id, field_name order by audit_event_order
        ) as value_rank
    from audit_events
    where field_name in ('status', 'group_id')
),

creation_audits as (
    select
        ticket_id,
        author_id,
        channel,
        row_number() over (partition by ticket_id order by audit_event_order) as creation_rank
    from audit_events
    where is_creation
),

-- The creation is told by the ticket, also when its audit is not there.
creations as (
    select
        tickets.ticket_id,
        creation_audits.author_id,
        creation_audits.channel,
        case
            when first_statuses.first_value not in ('solved', 'closed', 'deleted')
                then first_statuses.first_value
            else 'new'
        end as ticket_status,
        case
            when first_groups.ticket_id is not null then first_groups.first_value
            else tickets.group_id
        end as group_id,
        tickets.created_at
    from tickets
    left join creation_audits
        on creation_audits.ticket_id = tickets.ticket_id
        and creation_audits.creation_rank = 1
    left join first_values as first_statuses
        on first_statuses.ticket_id = tickets.ticket_id
        and first_statuses.field_name = 'status'
        and first_statuses.value_rank = 1
    left join first_values as first_groups
        on first_groups.ticket_id = tickets.ticket_id
        and first_groups.field_name = 'group_id'
        and first_groups.value_rank = 1
),

last_audits as (
    select
        ticket_id,
        max(occurred_at) as last_audit_at
    from audit_events
    group by ticket_id
),

-- Every status that something tells of. The one that a change says it started from, and
-- the one that the ticket has now, fill in for audits that are not there.
statuses_seen as (
    select
        ticket_id,
        0 as part,
        cast(null as bigint) as audit_event_order,
        0 as step,
        cast(null as text) as audit_event_key,
        author_id,
        channel,
        ticket_status,
        false as is_merge,
        false as is_inferred,
        created_at as occurred_at
    from creations

    union all

    select
        ticket_id, 1, audit_event_order, 10, audit_event_key, author_id, channel,
        previous_value, is_merge, true, occurred_at
    from audit_events
    where field_name = 'status'
        and audit_event_type = 'change'
        and previous_value is not null

    union all

    select
        ticket_id, 1, audit_event_order, 20, audit_event_key, author_id, channel,
        new_value, is_merge, false, occurred_at
    from audit_events
    where field_name = 'status'
        and new_value is not null

    union all

    select
        tickets.ticket_id, 2, null, 30, null, null, null,
        tickets.ticket_status, false, true,
        -- Zendesk sends tickets that were updated before they were created.
        greatest(tickets.updated_at, tickets.created_at)
    from tickets
    left join last_audits
        on last_audits.ticket_id = tickets.ticket_id
    where tickets.updated_at >= coalesce(last_audits.last_audit_at, tickets.updated_at)
),

statuses_compared as (
    select
        *,
        lag(ticket_status) over (
            partition by ticket_id order by part, audit_event_order, step
        ) as previous_status
    from statuses_seen
),

-- A ticket is open unless it is solved, closed or deleted.
transitions as (
    select
        *,
        case
            when previous_status is null then 'created'
            when ticket_status = 'deleted' then 'deleted'
            when previous_status = 'deleted' then 'restored'
            when ticket_status in ('solved', 'closed') and is_merge then 'merged'
            when ticket_status in ('solved', 'closed')
                and previous_status not in ('solved', 'closed')
                then 'solved'
            when ticket_status = 'closed' then 'closed'
            when ticket_status <> 'solved' and previous_status in ('solved', 'closed')
                then 'reopened'
            else 'status_changed'
        end as event_type
    from statuses_compared
    where ticket_status is distinct from previous_status
),

status_events as (
    select
        ticket_id, part, audit_event_order, step, audit_event_key, event_type, author_id,
        channel, previous_status as previous_value, ticket_status as new_value,
        cast(null as boolean) as is_public, is_inferred, occurred_at
    from transitions

    union all

    -- Whoever is closed straight from open was solved, or merged, and closed.
    select
        ticket_id, part, audit_event_order, step + 1, audit_event_key, 'closed', author_id,
        channel, previous_status, ticket_status, null, is_inferred, occurred_at
    from transitions
    where ticket_status = 'closed'
        and event_type in ('solved', 'merged')
),

other_events as (
    select
        ticket_id,
        1 as part,
        audit_event_order,
        40 as step,
        audit_event_key,
        case
            when audit_event_type = 'comment' then 'commented'
            when field_name = 'assignee_id' then 'assigned'
            when field_name = 'group_id' then 'moved'
            when field_name = 'priority' then 'priority_changed'
            else 'rated'
        end as event_type,
        author_id,
        channel,
        previous_value,
        new_value,
        is_public,
        false as is_inferred,
        occurred_at
    from audit_events
    where audit_event_type = 'comment'
        or field_name = 'assignee_id' and new_value is distinct from previous_value
        or field_name = 'satisfaction_score' and new_value in ('good', 'bad')
        or field_name in ('group_id', 'priority')
        and audit_event_type = 'change'
        and new_value is distinct from previous_value
),

events as (
    select * from status_events
    union all
    select * from other_events
),

events_with_author as (
    select
        events.*,
        tickets.identity_id,
        tickets.ticket_channel,
        case when roles.user_role in ('agent', 'admin') then events.author_id end as agent_id,
        case
            when events.is_inferred or events.author_id is null then 'unknown'
            when ticket_bots.user_id is not null
                or events.channel in ('rule', 'trigger', 'automation')
                then 'bot'
            when events.author_id = '-1' then 'system'
            when roles.user_role in ('agent', 'admin') then 'agent'
            when roles.user_role is not null
                or tickets.identity_id = 'user:' || events.author_id
                then 'customer'
            else 'unknown'
        end as author_role
    from events
    inner join tickets
        on tickets.ticket_id = events.ticket_id
    left join {{ ref('int_user_roles') }} as roles
        on roles.user_id = events.author_id
        and events.occurred_at >= roles.valid_from
        and events.occurred_at < roles.valid_to
    left join {{ ref('ticket_bots') }} as ticket_bots
        on ticket_bots.user_id = events.author_id
),

-- The customer goes on through another channel than the one used before.
customer_channels as (
    select
        *,
        coalesce(
            lag(channel) over (partition by ticket_id order by audit_event_order),
            ticket_channel
        ) as previous_channel
    from events_with_author
    where event_type = 'commented'
        and author_role = 'customer'
        and channel is not null
),

all_events as (
    select
        ticket_id, identity_id, author_id, agent_id, event_type, previous_value, new_value, author_role,
        part, audit_event_order, step, audit_event_key, is_public, is_inferred, occurred_at
    from events_with_author

    union all

    select
        ticket_id, identity_id, author_id, agent_id, 'channel_changed', previous_channel, channel,
        author_role, part, audit_event_order, 50, audit_event_key, null, false, occurred_at
    from customer_channels
    where channel <> previous_channel
),

events_placed as (
    select
        all_events.*,
        row_number() over event_order as position,
        case
            when all_events.event_type in (
                'created', 'solved', 'closed', 'reopened', 'deleted', 'restored', 'merged',
                'status_changed'
            )
                then all_events.new_value
        end as status_set,
        case all_events.event_type
            when 'created' then coalesce(creations.group_id, '')
            when 'moved' then coalesce(all_events.new_value, '')
        end as group_set
    from all_events
    left join creations
        on creations.ticket_id = all_events.ticket_id
        and all_events.event_type = 'created'
    window event_order as (
        partition by all_events.ticket_id
        order by all_events.part, all_events.audit_event_order, all_events.step
    )
),

states_numbered as (
    select
        *,
        count(status_set) over so_far as status_number,
        count(group_set) over so_far as group_number
    from events_placed
    window so_far as (partition by ticket_id order by position)
),

ticket_events as (
    select
        concat_ws(
            ':',
            ticket_id,
            coalesce(audit_event_key, case part when 0 then 'creation' else 'now' end),
            step,
            event_type
        ) as ticket_event_key,
        ticket_id,
        identity_id,
        case when not is_inferred then author_id end as author_id,
        case when not is_inferred then agent_id end as agent_id,
        nullif(max(group_set) over (partition by ticket_id, group_number), '') as group_id,
        event_type,
        previous_value,
        new_value,
        max(status_set) over (partition by ticket_id, status_number) as ticket_status,
        author_role,
        cast(position as integer) as position,
        is_public,
        case
            when author_role in ('customer', 'agent') then true
            when author_role in ('bot', 'system') then false
        end as is_human,
        is_inferred,
        occurred_at
    from states_numbered
)

select * from ticket_events
