select
    natural_key,
    natural_key as audit_id,
    rating_id,
    ticket_id,
    author_id,
    {{ not_sent('ticket_audits', ['audit_channel', 'audit_relation']) }},
    rating,
    jsonb_build_array(jsonb_build_object('type', 'SatisfactionRating', 'score', rating)) as events,
    created_at,
    {{ quarantine_columns([
            ['natural_key', 'rating_id'],
            ['ticket_id', 'ticket_id'],
            ['sent_updated', 'created_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        {{ natural_key(['satisfaction_ratings.id', 'satisfaction_ratings.ticket_id']) }} as natural_key,
        {{ parse_record_number('satisfaction_ratings.id') }} as rating_id,
        satisfaction_ratings.ticket_id,
        {{ parse_record_number('satisfaction_ratings.requester_id') }} as author_id,
        {{ parse_listed('satisfaction_ratings.score', {
            'good': ['good', 'good with comment'],
            'bad': ['bad', 'bad with comment'],
            'offered': ['offered'],
            'unoffered': ['unoffered'],
        }) | indent(8) }} as rating,
        satisfaction_ratings.updated_at as sent_updated,
        {{ parse_timestamp(with_two_digit_hour('satisfaction_ratings.updated_at')) | indent(8) }} as created_at,
        {{ lineage('satisfaction_ratings') | indent(8) }}
    from {{ source('zendesk_tables', 'satisfaction_ratings') }} as satisfaction_ratings
    {{ join_frozen_loads('satisfaction_ratings') | indent(4) }}
) as source
