select
    natural_key,
    audit_id,
    ticket_id,
    author_id,
    audit_channel,
    audit_relation,
    events,
    created_at,
    {{ quarantine_columns([
            ['audit_id', 'audit_id'],
            ['ticket_id', 'ticket_id'],
            ['sent_created', 'created_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        ticket_audits.record ->> 'id' as natural_key,
        ticket_audits.record ->> 'id' as audit_id,
        ticket_audits.record ->> 'ticket_id' as ticket_id,
        ticket_audits.record ->> 'author_id' as author_id,
        ticket_audits.record -> 'via' ->> 'channel' as audit_channel,
        ticket_audits.record #>> '{via,source,rel}' as audit_relation,
        ticket_audits.record -> 'events' as events,
        ticket_audits.record ->> 'created_at' as sent_created,
        {{ parse_timestamp("(ticket_audits.record ->> 'created_at')") }} as created_at,
        {{ lineage('ticket_audits') | indent(4) }}
    from {{ source('zendesk', 'ticket_audits') }} as ticket_audits
    {{ join_frozen_loads('ticket_audits') | indent(4) }}
) as source
