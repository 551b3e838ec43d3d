{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_purchases.customer_key') }} as buyers
    union
    -- who has a contract, or had one, and may have another
    select cast(records.customer_key as text)
    from {{ ref('customer_records') }} as records
    inner join {{ ref('churn_kinds') }} as kinds
        on kinds.source_system = split_part(records.source_system, '@', 1)
        and kinds.churn_kind = 'contractual'
    where records.customer_key = any(array(
            select cast(key as uuid) from {{ dirty('dim_customers.customer_key') }} as customers
            union
            select cast(key as uuid) from {{ dirty('customer_records.customer_key') }} as owners
        ))
    union
    select cast(lifespans.customer_key as text)
    from {{ this }} as lifespans
    where lifespans.churn_kind = 'contractual'
        and lifespans.customer_key = any(array(
            select cast(key as uuid) from {{ dirty('dim_customers.customer_key') }} as customers_then
            union
            select cast(key as uuid) from {{ dirty('customer_records.customer_key') }} as owners_then
        ))
{% endraw %}{% endset %}

{{ config(
    unique_key=['customer_key', 'lifespan_number'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'marks': ['entered_month', 'lost_month'],
    },
    indexes=[
        {'columns': ['customer_key']},
        {'columns': ['entered_month']},
        {'columns': ['lost_month']},
    ],
) }}

with

contract_sources as (
    select source_system
    from {{ ref('churn_kinds') }}
    where churn_kind = 'contractual'
),

customers_with_contract as (
    select distinct records.customer_key
    from {{ ref('customer_records') }} as records
    inner join contract_sources
        on contract_sources.source_system = split_part(records.source_system, '@', 1)
    where {{ to_rebuild('records.customer_key', 'uuid') }}
),

purchases as (
    select
        customer_key,
        order_id,
        segment,
        country,
        is_first_purchase,
        ordered_at,
        lag(ordered_at) over (partition by customer_key order by ordered_at) as previous_at
    from {{ ref('fct_purchases') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
        and not is_cancelled
        and customer_key not in (
            select contracts.customer_key from customers_with_contract as contracts
        )
),

-- Active at t: a purchase in (t - 180 days, t].
purchases_spelled as (
    select
        *,
        count(*) filter (
            where previous_at is null or ordered_at > previous_at + {{ active_after_purchase() }}
        ) over (partition by customer_key order by ordered_at) as spell
    from purchases
),

spells as (
    select
        customer_key,
        'non_contractual' as churn_kind,
        -- What the first purchase of a spell says, in one order.
        (array_agg(segment order by ordered_at, length(order_id), order_id collate "C"))[1] as segment,
        (array_agg(country order by ordered_at, length(order_id), order_id collate "C"))[1] as country,
        bool_or(is_first_purchase) as has_first_purchase,
        min(ordered_at) as active_from,
        max(ordered_at) + {{ active_after_purchase() }} as active_until
    from purchases_spelled
    group by customer_key, spell

    union all

    select
        versions.customer_key,
        'contractual',
        versions.segment,
        versions.country,
        versions.valid_from > cast('1900-01-01' as date),
        {{ start_of_reporting_date('versions.valid_from') }},
        case
            when versions.valid_to < cast('9999-01-01' as date)
                then {{ start_of_reporting_date('versions.valid_to') }}
        end
    from {{ ref('dim_customers') }} as versions
    inner join customers_with_contract
        on customers_with_contract.customer_key = versions.customer_key
    where versions.lifecycle = 'customer'
),

-- Months are compared at their two ends: who was active at no boundary counts in none.
spells_at_boundaries as (
    select
        *,
        {{ next_month_boundary('active_from') }} as entered_boundary,
        coalesce({{ next_month_boundary('active_until') }}, cast('9999-12-01' as date))
            as lost_boundary
    from spells
),

spells_compared as (
    select
        *,
        max(lost_boundary) over (
            partition by customer_key
            order by entered_boundary, lost_boundary, active_from
            rows between unbounded preceding and 1 preceding
        ) as previous_boundary
    from spells_at_boundaries
    where entered_boundary < lost_boundary
),

spells_numbered as (
    select
        *,
        count(*) filter (where previous_boundary is null or entered_boundary > previous_boundary)
            over (
                partition by customer_key
                order by entered_boundary, lost_boundary, active_from
            ) as lifespan_number
    from spells_compared
),

lifespans as (
    select
        customer_key,
        cast(lifespan_number as integer) as lifespan_number,
        min(churn_kind) as churn_kind,
        (array_agg(segment order by entered_boundary, lost_boundary, active_from))[1] as segment,
        (array_agg(country order by entered_boundary, lost_boundary, active_from))[1] as country,
        case
            when lifespan_number > 1 then 'reactivated'
            when bool_or(has_first_purchase) then 'new'
            else 'first_seen'
        end as entry_kind,
        cast(min(entered_boundary) - interval '1 month' as date) as entered_month,
        cast(max(lost_boundary) - interval '1 month' as date) as lost_month
    from spells_numbered
    group by customer_key, lifespan_number
)

select * from lifespans
