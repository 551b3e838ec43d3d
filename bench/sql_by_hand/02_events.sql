-- What customers did and what happened to their orders and tickets: one row each, the
-- version that holds.
create temporary table orders on commit drop as
select distinct on (record_id)
    record_id as order_id,
    coalesce('contact:' || associated_contact_id, 'order:' || record_id)
        as identity_id,
    order_status, sales_channel,
    store, product_line, currency,
    case when pg_input_is_valid(total_amount, 'numeric') then cast(total_amount as numeric) end
        as total_amount,
    case when pg_input_is_valid(net_amount, 'numeric') then cast(net_amount as numeric) end
        as net_amount,
    cast(order_date as timestamptz) as ordered_at
from raw_hubspot.orders as orders
inner join audit.build_loads on load_id = _load_id and is_current
where record_id is not null and pg_input_is_valid(order_date, 'timestamptz')
order by record_id, batch_date desc, _file_no desc, _row_number desc;
create index on orders (order_id);
analyze orders;

create temporary table deliveries on commit drop as
select distinct on (record_id)
    record_id as delivery_id, order_id,
    coalesce('contact:' || associated_contact_id, 'delivery:' || record_id)
        as identity_id,
    delivery_method, carrier, delivery_status,
    case when pg_input_is_valid(promised_date, 'date') then cast(promised_date as date) end
        as promised_date,
    pg_temp.as_time(shipped_date) as shipped_at,
    pg_temp.as_time(delivered_date) as delivered_at
from raw_hubspot.deliveries
inner join audit.build_loads on load_id = _load_id and is_current
where record_id is not null and order_id is not null
order by record_id, batch_date desc, _file_no desc, _row_number desc;
analyze deliveries;

create temporary table returns on commit drop as
select distinct on (record_id)
    record_id as return_id, order_id,
    coalesce('contact:' || associated_contact_id, 'return:' || record_id)
        as identity_id,
    return_reason, currency,
    case when pg_input_is_valid(refund_amount, 'numeric') then cast(refund_amount as numeric)
        end as refund_amount,
    cast(return_date as timestamptz) as returned_at
from raw_hubspot.returns
inner join audit.build_loads on load_id = _load_id and is_current
where record_id is not null and pg_input_is_valid(return_date, 'timestamptz')
order by record_id, batch_date desc, _file_no desc, _row_number desc;
analyze returns;

create temporary table tickets on commit drop as
select distinct on (ticket_id) *
from (
    select
        record ->> 'id' as ticket_id,
        coalesce(
            'user:' || (record ->> 'requester_id'),
            'ticket:' || (record ->> 'id')
        ) as identity_id,
        record ->> 'assignee_id' as assignee_id,
        record ->> 'group_id' as group_id,
        record ->> 'organization_id' as organization_id,
        record -> 'via' ->> 'channel' as ticket_channel,
        record ->> 'status' as ticket_status,
        record ->> 'priority' as priority,
        record ->> 'type' as ticket_type,
        record -> 'satisfaction_rating' ->> 'score' as satisfaction_score,
        pg_temp.as_time(record ->> 'created_at') as created_at,
        pg_temp.as_time(record ->> 'updated_at') as updated_at,
        batch_date, _file_no, _row_number
    from raw_zendesk.tickets
    inner join audit.build_loads on load_id = _load_id and is_current
) as sent
where num_nulls(ticket_id, ticket_status, created_at, updated_at) = 0
order by
    ticket_id, updated_at desc, batch_date desc, _file_no desc, _row_number desc;
analyze tickets;

create temporary table events on commit drop as
select
    'activity:' || record_id as event_id, 'hubspot' as source_system,
    'activity' as source_object,
    coalesce(
        'contact:' || associated_contact_id, 'visitor:' || visitor_id,
        'activity:' || record_id
    ) as identity_id,
    activity_type as event_type, event as event_name, cast(null as text) as product,
    cast(null as text) as case_id, occurred_at, false as is_deleted
from (
    select distinct on (record_id)
        record_id, associated_contact_id, visitor_id, activity_type, event,
        cast(activity_date as timestamptz) as occurred_at
    from raw_hubspot.activities
    inner join audit.build_loads on load_id = _load_id and is_current
    where record_id is not null and activity_type is not null
        and pg_input_is_valid(activity_date, 'timestamptz')
    order by record_id, batch_date desc, _file_no desc, _row_number desc
) as activities
union all
select
    'order:' || order_id, 'hubspot', 'order', identity_id,
    sales_channel, order_status, product_line, null, ordered_at, false
from orders
union all
select
    'delivery:' || delivery_id, 'hubspot', 'delivery', deliveries.identity_id,
    delivery_method, delivery_status, product_line, null, delivered_at, false
from deliveries
left join orders using (order_id)
union all
select
    'return:' || return_id, 'hubspot', 'return', returns.identity_id,
    return_reason, 'returned', product_line, null, returned_at, false
from returns
left join orders using (order_id)
union all
select
    'ticket:' || ticket_id, 'zendesk', 'ticket', identity_id, ticket_channel, 'created', null, 'ticket:' || ticket_id, created_at,
    ticket_status = 'deleted'
from tickets;
create index on events (event_id);
analyze events;

-- The rules are matched once per kind of event.
create temporary table event_kinds on commit drop as
select distinct on (kinds.source_object, kinds.event_type, kinds.event_name)
    kinds.source_object, kinds.event_type, kinds.event_name, touchpoints.*
from (
    select distinct
        source_object, coalesce(event_type, '') as event_type,
        coalesce(event_name, '') as event_name
    from events
) as kinds
inner join warehouse.touchpoint_rules as rules
    on rules.source_object = kinds.source_object
    and coalesce(rules.event_type, kinds.event_type) = kinds.event_type
    and coalesce(rules.event_name, kinds.event_name) = kinds.event_name
inner join warehouse.touchpoints using (touchpoint)
order by kinds.source_object, kinds.event_type, kinds.event_name, rules.priority;
analyze event_kinds;
