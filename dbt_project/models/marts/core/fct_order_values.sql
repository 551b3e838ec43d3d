{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_purchases.order_id') }} as purchases
    union
    select key from {{ dirty('fct_returns.order_id') }} as orders_sent_back
{% endraw %}{% endset %}

{{ config(
    unique_key='order_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['customer_key', 'ordered_date']},
    indexes=[
        {'columns': ['order_id']},
        {'columns': ['customer_key', 'ordered_at']},
        {'columns': ['ordered_date']},
    ],
) }}

with

purchases as (
    select *
    from {{ ref('fct_purchases') }}
    where {{ to_rebuild('order_id') }}
        and not is_cancelled
),

order_returns as (
    select
        returns.order_id,
        returns.customer_key,
        sum(returns.refund_amount) as refund_amount,
        min(returns.returned_date) as first_returned_date
    from {{ ref('fct_returns') }} as returns
    inner join purchases
        on purchases.order_id = returns.order_id
        and purchases.customer_key = returns.customer_key
    group by returns.order_id, returns.customer_key
),

-- Each day's rate: the last one on or before it, at most 7 days old.
rates_by_day as (
    select
        rates.currency,
        rates.rate_date,
        rates.rate,
        rates.rate_date + ages.days as date_day
    from (
        select
            *,
            lead(rate_date) over (partition by currency order by rate_date) as next_rate_date
        from {{ ref('exchange_rates') }}
    ) as rates
    inner join generate_series(0, 7) as ages (days)
        on rates.rate_date + ages.days < coalesce(rates.next_rate_date, rates.rate_date + 8)
),

reporting as (
    select {{ reporting_currency() }} as reporting_currency
),

orders_rated as (
    select
        purchases.order_id,
        purchases.customer_key,
        purchases.product,
        purchases.currency,
        reporting.reporting_currency,
        purchases.segment,
        purchases.country,
        purchases.net_amount,
        -- A refund is paid with tax and shipping: its part of the total is taken off the net.
        case
            when order_returns.refund_amount is null then 0
            when purchases.total_amount > 0
                then round(
                    purchases.net_amount
                    * least(order_returns.refund_amount, purchases.total_amount)
                    / purchases.total_amount,
                    6
                )
            else least(order_returns.refund_amount, purchases.net_amount)
        end as returned_net_amount,
        case
            when purchases.currency = reporting.reporting_currency then 1
            else rates_by_day.rate
        end as exchange_rate,
        order_returns.order_id is not null as is_returned,
        purchases.is_first_purchase,
        case
            when purchases.currency = reporting.reporting_currency then purchases.ordered_date
            else rates_by_day.rate_date
        end as rate_date,
        purchases.ordered_date,
        order_returns.first_returned_date,
        purchases.ordered_at
    from purchases
    cross join reporting
    left join order_returns
        on order_returns.order_id = purchases.order_id
        and order_returns.customer_key = purchases.customer_key
    left join rates_by_day
        on rates_by_day.currency = purchases.currency
        and rates_by_day.date_day = purchases.ordered_date
),

order_values as (
    select
        order_id,
        customer_key,
        product,
        currency,
        reporting_currency,
        segment,
        country,
        net_amount,
        returned_net_amount,
        exchange_rate,
        -- A return takes its order's rate, whatever the rate on its own day.
        trim_scale(round(net_amount * exchange_rate, 6)) as order_value,
        trim_scale(round(returned_net_amount * exchange_rate, 6)) as returned_value,
        trim_scale(round((net_amount - returned_net_amount) * exchange_rate, 6)) as kept_value,
        net_amount * exchange_rate is not null as is_converted,
        is_returned,
        coalesce(first_returned_date - ordered_date <= {{ return_days() }}, false)
            as is_returned_in_time,
        is_first_purchase,
        rate_date,
        ordered_date,
        first_returned_date,
        ordered_at
    from orders_rated
)

select * from order_values
