{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_reviews.review_id') }} as changed_reviews
    union
    select reviews.review_id
    from {{ ref('int_reviews') }} as reviews
    where reviews.identity_id in (
        select key from {{ dirty('int_identities.identity_id') }} as identities
    )
    union
    {{ facts_of_other_versions('review_id', 'published_date') }}
{% endraw %}{% endset %}

{{ config(
    unique_key='review_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['customer_key']},
    indexes=[{'columns': ['review_id']}, {'columns': ['customer_key']}],
) }}

with

changed_reviews as (
    select
        *,
        {{ reporting_date('published_at') }} as published_date
    from {{ ref('int_reviews') }}
    where {{ to_rebuild('review_id') }}
),

reviews as (
    select
        changed_reviews.review_id,
        changed_reviews.order_id,
        identities.customer_key,
        customers.customer_version_key,
        changed_reviews.site,
        changed_reviews.product,
        changed_reviews.store,
        changed_reviews.language,
        customers.segment,
        customers.country,
        identities.identity_method,
        changed_reviews.rating,
        round(
            cast(
                extract(epoch from changed_reviews.replied_at - changed_reviews.published_at)
                as numeric
            ) / 60,
            2
        ) as reply_minutes,
        changed_reviews.has_text,
        changed_reviews.published_date,
        changed_reviews.published_at,
        changed_reviews.replied_at
    from changed_reviews
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = changed_reviews.identity_id
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = identities.customer_key
        and changed_reviews.published_date >= customers.valid_from
        and changed_reviews.published_date < customers.valid_to
)

select * from reviews
