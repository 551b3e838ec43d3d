select
    natural_key,
    deal_id,
    contact_id,
    pipeline,
    deal_stage,
    currency,
    amount,
    created_at,
    closed_at,
    modified_at,
    {{ quarantine_columns([
            ['deal_id', 'deal_id'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        deals.record_id as natural_key,
        deals.record_id as deal_id,
        deals.associated_contact_id as contact_id,
        deals.pipeline,
        deals.deal_stage,
        deals.currency,
        {{ parse_number('deals.amount', 'numeric') }} as amount,
        {{ parse_timestamp('deals.create_date') }} as created_at,
        {{ parse_timestamp('deals.close_date') }} as closed_at,
        {{ parse_timestamp('deals.last_modified_date') }} as modified_at,
        {{ lineage('deals') | indent(4) }}
    from {{ source('hubspot', 'deals') }} as deals
    {{ join_frozen_loads('deals') | indent(4) }}
) as source
