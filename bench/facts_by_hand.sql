-- What a skilled hand would write for the facts touchpoints, purchases, deliveries and
-- returns, once, over the raw tables: the yardstick of build_sql_ratio. One pass per
-- feed, typed as it is read, temporary tables with figures for the planner, and only the
-- columns that these facts need. Answers and invitations name no person that these facts
-- show, so they are not read at all.
set local time zone 'UTC';

create temporary table contact_states on commit drop as
select distinct on (contacts.record_id, build_loads.batch_date)
    contacts.record_id as contact_id,
    build_loads.batch_date,
    contacts.lifecycle_stage,
    contacts.customer_segment as segment,
    contacts.country_region as country_name,
    lower(contacts.preferred_language) as language,
    contacts.preferred_channel,
    lower(contacts.unsubscribed_from_all_email) in ('true', '1', 'yes') as is_unsubscribed,
    lower(contacts.survey_opt_out) in ('true', '1', 'yes') as is_opt_out,
    lower(trim(contacts.email)) as email,
    contacts.merged_object_ids,
    case
        when pg_input_is_valid(contacts.became_a_customer_date, 'timestamptz')
            then cast(contacts.became_a_customer_date as timestamptz)
    end as became_customer_at
from raw_hubspot.contacts as contacts
inner join raw_hubspot.contacts__snapshots as snapshots using (_row_id)
inner join audit.build_loads as build_loads
    on build_loads.load_id = snapshots._load_id and build_loads.is_current
where contacts.record_id is not null
order by
    contacts.record_id, build_loads.batch_date, snapshots._file_no desc,
    snapshots._row_number desc;
analyze contact_states;

create temporary table contacts on commit drop as
select distinct on (contact_id)
    contact_id,
    case when email like '%@%' then cx.keyed_hash('e-mail:' || email) end as email_key,
    merged_object_ids,
    batch_date < max(batch_date) over () as is_deleted,
    became_customer_at
from contact_states
order by contact_id, batch_date desc;
analyze contacts;

create temporary table merges on commit drop as
select distinct contact_id, trim(listed) as merged_contact_id
from contacts
cross join unnest(string_to_array(merged_object_ids, ';')) as listed
where trim(listed) not in ('', contact_id);
analyze merges;

create temporary table known_contacts on commit drop as
with survivors as (
    select distinct on (first_merge.merged_contact_id)
        first_merge.merged_contact_id,
        coalesce(second_merge.contact_id, first_merge.contact_id) as contact_id
    from merges as first_merge
    inner join contacts on contacts.contact_id = first_merge.contact_id
    left join merges as second_merge
        on second_merge.merged_contact_id = first_merge.contact_id
        and second_merge.contact_id <> first_merge.merged_contact_id
    order by
        first_merge.merged_contact_id, second_merge.contact_id is not null,
        contacts.is_deleted, length(first_merge.contact_id),
        first_merge.contact_id collate "C"
)
select contacts.contact_id, coalesce(survivors.contact_id, contacts.contact_id) as resolved_id
from contacts
left join survivors on survivors.merged_contact_id = contacts.contact_id
union
select merged_contact_id, contact_id from survivors;
analyze known_contacts;

create temporary table orders on commit drop as
select distinct on (record_id)
    record_id as order_id, associated_contact_id as contact_id, order_status, sales_channel,
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
    record_id as delivery_id, order_id, associated_contact_id as contact_id, delivery_method,
    carrier, delivery_status,
    case when pg_input_is_valid(promised_date, 'date') then cast(promised_date as date) end
        as promised_date,
    case when pg_input_is_valid(shipped_date, 'timestamptz')
        then cast(shipped_date as timestamptz) end as shipped_at,
    case when pg_input_is_valid(delivered_date, 'timestamptz')
        then cast(delivered_date as timestamptz) end as delivered_at
from raw_hubspot.deliveries
inner join audit.build_loads on load_id = _load_id and is_current
where record_id is not null and order_id is not null
order by record_id, batch_date desc, _file_no desc, _row_number desc;
analyze deliveries;

create temporary table returns on commit drop as
select distinct on (record_id)
    record_id as return_id, order_id, associated_contact_id as contact_id, return_reason,
    currency,
    case when pg_input_is_valid(refund_amount, 'numeric') then cast(refund_amount as numeric)
        end as refund_amount,
    cast(return_date as timestamptz) as returned_at
from raw_hubspot.returns
inner join audit.build_loads on load_id = _load_id and is_current
where record_id is not null and pg_input_is_valid(return_date, 'timestamptz')
order by record_id, batch_date desc, _file_no desc, _row_number desc;
analyze returns;

create temporary table events on commit drop as
with activities as (
    select distinct on (record_id)
        record_id, associated_contact_id, visitor_id, activity_type, event,
        case when pg_input_is_valid(activity_date, 'timestamptz')
            then cast(activity_date as timestamptz) end as occurred_at
    from raw_hubspot.activities
    inner join audit.build_loads on load_id = _load_id and is_current
    where record_id is not null and pg_input_is_valid(activity_date, 'timestamptz')
    order by record_id, batch_date desc, _file_no desc, _row_number desc
),
tickets as (
    select distinct on (record ->> 'id')
        record ->> 'id' as ticket_id, record ->> 'requester_id' as requester_id,
        record -> 'via' ->> 'channel' as ticket_channel, record ->> 'status' as status,
        case when pg_input_is_valid(record ->> 'created_at', 'timestamptz')
            then cast(record ->> 'created_at' as timestamptz) end as created_at
    from raw_zendesk.tickets
    inner join audit.build_loads on load_id = _load_id and is_current
    where record ->> 'id' is not null
    order by
        record ->> 'id', cast(record ->> 'updated_at' as timestamptz) desc nulls last,
        batch_date desc, _file_no desc, _row_number desc
),
happened as (
    select
        'hubspot:activity:' || record_id as event_id, 'hubspot' as source_system,
        'activity' as source_object,
        coalesce(
            'hubspot:contact:' || associated_contact_id, 'hubspot:visitor:' || visitor_id,
            'hubspot:activity:' || record_id
        ) as identity_id,
        activity_type as event_type, event as event_name, cast(null as text) as product,
        cast(null as text) as case_id, occurred_at, false as is_deleted
    from activities
    union all
    select
        'hubspot:order:' || order_id, 'hubspot', 'order',
        coalesce('hubspot:contact:' || contact_id, 'hubspot:order:' || order_id),
        sales_channel, order_status, product_line, null, ordered_at, false
    from orders
    union all
    select
        'hubspot:delivery:' || delivery_id, 'hubspot', 'delivery',
        coalesce('hubspot:contact:' || deliveries.contact_id, 'hubspot:delivery:' || delivery_id),
        delivery_method, delivery_status, product_line, null, delivered_at, false
    from deliveries
    left join orders using (order_id)
    union all
    select
        'hubspot:return:' || return_id, 'hubspot', 'return',
        coalesce('hubspot:contact:' || returns.contact_id, 'hubspot:return:' || return_id),
        return_reason, 'returned', product_line, null, returned_at, false
    from returns
    left join orders using (order_id)
    union all
    select
        'zendesk:ticket:' || ticket_id, 'zendesk', 'ticket',
        coalesce('zendesk:user:' || requester_id, 'zendesk:ticket:' || ticket_id),
        ticket_channel, 'created', null, 'zendesk:ticket:' || ticket_id, created_at,
        status = 'deleted'
    from tickets
    where created_at is not null
),
kinds as (
    select distinct on (source_object, kind_type, kind_name)
        kinds.source_object, kind_type, kind_name, rules.touchpoint
    from (
        select distinct
            source_object, coalesce(event_type, '') as kind_type,
            coalesce(event_name, '') as kind_name
        from happened
    ) as kinds
    inner join warehouse.touchpoint_rules as rules
        on rules.source_object = kinds.source_object
        and coalesce(rules.event_type, kind_type) = kind_type
        and coalesce(rules.event_name, kind_name) = kind_name
    order by source_object, kind_type, kind_name, priority
)
select
    event_id, source_system, happened.source_object, identity_id,
    coalesce(touchpoint, '(unmapped)') as touchpoint, product, case_id, is_deleted,
    occurred_at, cast(occurred_at at time zone 'America/Sao_Paulo' as date) as occurred_date
from happened
left join kinds
    on kinds.source_object = happened.source_object
    and kind_type = coalesce(event_type, '') and kind_name = coalesce(event_name, '');
analyze events;

create temporary table identities on commit drop as
with users as (
    select distinct on (record ->> 'id')
        record ->> 'id' as user_id, record ->> 'external_id' as reference,
        lower(trim(record ->> 'email')) as email
    from raw_zendesk.users
    inner join audit.build_loads on load_id = _load_id and is_current
    where record ->> 'id' is not null
    order by
        record ->> 'id', cast(record ->> 'updated_at' as timestamptz) desc nulls last,
        batch_date desc, _file_no desc, _row_number desc
),
addresses as (
    select distinct on (email_key) email_key, contact_id
    from contacts
    where email_key is not null
    order by email_key, length(contact_id), contact_id collate "C"
),
people as (
    select distinct
        identity_id,
        case when starts_with(identity_id, 'hubspot:contact:') then substring(identity_id from 17)
            else reference end as reference,
        case when email like '%@%' then cx.keyed_hash('e-mail:' || email) end as email_key
    from (select distinct identity_id from events) as named
    left join users on identity_id = 'zendesk:user:' || user_id
),
resolved as (
    select
        identity_id,
        by_reference.resolved_id as by_reference,
        by_address.resolved_id as by_address
    from people
    left join known_contacts as by_reference on by_reference.contact_id = reference
    left join addresses using (email_key)
    left join known_contacts as by_address on by_address.contact_id = addresses.contact_id
)
select
    identity_id,
    coalesce(by_reference, by_address) as contact_id,
    case
        when by_reference is not null then 'reference'
        when by_address is not null then 'e-mail'
        else 'unmatched'
    end as identity_method,
    cx.keyed_hash(
        coalesce('hubspot:contact:' || coalesce(by_reference, by_address), identity_id)
    ) as customer_key
from resolved;
analyze identities;

create temporary table customers on commit drop as
with compared as (
    select
        *,
        lag(batch_date) over states is null as is_first,
        (
            lifecycle_stage, segment, country_name, language, preferred_channel,
            is_unsubscribed, is_opt_out
        ) is distinct from (
            lag(lifecycle_stage) over states, lag(segment) over states,
            lag(country_name) over states, lag(language) over states,
            lag(preferred_channel) over states, lag(is_unsubscribed) over states,
            lag(is_opt_out) over states
        ) as is_changed
    from contact_states
    window states as (partition by contact_id order by batch_date)
),
versions as (
    select
        contact_id, segment, country_name,
        case when is_first then date '1900-01-01' else batch_date end as valid_from,
        coalesce(
            lead(batch_date) over (partition by contact_id order by batch_date),
            date '9999-12-31'
        ) as valid_to
    from compared
    where is_first or is_changed
)
select
    customer_key, versions.contact_id, segment, country,
    coalesce(valid_from, date '1900-01-01') as valid_from,
    coalesce(valid_to, date '9999-12-31') as valid_to,
    cx.keyed_hash(customer_key || ':' || coalesce(valid_from, date '1900-01-01'))
        as customer_version_key
from (select distinct customer_key, contact_id from identities) as known
left join versions using (contact_id)
left join warehouse.countries using (country_name);
analyze customers;

create table by_hand.fct_touchpoints as
select
    event_id, customer_key, customer_version_key, source_system, source_object, touchpoint,
    journey_stage, channel, environment, owner_area, segment, country, identity_method,
    product, case_id, coalesce(advances_stage, false) as advances_stage,
    source_object = 'order' as is_purchase, occurred_date, occurred_at
from events
inner join identities using (identity_id)
inner join customers using (customer_key)
left join warehouse.touchpoints using (touchpoint)
where occurred_at is not null and not coalesce(is_deleted, true)
    and occurred_date >= valid_from and occurred_date < valid_to;
create index on by_hand.fct_touchpoints (event_id);
create index on by_hand.fct_touchpoints (customer_key);

create table by_hand.fct_purchases as
with first_purchases as (
    select order_id
    from (
        select distinct on (customer_key)
            order_id, ordered_at, identities.contact_id
        from events
        inner join identities using (identity_id)
        inner join orders on orders.order_id = substring(event_id from 15)
        where source_object = 'order' and order_status is distinct from 'cancelled'
        order by customer_key, ordered_at, length(order_id), order_id collate "C"
    ) as firsts
    left join contacts on contacts.contact_id = firsts.contact_id
    where coalesce(
        cast(became_customer_at at time zone 'America/Sao_Paulo' as date)
        >= cast(ordered_at at time zone 'America/Sao_Paulo' as date), true
    )
)
select
    orders.order_id, customer_key, customer_version_key, product_line as product,
    sales_channel, store, order_status, currency, segment, country, identity_method,
    total_amount, net_amount, coalesce(order_status = 'cancelled', false) as is_cancelled,
    first_purchases.order_id is not null as is_first_purchase,
    occurred_date as ordered_date, ordered_at
from orders
inner join events on event_id = 'hubspot:order:' || orders.order_id
inner join identities using (identity_id)
inner join customers using (customer_key)
left join first_purchases on first_purchases.order_id = orders.order_id
where occurred_date >= valid_from and occurred_date < valid_to;
create index on by_hand.fct_purchases (order_id);
create index on by_hand.fct_purchases (customer_key);

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
inner join events on event_id = 'hubspot:delivery:' || delivery_id
inner join identities using (identity_id)
inner join customers using (customer_key)
where coalesce(delivered_date, shipped_date, ordered_date, promised_date, date '1900-01-01')
        >= valid_from
    and coalesce(delivered_date, shipped_date, ordered_date, promised_date, date '1900-01-01')
        < valid_to;
create index on by_hand.fct_deliveries (delivery_id);
create index on by_hand.fct_deliveries (customer_key);

create table by_hand.fct_returns as
select
    return_id, returns.order_id, customer_key, customer_version_key,
    orders.product_line as product, return_reason, returns.currency, segment, country,
    identity_method, refund_amount,
    occurred_date - cast(ordered_at at time zone 'America/Sao_Paulo' as date)
        as days_since_order,
    occurred_date as returned_date, returned_at
from returns
inner join events on event_id = 'hubspot:return:' || return_id
inner join identities using (identity_id)
inner join customers using (customer_key)
left join orders on orders.order_id = returns.order_id
where occurred_date >= valid_from and occurred_date < valid_to;
create index on by_hand.fct_returns (return_id);
create index on by_hand.fct_returns (customer_key);
