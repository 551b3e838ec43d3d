select
    natural_key,
    rating_id,
    ticket_id,
    requester_id,
    rating,
    created_at,
    updated_at,
    {{ quarantine_columns([
            ['rating_id', 'rating_id'],
            ['ticket_id', 'ticket_id'],
            ['sent_updated', 'updated_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        satisfaction_ratings.record ->> 'id' as natural_key,
        satisfaction_ratings.record ->> 'id' as rating_id,
        satisfaction_ratings.record ->> 'ticket_id' as ticket_id,
        satisfaction_ratings.record ->> 'requester_id' as requester_id,
        satisfaction_ratings.record ->> 'score' as rating,
        {{ parse_timestamp("(satisfaction_ratings.record ->> 'created_at')") }} as created_at,
        satisfaction_ratings.record ->> 'updated_at' as sent_updated,
        {{ parse_timestamp("(satisfaction_ratings.record ->> 'updated_at')") }} as updated_at,
        {{ lineage('satisfaction_ratings') | indent(4) }}
    from {{ source('zendesk', 'satisfaction_ratings') }} as satisfaction_ratings
    {{ join_frozen_loads('satisfaction_ratings') | indent(4) }}
) as source
