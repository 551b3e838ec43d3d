-- Touches, and the orders, deliveries and returns among them.
create table by_hand.fct_touchpoints as
with dated as (
    select *, cast(occurred_at at time zone 'America/Sao_Paulo' as date) as occurred_date
    from events
    where occurred_at is not null and not is_deleted
)
select
    event_id, customer_key, customer_version_key, source_system, dated.source_object,
    coalesce(touchpoint, '(unmapped)') as touchpoint, journey_stage, channel, environment,
    owner_area, approach, segment, country, identity_method, product, case_id,
    coalesce(advances_stage, false) as advances_stage,
    dated.source_object = 'order' as is_purchase, occurred_date, occurred_at
from dated
inner join identities using (identity_id)
inner join customers using (customer_key)
left join event_kinds
    on event_kinds.source_object = dated.source_object
    and event_kinds.event_type = coalesce(dated.event_type, '')
    and event_kinds.event_name = coalesce(dated.event_name, '')
where occurred_date >= valid_from and occurred_date < valid_to;
create index on by_hand.fct_touchpoints (event_id);
create index on by_hand.fct_touchpoints
    (customer_key, advances_stage, journey_stage, occurred_at);
create index on by_hand.fct_touchpoints (case_id);
create index on by_hand.fct_touchpoints (occurred_date);
create index on by_hand.fct_touchpoints (touchpoint, source_system);
analyze by_hand.fct_touchpoints;

create table by_hand.fct_purchases as
with dated as (
    select *, cast(ordered_at at time zone 'America/Sao_Paulo' as date) as ordered_date
    from orders
),
first_purchases as (
    select order_id
    from (
        select distinct on (customer_key)
            order_id, ordered_date, contact_id
        from dated
        inner join identities using (identity_id)
        where order_status is distinct from 'cancelled'
        order by customer_key, ordered_at, length(order_id), order_id collate "C"
    ) as firsts
    left join contacts on contacts.contact_id = firsts.contact_id
    where coalesce(
        cast(became_customer_at at time zone 'America/Sao_Paulo' as date)
        >= ordered_date, true
    )
)
select
    dated.order_id, customer_key, customer_version_key, product_line as product,
    sales_channel, store, order_status, currency, segment, country, identity_method,
    total_amount, net_amount, coalesce(order_status = 'cancelled', false) as is_cancelled,
    first_purchases.order_id is not null as is_first_purchase,
    ordered_date, ordered_at
from dated
inner join identities using (identity_id)
inner join customers using (customer_key)
left join first_purchases using (order_id)
where ordered_date >= valid_from and ordered_date < valid_to;
create index on by_hand.fct_purchases (order_id);
create index on by_hand.fct_purchases (customer_key, ordered_date);

create table by_hand.fct_deliveries as
with dated as (
    select
        deliveries.*, product_line as product,
        cast(delivered_at at time zone 'America/Sao_Paulo' as date) as delivered_date,
        cast(shipped_at at time zone 'America/Sao_Paulo' as date) as shipped_date,
        cast(ordered_at at time zone 'America/Sao_Paulo' as date) as ordered_date
    from deliveries
    left join orders using (order_id)
)
select
    delivery_id, order_id, customer_key, customer_version_key, dated.product,
    delivery_method, carrier, delivery_status, segment, country, identity_method,
    delivered_date - promised_date as days_late, delivered_at is not null as is_delivered,
    case
        when delivered_date is not null then delivered_date <= promised_date
        when promised_date <= (select min(as_of_date) from audit.as_of) then false
    end as is_on_time,
    delivered_date = ordered_date as is_same_day, ordered_date, promised_date,
    delivered_date, shipped_at, delivered_at
from dated
inner join identities using (identity_id)
inner join customers using (customer_key)
where coalesce(delivered_date, shipped_date, ordered_date, promised_date, date '1900-01-01')
        >= valid_from
    and coalesce(delivered_date, shipped_date, ordered_date, promised_date, date '1900-01-01')
        < valid_to;
create index on by_hand.fct_deliveries (delivery_id);
create index on by_hand.fct_deliveries (customer_key, delivered_date);

create table by_hand.fct_returns as
with dated as (
    select
        returns.*, product_line as product,
        cast(returned_at at time zone 'America/Sao_Paulo' as date) as returned_date,
        cast(ordered_at at time zone 'America/Sao_Paulo' as date) as ordered_date
    from returns
    left join orders using (order_id)
)
select
    return_id, order_id, customer_key, customer_version_key, product, return_reason,
    currency, segment, country, identity_method, refund_amount,
    returned_date - ordered_date as days_since_order, returned_date, returned_at
from dated
inner join identities using (identity_id)
inner join customers using (customer_key)
where returned_date >= valid_from and returned_date < valid_to;
create index on by_hand.fct_returns (return_id);
create index on by_hand.fct_returns (customer_key);
