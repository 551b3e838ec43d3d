{% set rebuild_when %}{% raw %}
    select 'activity:' || key from {{ dirty('int_activities.activity_id') }} as activities
    union
    select 'order:' || key from {{ dirty('int_orders.order_id') }} as orders
    union
    select 'delivery:' || key from {{ dirty('int_deliveries.delivery_id') }} as deliveries
    union
    select 'delivery:' || deliveries.delivery_id
    from {{ ref('int_deliveries') }} as deliveries
    where deliveries.order_id in (
        select key from {{ dirty('int_orders.order_id') }} as orders_delivered
    )
    union
    select 'return:' || key from {{ dirty('int_returns.return_id') }} as returns
    union
    select 'return:' || returns_of_orders.return_id
    from {{ ref('int_returns') }} as returns_of_orders
    where returns_of_orders.order_id in (
        select key from {{ dirty('int_orders.order_id') }} as orders_returned
    )
    union
    select 'ticket:' || key from {{ dirty('int_tickets.ticket_id') }} as tickets
{% endraw %}{% endset %}

{{ config(
    unique_key='event_id',
    meta={
        'rebuild_when': rebuild_when,
        'marks': [
            'identity_id',
            {'winner': "case when touchpoint = 'deal_won' then identity_id end"},
        ],
    },
    indexes=[{'columns': ['event_id']}, {'columns': ['identity_id', 'source_object', 'is_deleted']}],
) }}

with

-- Written out, it would be read whole, for the products of a few deliveries.
orders as not materialized (
    select * from {{ ref('int_orders') }}
),

deliveries as (
    select * from {{ ref('int_deliveries') }}
),

returns as (
    select * from {{ ref('int_returns') }}
),

activity_events as (
    select
        'activity:' || activity_id as event_id,
        {{ source_of_number('activity_id', 'activities') | indent(8) }} as source_system,
        'activity' as source_object,
        coalesce(
            'contact:' || contact_id,
            'visitor:' || visitor_id,
            'company:' || company_id,
            'activity:' || activity_id
        ) as identity_id,
        activity_type as event_type,
        event as event_name,
        direction,
        cast(null as text) as product,
        cast(null as text) as case_id,
        occurred_at,
        is_deleted
    from {{ ref('int_activities') }}
    where {{ to_rebuild('activity_id', prefix='activity:') }}
),

order_events as (
    select
        'order:' || order_id as event_id,
        {{ source_of_number('order_id', 'orders') | indent(8) }} as source_system,
        'order' as source_object,
        coalesce('contact:' || contact_id, 'order:' || order_id) as identity_id,
        sales_channel as event_type,
        order_status as event_name,
        cast(null as text) as direction,
        product_line as product,
        cast(null as text) as case_id,
        ordered_at as occurred_at,
        false as is_deleted
    from orders
    where {{ to_rebuild('order_id', prefix='order:') }}
),

-- A delivery is a touch once it has arrived; until then it has no time.
delivery_events as (
    select
        'delivery:' || deliveries.delivery_id as event_id,
        {{ source_of_number('deliveries.delivery_id', 'deliveries') | indent(8) }} as source_system,
        'delivery' as source_object,
        coalesce(
            'contact:' || deliveries.contact_id,
            'delivery:' || deliveries.delivery_id
        ) as identity_id,
        deliveries.delivery_method as event_type,
        deliveries.delivery_status as event_name,
        cast(null as text) as direction,
        orders.product_line as product,
        cast(null as text) as case_id,
        deliveries.delivered_at as occurred_at,
        false as is_deleted
    from deliveries
    left join orders
        on orders.order_id = deliveries.order_id
    where {{ to_rebuild('delivery_id', prefix='delivery:') }}
),

return_events as (
    select
        'return:' || returns.return_id as event_id,
        {{ source_of_number('returns.return_id', 'returns') | indent(8) }} as source_system,
        'return' as source_object,
        coalesce(
            'contact:' || returns.contact_id, 'return:' || returns.return_id
        ) as identity_id,
        returns.return_reason as event_type,
        'returned' as event_name,
        cast(null as text) as direction,
        orders.product_line as product,
        cast(null as text) as case_id,
        returns.returned_at as occurred_at,
        false as is_deleted
    from returns
    left join orders
        on orders.order_id = returns.order_id
    where {{ to_rebuild('return_id', prefix='return:') }}
),

ticket_events as (
    select
        'ticket:' || ticket_id as event_id,
        {{ source_of_number('ticket_id', 'tickets') | indent(8) }} as source_system,
        'ticket' as source_object,
        identity_id,
        ticket_channel as event_type,
        'created' as event_name,
        cast(null as text) as direction,
        cast(null as text) as product,
        'ticket:' || ticket_id as case_id,
        created_at as occurred_at,
        ticket_status = 'deleted' as is_deleted
    from {{ ref('int_tickets') }}
    where {{ to_rebuild('ticket_id', prefix='ticket:') }}
),

events as (
    select * from activity_events
    union all
    select * from order_events
    union all
    select * from delivery_events
    union all
    select * from return_events
    union all
    select * from ticket_events
),

-- The rules are matched once per kind of event, not once per event.
event_kinds as (
    select distinct
        source_object,
        coalesce(event_type, '') as event_type,
        coalesce(event_name, '') as event_name
    from events
),

rules_ranked as (
    select
        event_kinds.source_object,
        event_kinds.event_type,
        event_kinds.event_name,
        touchpoint_rules.touchpoint,
        touchpoint_rules.outreach,
        row_number() over (
            partition by
                event_kinds.source_object, event_kinds.event_type, event_kinds.event_name
            order by touchpoint_rules.priority
        ) as rule_rank
    from event_kinds
    inner join {{ ref('touchpoint_rules') }} as touchpoint_rules
        on touchpoint_rules.source_object = event_kinds.source_object
        and coalesce(touchpoint_rules.event_type = event_kinds.event_type, touchpoint_rules.event_type is null)
        and coalesce(touchpoint_rules.event_name = event_kinds.event_name, touchpoint_rules.event_name is null)
),

events_mapped as (
    select
        events.event_id,
        events.source_system,
        events.source_object,
        events.identity_id,
        coalesce(rules_ranked.touchpoint, '(unmapped)') as touchpoint,
        events.product,
        events.case_id,
        coalesce(
            rules_ranked.outreach = 'always'
            or rules_ranked.outreach = 'outbound' and events.direction = 'OUTBOUND',
            false
        ) as is_outreach,
        events.is_deleted,
        events.occurred_at
    from events
    left join rules_ranked
        on rules_ranked.source_object = events.source_object
        and rules_ranked.event_type = coalesce(events.event_type, '')
        and rules_ranked.event_name = coalesce(events.event_name, '')
        and rules_ranked.rule_rank = 1
)

select * from events_mapped
