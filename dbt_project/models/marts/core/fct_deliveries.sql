{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_deliveries.delivery_id') }} as changed_deliveries
    union
    {{ event_facts_to_rebuild(
        'delivery:', 'delivery_id', delivery_event_date(reporting_date('shipped_at'))
    ) }}
    union
    -- the day of the order says whether it came the same day
    select deliveries_of_orders.delivery_id
    from {{ ref('int_deliveries') }} as deliveries_of_orders
    where deliveries_of_orders.order_id in (
        select key from {{ dirty('int_orders.order_id') }} as orders
    )
    union
    -- a promise that has passed since without a delivery
    select promises.delivery_id
    from {{ ref('int_deliveries') }} as promises
    where promises.delivered_at is null
        and {{ completeness_may_have_changed('cast(null as date)', 'promises.promised_date') }}
{% endraw %}{% endset %}

{{ config(
    unique_key='delivery_id',
    meta={
        'rebuild_when': rebuild_when,
        'marks': ['customer_key', {'customer_day': "customer_key || ':' || delivered_date"}],
    },
    indexes=[{'columns': ['delivery_id']}, {'columns': ['customer_key', 'delivered_date']}],
) }}

with

deliveries as (
    select
        *,
        {{ reporting_date('shipped_at') }} as shipped_date,
        {{ reporting_date('delivered_at') }} as delivered_date
    from {{ ref('int_deliveries') }}
    where {{ to_rebuild('delivery_id') }}
),

deliveries_of_orders as (
    select
        deliveries.*,
        orders.product_line as product,
        {{ reporting_date('orders.ordered_at') }} as ordered_date
    from deliveries
    left join {{ ref('int_orders') }} as orders
        on orders.order_id = deliveries.order_id
),

deliveries_dated as (
    select
        *,
        -- The day whose version of the customer it joins.
        {{ delivery_event_date('shipped_date') }} as event_date
    from deliveries_of_orders
),

deliveries_judged as (
    select
        deliveries_dated.delivery_id,
        deliveries_dated.order_id,
        identities.customer_key,
        customers.customer_version_key,
        deliveries_dated.product,
        deliveries_dated.delivery_method,
        deliveries_dated.carrier,
        deliveries_dated.delivery_status,
        customers.segment,
        customers.country,
        identities.identity_method,
        deliveries_dated.delivered_date - deliveries_dated.promised_date as days_late,
        deliveries_dated.delivered_at is not null as is_delivered,
        case
            when deliveries_dated.delivered_date is not null
                then deliveries_dated.delivered_date <= deliveries_dated.promised_date
            when deliveries_dated.promised_date <= {{ as_of_date() }} then false
        end as is_on_time,
        deliveries_dated.delivered_date = deliveries_dated.ordered_date as is_same_day,
        deliveries_dated.ordered_date,
        deliveries_dated.promised_date,
        deliveries_dated.delivered_date,
        deliveries_dated.shipped_at,
        deliveries_dated.delivered_at
    from deliveries_dated
    inner join {{ ref('int_touchpoint_events') }} as events
        on events.event_id = 'delivery:' || deliveries_dated.delivery_id
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = events.identity_id
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = identities.customer_key
        and deliveries_dated.event_date >= customers.valid_from
        and deliveries_dated.event_date < customers.valid_to
)

select * from deliveries_judged
