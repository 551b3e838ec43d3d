{% set rebuild_when %}{% raw %}
    select key from {{ dirty('dim_customers.customer_key') }} as customers
    union
    -- when somebody became a customer is known of contacts, not of their versions
    select cast(identities.customer_key as text)
    from {{ ref('int_identities') }} as identities
    where identities.contact_id in (
        select key from {{ dirty('int_contacts.contact_id') }} as contacts
    )
    union
    select key from {{ dirty('fct_purchases.customer_key') }} as buyers
    union
    select key from {{ dirty('fct_deliveries.customer_key') }} as receivers
    union
    select key from {{ dirty('fct_tickets.customer_key') }} as askers
{% endraw %}{% endset %}

-- A reader of frames needs to know the day and the kind of what changed, not the customer.
{{ config(
    unique_key='frame_key',
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'marks': [{'frame_day': "eligible_for || ':' || frame_date"}],
    },
    indexes=[
        {'columns': ['frame_key']},
        {'columns': ['customer_key']},
        {'columns': ['eligible_for', 'frame_date']},
    ],
) }}

with

-- The first state that a snapshot shows holds back to 1900; nobody was a customer before
-- he became one, though, and a contact of last night is none of last year's.
customers_since as (
    select
        identities.customer_key,
        min(coalesce(
            {{ reporting_date('contacts.became_customer_at') }},
            {{ reporting_date('contacts.created_at') }},
            cast('1900-01-01' as date)
        )) as since_date
    from {{ ref('int_identities') }} as identities
    inner join {{ ref('int_contacts') }} as contacts
        on contacts.contact_id = identities.contact_id
    where {{ to_rebuild('identities.customer_key', 'uuid') }}
    group by identities.customer_key
),

versions as (
    select
        versions.customer_key,
        coalesce(versions.segment, '(unknown)') as segment,
        coalesce(versions.country, '(unknown)') as country,
        versions.lifecycle = 'customer'
            and customers_since.since_date < versions.valid_to as is_customer,
        versions.valid_from,
        versions.valid_to,
        greatest(versions.valid_from, customers_since.since_date) as customer_from
    from {{ ref('dim_customers') }} as versions
    left join customers_since
        on customers_since.customer_key = versions.customer_key
    where versions.may_be_surveyed
        and {{ to_rebuild('versions.customer_key', 'uuid') }}
),

customer_spans as (
    select *
    from versions
    where is_customer
),

-- Entering and leaving a cell; a version that changes nothing here cancels out.
customer_moves as (
    select
        'customer' as eligible_for,
        moves.customer_key,
        moves.segment,
        moves.country,
        cast(sum(moves.change) as integer) as change,
        moves.frame_date
    from (
        select customer_key, segment, country, 1 as change, customer_from as frame_date
        from customer_spans
        union all
        select customer_key, segment, country, -1 as change, valid_to as frame_date
        from customer_spans
        where valid_to < cast('9999-12-31' as date)
    ) as moves
    group by moves.customer_key, moves.segment, moves.country, moves.frame_date
    having sum(moves.change) <> 0
),

events as (
    select 'purchase' as eligible_for, customer_key, ordered_date as frame_date
    from {{ ref('fct_purchases') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
    union
    select 'delivery' as eligible_for, customer_key, delivered_date as frame_date
    from {{ ref('fct_deliveries') }}
    where delivered_date is not null
        and {{ to_rebuild('customer_key', 'uuid') }}
    union
    select 'ticket' as eligible_for, customer_key, created_date as frame_date
    from {{ ref('fct_tickets') }}
    where not is_deleted
        and {{ to_rebuild('customer_key', 'uuid') }}
),

event_days as (
    select
        events.eligible_for,
        events.customer_key,
        versions.segment,
        versions.country,
        1 as change,
        events.frame_date
    from events
    inner join versions
        on versions.customer_key = events.customer_key
        and events.frame_date >= versions.valid_from
        and events.frame_date < versions.valid_to
),

frames as (
    select * from customer_moves
    union all
    select * from event_days
),

frames_keyed as (
    select
        concat_ws('|', eligible_for, customer_key, frame_date, segment, country) as frame_key,
        eligible_for,
        customer_key,
        segment,
        country,
        change,
        frame_date
    from frames
)

select * from frames_keyed
