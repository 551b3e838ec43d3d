{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_identities.customer_key') }} as identities
    union
    -- whose order came, changed or went
    select cast(identities.customer_key as text)
    from {{ ref('int_touchpoint_events') }} as events
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = events.identity_id
    where events.event_id in (
        select 'order:' || key from {{ dirty('int_orders.order_id') }} as orders
    )
    union
    select cast(purchases.customer_key as text)
    from {{ this }} as purchases
    where purchases.order_id in (
        select key from {{ dirty('int_orders.order_id') }} as orders
    )
    union
    -- since when the CRM says that they are customers
    select cast(identities.customer_key as text)
    from {{ ref('int_identities') }} as identities
    where identities.identity_id in (
        select 'contact:' || key from {{ dirty('int_contacts.contact_id') }} as contacts
    )
{% endraw %}{% endset %}

{{ config(
    unique_key='customer_key',
    meta={'rebuild_when': rebuild_when, 'marks': ['order_id']},
    indexes=[{'columns': ['customer_key']}, {'columns': ['order_id']}],
) }}

with

customers as (
    select
        identity_id,
        customer_key,
        contact_id
    from {{ ref('int_identities') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
),

orders_ranked as (
    select
        customers.customer_key,
        customers.contact_id,
        orders.order_id,
        {{ reporting_date('orders.ordered_at') }} as ordered_date,
        row_number() over (
            partition by customers.customer_key
            order by orders.ordered_at, length(orders.order_id), orders.order_id collate "C"
        ) as order_rank
    from customers
    inner join {{ ref('int_touchpoint_events') }} as events
        on events.identity_id = customers.identity_id
        and events.source_object = 'order'
    inner join {{ ref('int_orders') }} as orders
        on orders.order_id = substring(events.event_id from 7)
    where orders.order_status is distinct from 'cancelled'
),

-- Whoever was a customer before has bought already, before these exports begin.
first_purchases as (
    select
        orders_ranked.customer_key,
        orders_ranked.order_id
    from orders_ranked
    left join {{ ref('int_contacts') }} as contacts
        on contacts.contact_id = orders_ranked.contact_id
    where orders_ranked.order_rank = 1
        and coalesce(
            {{ reporting_date('contacts.became_customer_at') }} >= orders_ranked.ordered_date, true
        )
)

select * from first_purchases
