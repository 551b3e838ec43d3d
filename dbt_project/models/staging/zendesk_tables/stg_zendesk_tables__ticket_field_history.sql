select
    natural_key,
    ticket_id,
    author_id,
    field_name,
    field_value,
    updated_at,
    {{ quarantine_columns([
            ['ticket_id', 'ticket_id'],
            ['field_name', 'field_name'],
            ['sent_status', 'status'],
            ['sent_updated', 'updated_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        ticket_field_history.ticket_id as natural_key,
        ticket_field_history.ticket_id,
        {{ parse_record_number('ticket_field_history.user_id') }} as author_id,
        ticket_field_history.field_name,
        case ticket_field_history.field_name
            when 'status' then {{ parse_zendesk_status('ticket_field_history.value') | indent(12) }}
            when 'group_id' then ticket_field_history.value
            when 'assignee_id' then ticket_field_history.value
            when 'priority' then {{ parse_word('ticket_field_history.value') | indent(12) }}
        end as field_value,
        coalesce(ticket_field_history.value, '') as sent_status,
        case ticket_field_history.field_name
            when 'status' then {{ parse_zendesk_status('ticket_field_history.value') | indent(12) }}
            else ''
        end as status,
        ticket_field_history.updated as sent_updated,
        {{ parse_timestamp(with_two_digit_hour('ticket_field_history.updated')) | indent(8) }} as updated_at,
        {{ lineage('ticket_field_history') | indent(8) }}
    from {{ source('zendesk_tables', 'ticket_field_history') }} as ticket_field_history
    {{ join_frozen_loads('ticket_field_history') | indent(4) }}
) as source
