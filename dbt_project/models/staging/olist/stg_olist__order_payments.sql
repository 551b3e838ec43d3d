select
    natural_key,
    order_id,
    payment_sequential,
    payment_type,
    payment_installments,
    payment_value,
    is_dated_by_export,
    {{ quarantine_columns([
            ['order_id', 'order_id'],
            ['sent_sequential', 'payment_sequential'],
            ['sent_value', 'payment_value'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        {{ natural_key(['payments.order_id', 'payments.payment_sequential']) }} as natural_key,
        payments.order_id,
        payments.payment_sequential as sent_sequential,
        {{ parse_number('payments.payment_sequential', 'integer') }} as payment_sequential,
        {{ parse_word('payments.payment_type') }} as payment_type,
        {{ parse_number('payments.payment_installments', 'integer') }} as payment_installments,
        payments.payment_value as sent_value,
        {{ parse_amount('payments.payment_value') }} as payment_value,
        true as is_dated_by_export,
        {{ lineage('payments') | indent(4) }}
    from {{ source('olist', 'order_payments') }} as payments
    {{ join_frozen_loads('payments') | indent(4) }}
) as source
