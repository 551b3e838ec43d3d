select
    natural_key,
    order_id,
    order_name,
    contact_id,
    order_status,
    sales_channel,
    store,
    product_line,
    currency,
    total_amount,
    net_amount,
    ordered_at,
    modified_at,
    {{ quarantine_columns([
            ['order_id', 'order_id'],
            ['sent_ordered', 'ordered_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        orders.record_id as natural_key,
        orders.record_id as order_id,
        orders.order_name,
        orders.associated_contact_id as contact_id,
        {{ parse_word('orders.order_status') }} as order_status,
        {{ parse_word('orders.sales_channel') }} as sales_channel,
        {{ parse_word('orders.store') }} as store,
        {{ parse_word('orders.product_line') }} as product_line,
        {{ parse_word('orders.currency') }} as currency,
        {{ parse_number('orders.total_amount', 'numeric') }} as total_amount,
        {{ parse_number('orders.net_amount', 'numeric') }} as net_amount,
        orders.order_date as sent_ordered,
        {{ parse_timestamp('orders.order_date') }} as ordered_at,
        {{ parse_timestamp('orders.last_modified_date') }} as modified_at,
        {{ lineage('orders') | indent(4) }}
    from {{ source('hubspot', 'orders') }} as orders
    {{ join_frozen_loads('orders') | indent(4) }}
) as source
