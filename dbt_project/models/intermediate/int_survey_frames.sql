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
    -- what makes eligible on its day
    select key from {{ dirty('fct_purchases.customer_day') }} as purchases
    union
    select key from {{ dirty('fct_deliveries.customer_day') }} as deliveries
    union
    select key from {{ dirty('fct_tickets.customer_day') }} as tickets
    union
    -- and whom it makes eligible, in which cell
    select event_days.customer_key || ':' || event_days.event_date
    from (
        select customer_key, ordered_date as event_date from {{ ref('fct_purchases') }}
        union all
        select customer_key, delivered_date as event_date from {{ ref('fct_deliveries') }}
        union all
        select customer_key, created_date as event_date from {{ ref('fct_tickets') }}
    ) as event_days
    where event_days.customer_key in (
        select cast(key as uuid) from {{ dirty('dim_customers.customer_key') }} as customers
    )
{% endraw %}{% endset %}

-- A reader of frames needs to know the day, the kind and the part of the customers of what
-- changed, not the customer.
{{ config(
    unique_key=['rebuilt_with', 'eligible_for', 'segment', 'country', 'frame_date'],
    meta={
        'rebuild_when': rebuild_when,
        'marks': [
            {'frame_part': "eligible_for || ':' || frame_date || ':' || customer_part"},
        ],
    },
    indexes=[
        {'columns': ['rebuilt_with']},
        {'columns': ['eligible_for', 'frame_date', 'customer_part']},
    ],
) }}

with

{% if is_incremental() -%}
rebuilt_customers as (
    select cast(key as uuid) as customer_key
    from {{ dirty('int_survey_frames') }} as rebuilt
    where key not like '%:%'
),

rebuilt_days as (
    select
        cast(split_part(key, ':', 1) as uuid) as customer_key,
        cast(split_part(key, ':', 2) as date) as frame_date
    from {{ dirty('int_survey_frames') }} as rebuilt
    where key like '%:%'
),

{% endif -%}
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
    {%- if is_incremental() %}
    where identities.customer_key in (select customer_key from rebuilt_customers)
    {%- endif %}
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
        {%- if is_incremental() %}
        and versions.customer_key in (
            select customer_key from rebuilt_customers
            union
            select customer_key from rebuilt_days
        )
        {%- endif %}
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
    {%- if is_incremental() %}
    where (customer_key, ordered_date) in (select customer_key, frame_date from rebuilt_days)
    {%- endif %}
    union
    select 'delivery' as eligible_for, customer_key, delivered_date as frame_date
    from {{ ref('fct_deliveries') }}
    where delivered_date is not null
        {%- if is_incremental() %}
        and (customer_key, delivered_date) in (
            select customer_key, frame_date from rebuilt_days
        )
        {%- endif %}
    union
    select 'ticket' as eligible_for, customer_key, created_date as frame_date
    from {{ ref('fct_tickets') }}
    where not is_deleted
        {%- if is_incremental() %}
        and (customer_key, created_date) in (
            select customer_key, frame_date from rebuilt_days
        )
        {%- endif %}
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
    select cast(customer_key as text) as rebuilt_with, * from customer_moves
    union all
    select customer_key || ':' || frame_date as rebuilt_with, * from event_days
),

frames_in_parts as (
    select
        *,
        get_byte(uuid_send(customer_key), 0) / 4 as customer_part
    from frames
)

select * from frames_in_parts
