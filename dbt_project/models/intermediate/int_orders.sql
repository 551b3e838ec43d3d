{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('orders') }} as changed_orders
{% endraw %}{% endset %}

{{ config(
    unique_key='order_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['product_line', 'order_name']},
    indexes=[
        {'columns': ['order_id']},
        {'columns': ['order_name']},
        {'columns': ['product_line']},
    ],
) }}

with

orders_versions as (
    select
        *,
        {{ version_rank() }} as version_rank
    from {{ staged('orders') }} as staged
),

latest_orders as (
    select
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
        ordered_at
    from orders_versions
    where version_rank = 1
)

select * from latest_orders
