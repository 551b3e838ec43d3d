select
    natural_key,
    return_id,
    order_id,
    contact_id,
    return_reason,
    currency,
    refund_amount,
    returned_at,
    modified_at,
    {{ quarantine_columns([
            ['return_id', 'return_id'],
            ['sent_returned', 'returned_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        returns.record_id as natural_key,
        returns.record_id as return_id,
        returns.order_id,
        returns.associated_contact_id as contact_id,
        {{ parse_word('returns.return_reason') }} as return_reason,
        {{ parse_word('returns.currency') }} as currency,
        {{ parse_number('returns.refund_amount', 'numeric') }} as refund_amount,
        returns.return_date as sent_returned,
        {{ parse_timestamp('returns.return_date') }} as returned_at,
        {{ parse_timestamp('returns.last_modified_date') }} as modified_at,
        {{ lineage('returns') | indent(4) }}
    from {{ source('hubspot', 'returns') }} as returns
    {{ join_frozen_loads('returns') | indent(4) }}
) as source
