select
    natural_key,
    delivery_id,
    order_id,
    contact_id,
    delivery_method,
    carrier,
    delivery_status,
    promised_date,
    shipped_at,
    delivered_at,
    modified_at,
    {{ quarantine_columns([
            ['delivery_id', 'delivery_id'],
            ['order_id', 'order_id'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        deliveries.record_id as natural_key,
        deliveries.record_id as delivery_id,
        deliveries.order_id,
        deliveries.associated_contact_id as contact_id,
        {{ parse_word('deliveries.delivery_method') }} as delivery_method,
        {{ parse_word('deliveries.carrier') }} as carrier,
        {{ parse_word('deliveries.delivery_status') }} as delivery_status,
        {{ parse_date('deliveries.promised_date') }} as promised_date,
        {{ parse_timestamp('deliveries.shipped_date') }} as shipped_at,
        deliveries.delivered_date as sent_delivered,
        {{ parse_timestamp('deliveries.delivered_date') }} as delivered_at,
        {{ parse_timestamp('deliveries.last_modified_date') }} as modified_at,
        {{ lineage('deliveries') | indent(4) }}
    from {{ source('hubspot', 'deliveries') }} as deliveries
    {{ join_frozen_loads('deliveries') | indent(4) }}
) as source
