{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_loyalty_days.metric_month') }} as months_of_days
    union
    -- Who comes in a month is active in all that follow; and each month that begins is a row.
    select metrics.metric || ':' || dates.date_day
    from {{ ref('dim_dates') }} as dates
    cross join (
        values ('churn'), ('reactivation'), ('new_customers')
    ) as metrics (metric)
    cross join (
        select least(
            (
                select min(greatest(cast(key as date), cast('1999-01-01' as date)))
                from {{ dirty('int_customer_flows.flow_month') }} as months
            ),
            (
                select date_trunc('month', cast(min(low_date) as timestamp))
                from {{ source('audit', 'as_of') }}
                where low_date is distinct from high_date
            )
        ) as first_month
    ) as changed
    where dates.date_day = dates.month_start
        and dates.date_day >= changed.first_month
        and dates.date_day <= {{ as_of_date() }}
    union
    -- As-of is a row of its own: with each night, answers come and others are too old. It is the
    -- sum of a few narrow columns over the customers of now.
    select 'unhappy_customers:now'
    where exists (
        select from {{ dirty('mart_customer_health.customer_key') }} as customers
    )
        or exists (
            select from {{ source('audit', 'as_of') }}
            where low_date is distinct from high_date
                or first_low_date is distinct from first_high_date
        )
    union
    select loyalty.metric_month
    from {{ this }} as loyalty
    where {{ as_of_may_have_moved_before('loyalty.matures_on') }}
        or exists (
            select from {{ source('audit', 'as_of') }}
            where first_low_date is distinct from first_high_date
        )
{% endraw %}{% endset %}

{{ config(
    unique_key=['metric_month', 'breakdown', 'breakdown_value'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'metric_month'},
    indexes=[{'columns': ['metric_month']}],
) }}

with

as_of as (
    select
        {{ as_of_date() }} as as_of_date,
        {{ first_date() }} as first_date
),

flow_months as (
    select least(
        min(flow_month) filter (where flow_month > cast('1900-01-01' as date)),
        date_trunc('month', cast(min(as_of.first_date) as timestamp))
    ) as first_month
    from {{ ref('int_customer_flows') }}
    cross join as_of
),

-- A month in which nobody comes or goes has active customers all the same.
cuts_by_month as (
    select
        dates.date_day as month_start,
        cuts.breakdown,
        cuts.breakdown_value
    from (
        select distinct breakdown, breakdown_value from {{ ref('int_customer_flows') }}
    ) as cuts
    cross join as_of
    cross join flow_months
    inner join {{ ref('dim_dates') }} as dates
        on dates.date_day = dates.month_start
        and dates.date_day >= flow_months.first_month
        and dates.date_day <= as_of.as_of_date
),

-- A few rows for each month and cut: those of all months are added up.
flows as (
    select
        flow_month,
        breakdown,
        breakdown_value,
        new_customers,
        reactivated_customers,
        first_seen_customers,
        lost_customers
    from {{ ref('int_customer_flows') }}

    union all

    select month_start, breakdown, breakdown_value, 0, 0, 0, 0
    from cuts_by_month
),

flows_by_month as (
    select
        flow_month,
        breakdown,
        breakdown_value,
        sum(new_customers) as new_customers,
        sum(reactivated_customers) as reactivated_customers,
        sum(lost_customers) as lost_customers,
        sum(sum(
            new_customers + reactivated_customers + first_seen_customers - lost_customers
        )) over (
            partition by breakdown, breakdown_value order by flow_month
        ) as active_at_end,
        sum(new_customers + reactivated_customers + first_seen_customers - lost_customers)
            as came_less_lost
    from flows
    group by flow_month, breakdown, breakdown_value
),

customers_measured as (
    select
        metrics.metric,
        flows_by_month.flow_month as period_start,
        flows_by_month.breakdown,
        flows_by_month.breakdown_value,
        metrics.base_count,
        metrics.event_count
    from flows_by_month
    inner join cuts_by_month
        on cuts_by_month.month_start = flows_by_month.flow_month
        and cuts_by_month.breakdown = flows_by_month.breakdown
        and cuts_by_month.breakdown_value = flows_by_month.breakdown_value
    cross join lateral (
        values
            (
                'churn',
                flows_by_month.active_at_end - flows_by_month.came_less_lost,
                flows_by_month.lost_customers
            ),
            ('reactivation', flows_by_month.active_at_end, flows_by_month.reactivated_customers),
            ('new_customers', flows_by_month.active_at_end, flows_by_month.new_customers)
    ) as metrics (metric, base_count, event_count)
    where {{ to_rebuild("(metrics.metric || ':' || flows_by_month.flow_month)") }}
        and metrics.base_count > 0
),

measured as (
    select
        metric,
        period_start,
        breakdown,
        breakdown_value,
        cast(base_count as bigint) as base_count,
        cast(event_count as bigint) as event_count,
        cast(null as numeric) as base_value,
        cast(null as numeric) as event_value,
        cast(null as bigint) as currency_unconverted_orders
    from customers_measured

    union all

    select
        'unhappy_customers',
        as_of.as_of_date,
        cuts.breakdown,
        cuts.breakdown_value,
        count(*),
        count(*) filter (where health.is_unhappy),
        sum(health.value_365_days),
        coalesce(sum(health.value_365_days) filter (where health.is_unhappy), 0),
        cast(sum(health.currency_unconverted_orders) as bigint)
    from {{ ref('mart_customer_health') }} as health
    cross join as_of
    cross join lateral (
        values
            ('total', 'all'),
            ('segment', coalesce(health.segment, '(unknown)')),
            ('country', coalesce(health.country, '(unknown)'))
    ) as cuts (breakdown, breakdown_value)
    where {{ to_rebuild("'unhappy_customers:now'") }}
        and health.has_answered_lately
        and as_of.as_of_date is not null
    group by as_of.as_of_date, cuts.breakdown, cuts.breakdown_value

    union all

    select
        split_part(metric_month, ':', 1),
        cast(split_part(metric_month, ':', 2) as date),
        breakdown,
        breakdown_value,
        cast(sum(base_count) as bigint),
        cast(sum(event_count) as bigint),
        sum(base_value),
        sum(event_value),
        case
            when starts_with(metric_month, 'order_return:')
                then cast(sum(currency_unconverted_orders) as bigint)
        end
    from {{ ref('int_loyalty_days') }}
    where {{ to_rebuild('metric_month') }}
    group by metric_month, breakdown, breakdown_value
),

metrics (metric, counted_unit, days_to_mature, days_looked_back) as (
    values
        ('churn', 'customers', 0, 180),
        ('reactivation', 'customers', 0, 180),
        ('new_customers', 'customers', 0, 180),
        ('repeat_purchase', 'customers', {{ repeat_days() }}, 0),
        ('order_return', 'orders', {{ return_days() }}, 0),
        ('unhappy_customers', 'customers', 0, 364),
        ('churn_after_bad_contact', 'contacts', {{ contact_outcome_days() }}, 180),
        ('churn_after_good_contact', 'contacts', {{ contact_outcome_days() }}, 180),
        ('repurchase_after_bad_contact', 'contacts', {{ contact_outcome_days() }}, 180),
        ('repurchase_after_good_contact', 'contacts', {{ contact_outcome_days() }}, 180),
        ('answer_to_personal_touch', 'touches', {{ touch_outcome_days() }}, 0),
        ('answer_to_mass_touch', 'touches', {{ touch_outcome_days() }}, 0),
        ('purchase_after_personal_touch', 'touches', {{ touch_outcome_days() }}, 0),
        ('purchase_after_mass_touch', 'touches', {{ touch_outcome_days() }}, 0),
        ('promoter_after_personal_touch', 'touches', {{ touch_outcome_days() }}, 0),
        ('promoter_after_mass_touch', 'touches', {{ touch_outcome_days() }}, 0)
),

periods as (
    select
        measured.*,
        metrics.counted_unit,
        measured.metric = 'unhappy_customers' as is_now,
        measured.period_start - metrics.days_looked_back as looked_back_to,
        metrics.days_to_mature,
        -- What is counted now is of the day it is counted on.
        case
            when measured.metric = 'unhappy_customers' then measured.period_start
            else cast(measured.period_start + interval '1 month' as date) - 1
        end as period_end
    from measured
    inner join metrics
        on metrics.metric = measured.metric
),

periods_maturing as (
    select
        *,
        period_end + days_to_mature as matures_on
    from periods
),

loyalty_value as (
    select
        periods.metric || ':' || case
            when periods.is_now then 'now' else cast(periods.period_start as text)
        end as metric_month,
        periods.metric,
        case when periods.is_now then 'now' else 'month' end as period_grain,
        case when periods.is_now then 'now' else to_char(periods.period_start, 'YYYY-MM') end
            as period_label,
        periods.breakdown,
        periods.breakdown_value,
        periods.counted_unit,
        reporting.reporting_currency,
        {{ cx('sample_status') }}(periods.base_count) as sample_status,
        periods.base_count,
        periods.event_count,
        case when periods.matures_on <= as_of.as_of_date
            then {{ cx('share_percent') }}(periods.event_count, periods.base_count) end as rate_percent,
        case when periods.matures_on <= as_of.as_of_date
            then {{ cx('share_low_95') }}(periods.event_count, periods.base_count) end as rate_low_95,
        case when periods.matures_on <= as_of.as_of_date
            then {{ cx('share_high_95') }}(periods.event_count, periods.base_count) end as rate_high_95,
        periods.base_value,
        periods.event_value,
        periods.currency_unconverted_orders,
        coalesce(periods.matures_on <= as_of.as_of_date, false) as is_mature,
        coalesce(periods.looked_back_to >= as_of.first_date, false)
            as has_full_look_back,
        periods.period_start,
        periods.period_end,
        periods.matures_on,
        case
            when as_of.as_of_date is not null then least(periods.matures_on, as_of.as_of_date)
        end as as_of_date
    from periods_maturing as periods
    cross join as_of
    cross join (select {{ reporting_currency() }} as reporting_currency) as reporting
)

select * from loyalty_value
