-- What happened to each ticket, in order, and the tickets themselves.

-- Of audits the events that tell something, in the order in which they happened.
create temporary table audit_events on commit drop as
with audits as (
    select distinct on (audit_id) *
    from (
        select
            record ->> 'id' as audit_id,
            record ->> 'ticket_id' as ticket_id,
            record ->> 'author_id' as author_id,
            record -> 'via' ->> 'channel' as channel,
            record -> 'events' as events,
            record -> 'events' @> '[{"type": "Create"}]' as is_creation,
            coalesce(record #>> '{via,source,rel}' = 'merge', false)
            or record -> 'events' @? (
                '$[*] ? (@.field_name == "tags" && @.value like_regex "closed_by_merge")'
            ) as is_merge,
            pg_temp.as_time(record ->> 'created_at') as occurred_at,
            batch_date, _file_no, _row_number
        from raw_zendesk.ticket_audits
        inner join audit.build_loads on load_id = _load_id and is_current
    ) as sent
    where num_nulls(audit_id, ticket_id, occurred_at) = 0
    order by audit_id, batch_date desc, _file_no desc, _row_number desc
),
listed as (
    select
        audits.audit_id, ticket_id, event_number, occurred_at,
        event ->> 'type' as sent_type,
        case event ->> 'type'
            when 'SatisfactionRating' then 'satisfaction_score'
            else event ->> 'field_name'
        end as field_name,
        coalesce(event ->> 'author_id', author_id) as author_id,
        coalesce(event #>> '{via,channel}', channel) as channel,
        nullif(event ->> 'previous_value', '') as previous_value,
        nullif(coalesce(event ->> 'value', event ->> 'score'), '') as new_value,
        case event ->> 'public' when 'true' then true when 'false' then false end as is_public,
        is_creation, is_merge
    from audits
    cross join lateral jsonb_array_elements(events) with ordinality
        as listed (event, event_number)
)
select
    ticket_id, audit_id || ':' || event_number as audit_event_key,
    row_number() over (
        partition by ticket_id
        order by occurred_at, length(audit_id), audit_id collate "C", event_number
    ) as event_order,
    case
        when sent_type in ('Comment', 'VoiceComment', 'FacebookComment') then 'comment'
        when sent_type = 'Create' then 'create'
        else 'change'
    end as kind,
    case when sent_type in ('Create', 'Change', 'SatisfactionRating') then field_name end
        as field_name,
    author_id, channel, previous_value, new_value, is_public, is_creation, is_merge,
    occurred_at
from listed
where sent_type in ('Comment', 'VoiceComment', 'FacebookComment', 'SatisfactionRating')
    or sent_type in ('Create', 'Change') and field_name in (
        'status', 'group_id', 'assignee_id', 'priority', 'satisfaction_score'
    );
analyze audit_events;

-- What a ticket was before the first change that is known of it, and who opened it.
create temporary table ticket_starts on commit drop as
with told as (
    select
        ticket_id,
        (array_agg(author_id order by event_order) filter (where is_creation))[1] as author_id,
        (array_agg(channel order by event_order) filter (where is_creation))[1] as channel,
        (
            array_agg(
                case kind when 'create' then new_value else previous_value end
                order by event_order
            ) filter (where field_name = 'status')
        )[1] as first_status,
        (
            array_agg(
                case kind when 'create' then new_value else previous_value end
                order by event_order
            ) filter (where field_name = 'group_id')
        )[1] as first_group_id,
        bool_or(field_name = 'group_id') as is_group_told,
        max(occurred_at) as last_audit_at
    from audit_events
    group by ticket_id
)
select
    tickets.ticket_id, identity_id, customer_key, identity_method, told.author_id, told.channel, ticket_channel,
    case
        when first_status not in ('solved', 'closed', 'deleted') then first_status
        else 'new'
    end as first_status,
    case when is_group_told then first_group_id else group_id end as group_id,
    ticket_status, created_at,
    updated_at >= coalesce(last_audit_at, updated_at) as is_page_newer,
    greatest(updated_at, created_at) as page_at
from tickets
inner join identities using (identity_id)
left join told using (ticket_id);
create index on ticket_starts (ticket_id);
analyze ticket_starts;

-- Every status that something tells of, and from each to the next the event between.
create temporary table status_events on commit drop as
with seen as (
    select
        ticket_id, 0 as part, cast(null as bigint) as event_order, 0 as step,
        cast(null as text) as audit_event_key, author_id, channel, first_status as status,
        false as is_merge, false as is_inferred, created_at as occurred_at
    from ticket_starts
    union all
    select
        ticket_id, 1, event_order, step, audit_event_key, author_id, channel, status,
        is_merge, step = 10, occurred_at
    from audit_events
    cross join lateral (
        values
            (10, case kind when 'change' then previous_value end),
            (20, new_value)
    ) as told (step, status)
    where field_name = 'status' and status is not null
    union all
    select
        ticket_id, 2, null, 30, null, null, null, ticket_status, false, true, page_at
    from ticket_starts
    where is_page_newer
),
compared as (
    select
        *,
        lag(status) over (partition by ticket_id order by part, event_order, step)
            as previous_status
    from seen
),
named as (
    select
        *,
        case
            when previous_status is null then 'created'
            when status = 'deleted' then 'deleted'
            when previous_status = 'deleted' then 'restored'
            when status in ('solved', 'closed') and is_merge then 'merged'
            when status in ('solved', 'closed')
                and previous_status not in ('solved', 'closed')
                then 'solved'
            when status = 'closed' then 'closed'
            when status <> 'solved' and previous_status in ('solved', 'closed')
                then 'reopened'
            else 'status_changed'
        end as event_type
    from compared
    where status is distinct from previous_status
)
select
    ticket_id, part, event_order, named.step + extra.step as step, audit_event_key,
    coalesce(extra.event_type, named.event_type) as event_type, author_id, channel,
    previous_status as previous_value, status as new_value, is_inferred, occurred_at
from named
inner join (values (0, null), (1, 'closed')) as extra (step, event_type)
    on extra.step = 0 or status = 'closed' and named.event_type in ('solved', 'merged');
analyze status_events;

create temporary table agent_keys on commit drop as
select agent_id, cx.keyed_hash('agent:' || agent_id) as agent_key
from (
    select user_id as agent_id from user_roles where is_staff
    union
    select assignee_id
    from audit_events
    cross join lateral (values (previous_value), (new_value)) as named (assignee_id)
    where field_name = 'assignee_id' and assignee_id is not null
) as agents;
analyze agent_keys;

create table by_hand.fct_ticket_events as
with told as (
    select *, cast(null as boolean) as is_public, new_value as status_set
    from status_events
    union all
    select
        ticket_id, 1, event_order, 40, audit_event_key,
        case
            when kind = 'comment' then 'commented'
            when field_name = 'assignee_id' then 'assigned'
            when field_name = 'group_id' then 'moved'
            when field_name = 'priority' then 'priority_changed'
            else 'rated'
        end,
        author_id, channel, previous_value, new_value, false, occurred_at, is_public, null
    from audit_events
    where kind = 'comment'
        or field_name = 'assignee_id' and new_value is distinct from previous_value
        or field_name = 'satisfaction_score' and new_value in ('good', 'bad')
        or field_name in ('group_id', 'priority') and kind = 'change'
        and new_value is distinct from previous_value
),
authored as (
    select
        told.*, ticket_starts.customer_key, ticket_channel,
        case when is_staff and not is_inferred then told.author_id end as agent_id,
        case
            when is_inferred or told.author_id is null then 'unknown'
            when bots.user_id is not null or told.channel in ('rule', 'trigger', 'automation')
                then 'bot'
            when told.author_id = '-1' then 'system'
            when is_staff then 'agent'
            when user_role is not null or identity_id = 'user:' || told.author_id
                then 'customer'
            else 'unknown'
        end as author_role,
        case event_type
            when 'created' then coalesce(ticket_starts.group_id, '')
            when 'moved' then coalesce(told.new_value, '')
        end as group_set
    from told
    inner join ticket_starts using (ticket_id)
    left join user_roles as roles
        on roles.user_id = told.author_id
        and told.occurred_at >= roles.valid_from and told.occurred_at < roles.valid_to
    left join warehouse.ticket_bots as bots on bots.user_id = told.author_id
),
-- The customer goes on through another channel than the one used before.
all_events as (
    select
        ticket_id, customer_key, part, event_order, step, audit_event_key, event_type,
        agent_id, author_role, previous_value, new_value, status_set, group_set, is_public,
        is_inferred, occurred_at
    from authored
    union all
    select
        ticket_id, customer_key, part, event_order, 50, audit_event_key, 'channel_changed',
        agent_id, author_role, previous_channel, channel, null, null, null, false,
        occurred_at
    from (
        select
            *,
            coalesce(
                lag(channel) over (partition by ticket_id order by event_order),
                ticket_channel
            ) as previous_channel
        from authored
        where event_type = 'commented' and author_role = 'customer' and channel is not null
    ) as comments
    where channel <> previous_channel
),
placed as (
    select
        *,
        row_number() over so_far as position,
        count(status_set) over so_far as status_number,
        count(group_set) over so_far as group_number,
        cast(occurred_at at time zone 'America/Sao_Paulo' as date) as occurred_date
    from all_events
    window so_far as (partition by ticket_id order by part, event_order, step)
),
carried as (
    select
        *,
        max(status_set) over (partition by ticket_id, status_number) as ticket_status,
        nullif(max(group_set) over (partition by ticket_id, group_number), '') as group_id
    from placed
)
select
    concat_ws(
        ':', ticket_id,
        coalesce(audit_event_key, case part when 0 then 'creation' else 'now' end),
        step, event_type
    ) as ticket_event_key,
    ticket_id, customer_key, customer_version_key, agents.agent_key, group_id, event_type,
    case event_type
        when 'assigned' then cast(agents_before.agent_key as text)
        else previous_value
    end as previous_value,
    case event_type
        when 'assigned' then cast(agents_after.agent_key as text)
        else new_value
    end as new_value,
    ticket_status, author_role, cast(position as integer) as position, is_public,
    case
        when author_role in ('customer', 'agent') then true
        when author_role in ('bot', 'system') then false
    end as is_human,
    is_inferred, occurred_date, occurred_at
from carried
inner join customers using (customer_key)
left join agent_keys as agents using (agent_id)
left join agent_keys as agents_before
    on event_type = 'assigned' and agents_before.agent_id = previous_value
left join agent_keys as agents_after
    on event_type = 'assigned' and agents_after.agent_id = new_value
where occurred_date >= valid_from and occurred_date < valid_to;
create index on by_hand.fct_ticket_events (ticket_id);
create index on by_hand.fct_ticket_events (customer_key);
analyze by_hand.fct_ticket_events;

create table by_hand.fct_tickets as
with dated as (
    select *, cast(created_at at time zone 'America/Sao_Paulo' as date) as created_date
    from tickets
)
select
    dated.ticket_id, customer_key, customer_version_key,
    coalesce(organizations.account_key, customers.account_key) as account_key,
    staff.agent_key, assignee_id, dated.group_id, organization_id,
    coalesce(touchpoint, '(unmapped)') as touchpoint, journey_stage, event_kinds.channel, calendar, dated.ticket_status, priority, ticket_type,
    satisfaction_score, segment, country, identity_method,
    dated.ticket_status = 'deleted' as is_deleted, created_date, dated.created_at, updated_at
from dated
inner join ticket_starts using (ticket_id)
inner join customers using (customer_key)
left join event_kinds
    on event_kinds.source_object = 'ticket'
    and event_kinds.event_type = coalesce(dated.ticket_channel, '')
left join warehouse.ticket_groups on ticket_groups.group_id = ticket_starts.group_id
left join organizations using (organization_id)
left join (
    select agent_id, agent_key
    from agent_keys
    where agent_id in (select user_id from user_roles where is_staff)
) as staff on staff.agent_id = assignee_id
where created_date >= valid_from and created_date < valid_to;
create index on by_hand.fct_tickets (ticket_id);
create index on by_hand.fct_tickets (customer_key, created_date);
