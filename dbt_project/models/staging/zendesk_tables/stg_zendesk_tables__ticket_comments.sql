select
    natural_key,
    natural_key as audit_id,
    comment_id,
    ticket_id,
    author_id,
    audit_channel,
    {{ not_sent('ticket_audits', ['audit_relation']) }},
    jsonb_build_array(jsonb_build_object('type', 'Comment', 'public', is_public)) as events,
    is_public,
    created_at,
    {{ quarantine_columns([
            ['natural_key', 'comment_id'],
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
        {{ natural_key(['ticket_comments.ticket_id', 'ticket_comments.id']) }} as natural_key,
        {{ parse_record_number('ticket_comments.id') }} as comment_id,
        ticket_comments.ticket_id,
        {{ parse_record_number('ticket_comments.user_id') }} as author_id,
        case
            when {{ parse_boolean('ticket_comments.voice_comment') | indent(12) }} then 'voice'
            when {{ parse_boolean('ticket_comments.facebook_comment') | indent(12) }} then 'facebook'
            when {{ parse_boolean('ticket_comments.tweet') | indent(12) }} then 'twitter'
        end as audit_channel,
        {{ parse_boolean('ticket_comments.public') | indent(8) }} as is_public,
        ticket_comments.created as sent_created,
        {{ parse_timestamp(with_two_digit_hour('ticket_comments.created')) | indent(8) }} as created_at,
        {{ lineage('ticket_comments') | indent(8) }}
    from {{ source('zendesk_tables', 'ticket_comments') }} as ticket_comments
    {{ join_frozen_loads('ticket_comments') | indent(4) }}
) as source
