{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('reviews') }} as changed_reviews
    union
    -- the order may arrive, or change hands, after the review
    select reviews.review_id
    from {{ this }} as reviews
    where reviews.order_number in (
        select key from {{ dirty('int_orders.order_id') }} as orders
        union
        select key from {{ dirty('int_orders.order_name') }} as order_names
    )
    union
    select reviews.review_id
    from {{ this }} as reviews
    where reviews.order_id in (
        select substring(key from 7)
        from {{ dirty('int_touchpoint_events.event_id') }} as events
        where starts_with(key, 'order:')
    )
{% endraw %}{% endset %}

{{ config(
    unique_key='review_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['identity_id']},
    indexes=[
        {'columns': ['review_id']},
        {'columns': ['identity_id']},
        {'columns': ['order_number']},
        {'columns': ['order_id']},
    ],
) }}

with

review_versions as (
    select
        *,
        -- What has no date of its own keeps that of the first night that brought it.
        min(published_at) over (partition by natural_key) as first_published_at,
        {{ version_rank('updated_at') }} as version_rank
    from {{ staged('reviews') }} as staged
),

latest_reviews as (
    select
        review_id,
        site,
        language,
        order_number,
        store,
        rating,
        has_text,
        case when is_dated_by_export then first_published_at else published_at end as published_at,
        updated_at,
        replied_at
    from review_versions
    where version_rank = 1
),

order_numbers as (
    select distinct order_number
    from latest_reviews
    where order_number is not null
),

-- Both numbers of an order are orders' numbers; its record's goes first.
orders_found as (
    select
        order_numbers.order_number,
        orders.order_id,
        orders.product_line,
        1 as preference
    from order_numbers
    inner join {{ ref('int_orders') }} as orders
        on orders.order_id = order_numbers.order_number

    union all

    select
        order_numbers.order_number,
        orders.order_id,
        orders.product_line,
        2 as preference
    from order_numbers
    inner join {{ ref('int_orders') }} as orders
        on orders.order_name = order_numbers.order_number
),

orders_ranked as (
    select
        *,
        row_number() over (
            partition by order_number
            order by preference, length(order_id), order_id collate "C"
        ) as order_rank
    from orders_found
),

-- Whoever reviews an order is its customer; else a person of their own.
reviews as (
    select
        latest_reviews.review_id,
        coalesce(events.identity_id, 'review:' || latest_reviews.review_id)
            as identity_id,
        latest_reviews.site,
        latest_reviews.language,
        latest_reviews.order_number,
        orders_ranked.order_id,
        orders_ranked.product_line as product,
        latest_reviews.store,
        latest_reviews.rating,
        latest_reviews.has_text,
        latest_reviews.published_at,
        latest_reviews.updated_at,
        latest_reviews.replied_at
    from latest_reviews
    left join orders_ranked
        on orders_ranked.order_number = latest_reviews.order_number
        and orders_ranked.order_rank = 1
    left join {{ ref('int_touchpoint_events') }} as events
        on events.event_id = 'order:' || orders_ranked.order_id
)

select * from reviews
