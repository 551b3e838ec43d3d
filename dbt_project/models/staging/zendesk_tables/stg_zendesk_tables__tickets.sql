select
    natural_key,
    ticket_id,
    requester_id,
    assignee_id,
    group_id,
    organization_id,
    ticket_channel,
    ticket_status,
    priority,
    ticket_type,
    comment_text,
    {{ not_sent('tickets', ['satisfaction_score', 'revision', 'fields', 'is_sla_met']) }},
    created_at,
    updated_at,
    {{ quarantine_columns([
            ['natural_key', 'ticket_id'],
            ['sent_status', 'ticket_status'],
            ['sent_created', 'created_at'],
            ['sent_updated', 'updated_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        tickets.id as natural_key,
        {{ parse_record_number('tickets.id') }} as ticket_id,
        {{ parse_record_number('tickets.requester_id') }} as requester_id,
        {{ parse_record_number('tickets.assignee_id') }} as assignee_id,
        {{ parse_record_number('tickets.group_id') }} as group_id,
        {{ parse_record_number('tickets.organization_id') }} as organization_id,
        tickets.via_channel as ticket_channel,
        tickets.status as sent_status,
        {{ parse_zendesk_status('tickets.status') | indent(8) }} as ticket_status,
        tickets.priority,
        tickets.type as ticket_type,
        concat_ws(e'\n', tickets.subject, tickets.description) as comment_text,
        tickets.created_at as sent_created,
        {{ parse_timestamp(with_two_digit_hour('tickets.created_at')) | indent(8) }} as created_at,
        tickets.updated_at as sent_updated,
        {{ parse_timestamp(with_two_digit_hour('tickets.updated_at')) | indent(8) }} as updated_at,
        {{ lineage('tickets') | indent(8) }}
    from {{ source('zendesk_tables', 'tickets') }} as tickets
    {{ join_frozen_loads('tickets') | indent(4) }}
) as source
