{% set rebuild_when %}{% raw %}
    select periods.period_key
    from ({{ days_of_periods() }}) as periods
    where periods.period_grain <> 'quarter'
        and periods.date_day in (
            select cast(key as date) from {{ dirty('fct_tickets.contact_day') }} as days
            union
            select cast(key as date) from {{ dirty('fct_purchases.ordered_date') }} as days
        )
    union
    select contact_rates.period_key
    from {{ this }} as contact_rates
    where {{ completeness_may_have_changed(
        'contact_rates.period_start', 'contact_rates.period_end'
    ) }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['period_key', 'breakdown', 'breakdown_value'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
    pre_hook=hash_all_groups(),
) }}

with

days_of_periods as (
    {{ days_of_periods() }}
),

days as (
    select
        *,
        {{ period_end('days_of_periods') }} as period_end
    from days_of_periods
    where period_grain <> 'quarter'
        and {{ to_rebuild('period_key') }}
),

-- A period's days in one array, here and below: few, and found by index.
contacts_by_day as (
    select
        created_date,
        cause_stage,
        cause_touchpoint,
        cause_area,
        customer_key
    from {{ ref('fct_tickets') }}
    where not is_deleted
        and created_date = any(array(select days_wanted.date_day from days as days_wanted))
),

contacts as (
    select
        days.period_key,
        contacts_by_day.*
    from contacts_by_day
    inner join days
        on days.date_day = contacts_by_day.created_date
),

contacts_cut as (
    select
        contacts.period_key,
        cuts.breakdown,
        cuts.breakdown_value,
        contacts.customer_key
    from contacts
    cross join lateral (
        values
            ('total', 'all'),
            ('cause_stage', contacts.cause_stage),
            ('cause_touchpoint', contacts.cause_touchpoint),
            ('cause_area', contacts.cause_area)
    ) as cuts (breakdown, breakdown_value)
),

-- Customer by customer first: count(distinct) would sort all contacts of a period.
contacts_of_customers as (
    select period_key, breakdown, breakdown_value, customer_key, count(*) as contacts
    from contacts_cut
    group by period_key, breakdown, breakdown_value, customer_key
),

contacts_counted as (
    select
        period_key,
        breakdown,
        breakdown_value,
        cast(sum(contacts) as bigint) as contacts,
        count(*) as contacting_customers
    from contacts_of_customers
    group by period_key, breakdown, breakdown_value
),

orders_by_day as (
    select ordered_date, count(*) as orders
    from {{ ref('fct_purchases') }}
    where ordered_date = any(array(select days_wanted.date_day from days as days_wanted))
    group by ordered_date
),

orders_counted as (
    select
        days.period_key,
        cast(sum(orders_by_day.orders) as bigint) as orders
    from orders_by_day
    inner join days
        on days.date_day = orders_by_day.ordered_date
    group by days.period_key
),

-- A period with orders and without contacts has a rate: zero.
periods_counted as (
    select period_key, breakdown, breakdown_value, contacts, contacting_customers
    from contacts_counted

    union all

    select orders_counted.period_key, 'total', 'all', 0, 0
    from orders_counted
    left join contacts_counted
        on contacts_counted.period_key = orders_counted.period_key
        and contacts_counted.breakdown = 'total'
    where contacts_counted.period_key is null
),

periods as (
    select distinct period_key, period_grain, period_start, period_end
    from days
),

contact_rates as (
    select
        periods.period_key,
        periods.period_grain,
        case periods.period_grain
            when 'week' then to_char(periods.period_start, 'IYYY-"W"IW')
            else to_char(periods.period_start, 'YYYY-MM')
        end as period_label,
        periods.period_start,
        periods.period_end,
        counts.breakdown,
        counts.breakdown_value,
        counts.contacts,
        counts.contacting_customers,
        coalesce(orders_counted.orders, 0) as orders,
        {{ cx('share_percent') }}(counts.contacts, orders_counted.orders) as contacts_per_100_orders,
        {{ is_complete_period() }} as is_complete_period
    from periods_counted as counts
    inner join periods
        on periods.period_key = counts.period_key
    left join orders_counted
        on orders_counted.period_key = counts.period_key
)

select * from contact_rates
