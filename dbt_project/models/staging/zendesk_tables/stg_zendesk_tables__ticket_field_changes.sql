-- One row per ticket: the values that its fields took, as the events of one audit. Values
-- of a ticket's first moment are those it was created with.
with

values_ranked as (
    select
        *,
        min(updated_at) over (partition by natural_key, _source_name) as first_at,
        row_number() over (
            partition by natural_key, _source_name, field_name, updated_at
            order by _batch_date desc, _file_no desc, _row_number desc
        ) as value_rank
    from {{ ref('stg_zendesk_tables__ticket_field_history') }}
    where not is_quarantined
        and field_name in ('status', 'group_id', 'assignee_id', 'priority')
),

values_taken as (
    select
        natural_key,
        field_name,
        author_id,
        lag(field_value) over (
            partition by natural_key, _source_name, field_name order by updated_at
        ) as previous_value,
        field_value,
        updated_at,
        updated_at = first_at as is_creation,
        _batch_date,
        _source_name
    from values_ranked
    where value_rank = 1
),

changes as (
    select
        natural_key,
        jsonb_agg(
            jsonb_build_object(
                'type', case when is_creation then 'Create' else 'Change' end,
                'field_name', field_name,
                'previous_value', previous_value,
                'value', field_value,
                'author_id', author_id,
                'created_at', {{ write_timestamp('updated_at') }}
            )
            order by updated_at, field_name
        ) as events,
        min(updated_at) as created_at,
        max(_batch_date) as _batch_date,
        _source_name
    from values_taken
    where field_value is distinct from previous_value
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
