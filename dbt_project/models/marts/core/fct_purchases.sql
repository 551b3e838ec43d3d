{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_orders.order_id') }} as orders
    union
    select key from {{ dirty('int_first_purchases.order_id') }} as first_purchases
    union
    {{ event_facts_to_rebuild('order:', 'order_id', 'ordered_date') }}
{% endraw %}{% endset %}

{{ config(
    unique_key='order_id',
    meta={
        'rebuild_when': rebuild_when,
        'marks': [
            'customer_key',
            'ordered_date',
            {'customer_day': "customer_key || ':' || ordered_date"},
        ],
    },
    indexes=[
        {'columns': ['order_id']},
        {'columns': ['customer_key', 'ordered_date']},
        {'columns': ['ordered_date']},
    ],
) }}

with

orders as (
    select
        *,
        {{ reporting_date('ordered_at') }} as ordered_date
    from {{ ref('int_orders') }}
    where {{ to_rebuild('order_id') }}
),

purchases as (
    select
        orders.order_id,
        identities.customer_key,
        customers.customer_version_key,
        orders.product_line as product,
        orders.sales_channel,
        orders.store,
        orders.order_status,
        orders.currency,
        customers.segment,
        customers.country,
        identities.identity_method,
        orders.total_amount,
        orders.net_amount,
        coalesce(orders.order_status = 'cancelled', false) as is_cancelled,
        first_purchases.order_id is not null as is_first_purchase,
        orders.ordered_date,
        orders.ordered_at
    from orders
    inner join {{ ref('int_touchpoint_events') }} as events
        on events.event_id = 'order:' || orders.order_id
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = events.identity_id
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = identities.customer_key
        and orders.ordered_date >= customers.valid_from
        and orders.ordered_date < customers.valid_to
    left join {{ ref('int_first_purchases') }} as first_purchases
        on first_purchases.order_id = orders.order_id
)

select * from purchases
