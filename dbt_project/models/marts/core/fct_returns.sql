{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_returns.return_id') }} as changed_returns
    union
    {{ event_facts_to_rebuild('return:', 'return_id', 'returned_date') }}
    union
    select returns_of_orders.return_id
    from {{ ref('int_returns') }} as returns_of_orders
    where returns_of_orders.order_id in (
        select key from {{ dirty('int_orders.order_id') }} as orders
    )
{% endraw %}{% endset %}

{{ config(
    unique_key='return_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['customer_key', 'order_id']},
    indexes=[
        {'columns': ['return_id']},
        {'columns': ['customer_key']},
        {'columns': ['order_id']},
    ],
) }}

with

changed_returns as (
    select
        *,
        {{ reporting_date('returned_at') }} as returned_date
    from {{ ref('int_returns') }}
    where {{ to_rebuild('return_id') }}
),

returns as (
    select
        changed_returns.return_id,
        changed_returns.order_id,
        identities.customer_key,
        customers.customer_version_key,
        orders.product_line as product,
        changed_returns.return_reason,
        changed_returns.currency,
        customers.segment,
        customers.country,
        identities.identity_method,
        changed_returns.refund_amount,
        changed_returns.returned_date - {{ reporting_date('orders.ordered_at') }}
            as days_since_order,
        changed_returns.returned_date,
        changed_returns.returned_at
    from changed_returns
    inner join {{ ref('int_touchpoint_events') }} as events
        on events.event_id = 'return:' || changed_returns.return_id
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = events.identity_id
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = identities.customer_key
        and changed_returns.returned_date >= customers.valid_from
        and changed_returns.returned_date < customers.valid_to
    left join {{ ref('int_orders') }} as orders
        on orders.order_id = changed_returns.order_id
)

select * from returns
