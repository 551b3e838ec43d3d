-- One row per incident: what changed from each of its states to the next, as the events of
-- one audit. The log says when a state was saved and nothing of what it was before, and
-- it sends some states twice.
with

states_ranked as (
    select
        *,
        row_number() over (
            partition by natural_key, _source_name, updated_at, revision
            order by _batch_date desc, _file_no desc, _row_number desc
        ) as state_rank
    from {{ ref('stg_servicenow__incidents') }}
    where not is_quarantined
),

-- Some states are dated before the incident was opened: they are in force from then on.
states as (
    select
        natural_key,
        ticket_status,
        group_id,
        assignee_id,
        priority,
        opened_by_id,
        updated_by_id,
        greatest(updated_at, created_at) as occurred_at,
        _batch_date,
        _source_name,
        row_number() over state_order as state_number,
        lag(ticket_status) over state_order as previous_status,
        lag(group_id) over state_order as previous_group_id,
        lag(assignee_id) over state_order as previous_assignee_id,
        lag(priority) over state_order as previous_priority
    from states_ranked
    where state_rank = 1
    window state_order as (
        partition by natural_key, _source_name order by updated_at, revision nulls first
    )
),

fields as (
    select
        states.*,
        field.field_number,
        field.field_name,
        field.previous_value,
        field.new_value
    from states
    cross join lateral (
        values
            (1, 'status', previous_status, ticket_status),
            (2, 'group_id', previous_group_id, group_id),
            (3, 'assignee_id', previous_assignee_id, assignee_id),
            (4, 'priority', previous_priority, priority)
    ) as field (field_number, field_name, previous_value, new_value)
),

changes as (
    select
        natural_key,
        jsonb_agg(
            jsonb_build_object(
                'type', case state_number when 1 then 'Create' else 'Change' end,
                'field_name', field_name,
                'previous_value', previous_value,
                'value', new_value,
                'author_id', case
                    when state_number = 1 and field_name = 'status' then opened_by_id
                    else updated_by_id
                end,
                'created_at', {{ write_timestamp('occurred_at') }}
            )
            order by state_number, field_number
        ) as events,
        min(occurred_at) as created_at,
        max(_batch_date) as _batch_date,
        _source_name
    from fields
    where new_value is distinct from previous_value
    group by natural_key, _source_name
)

select
    natural_key,
    natural_key as audit_id,
    natural_key as ticket_id,
    {{ not_sent('ticket_audits', ['author_id', 'audit_channel', 'audit_relation']) }},
    events,
    created_at,
    false as is_quarantined,
    _batch_date,
    1 as _file_no,
    cast(1 as bigint) as _row_number,
    _source_name
from changes
