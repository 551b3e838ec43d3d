{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_order_values.customer_key') }} as buyers
{% endraw %}{% endset %}

{{ config(
    unique_key='customer_key',
    meta={
        'rebuild_when': rebuild_when,
        'marks': [
            {'first_purchase_day': {
                'key': 'first_purchase_date',
                'of': 'customer_key, segment, country, is_known_from_first_purchase, '
                    ~ 'has_repeated_in_time',
            }},
        ],
    },
    indexes=[{'columns': ['customer_key']}, {'columns': ['first_purchase_date']}],
) }}

with

orders as (
    select
        *,
        row_number() over (
            partition by customer_key
            order by ordered_at, length(order_id), order_id collate "C"
        ) as order_rank
    from {{ ref('fct_order_values') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
),

customer_values as (
    select
        customer_key,
        max(reporting_currency) as reporting_currency,
        min(segment) filter (where order_rank = 1) as segment,
        min(country) filter (where order_rank = 1) as country,
        count(*) as orders,
        count(*) filter (where is_returned) as returned_orders,
        count(*) filter (where not is_converted) as currency_unconverted_orders,
        coalesce(sum(order_value), 0) as bought_value,
        coalesce(sum(returned_value), 0) as returned_value,
        coalesce(sum(kept_value), 0) as historical_value,
        bool_or(is_first_purchase) as is_known_from_first_purchase,
        coalesce(
            min(ordered_at) filter (where order_rank = 2)
            <= min(ordered_at) + interval '24 hours' * {{ repeat_days() }},
            false
        ) as has_repeated_in_time,
        min(ordered_date) as first_purchase_date,
        max(ordered_date) as last_purchase_date,
        min(ordered_at) as first_purchase_at,
        min(ordered_at) filter (where order_rank = 2) as second_purchase_at,
        max(ordered_at) as last_purchase_at
    from orders
    group by customer_key
)

select * from customer_values
