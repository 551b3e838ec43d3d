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
    satisfaction_score,
    comment_text,
    {{ not_sent('tickets', ['revision', 'is_sla_met']) }},
    fields,
    created_at,
    updated_at,
    {{ quarantine_columns([
            ['ticket_id', 'ticket_id'],
            ['ticket_status', 'ticket_status'],
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
        tickets.record ->> 'id' as natural_key,
        tickets.record ->> 'id' as ticket_id,
        tickets.record ->> 'requester_id' as requester_id,
        tickets.record ->> 'assignee_id' as assignee_id,
        tickets.record ->> 'group_id' as group_id,
        tickets.record ->> 'organization_id' as organization_id,
        tickets.record -> 'via' ->> 'channel' as ticket_channel,
        tickets.record ->> 'status' as ticket_status,
        tickets.record ->> 'priority' as priority,
        tickets.record ->> 'type' as ticket_type,
        tickets.record -> 'satisfaction_rating' ->> 'score' as satisfaction_score,
        concat_ws(e'\n', tickets.record ->> 'subject', tickets.record ->> 'description') as comment_text,
        jsonb_build_object(
            'custom_fields', tickets.record -> 'custom_fields', 'tags', tickets.record -> 'tags'
        ) as fields,
        tickets.record ->> 'created_at' as sent_created,
        {{ parse_timestamp("(tickets.record ->> 'created_at')") }} as created_at,
        tickets.record ->> 'updated_at' as sent_updated,
        {{ parse_timestamp("(tickets.record ->> 'updated_at')") }} as updated_at,
        {{ lineage('tickets') | indent(4) }}
    from {{ source('zendesk', 'tickets') }} as tickets
    {{ join_frozen_loads('tickets') | indent(4) }}
) as source
