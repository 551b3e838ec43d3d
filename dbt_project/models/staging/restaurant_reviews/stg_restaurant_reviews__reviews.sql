select
    natural_key,
    review_id,
    site,
    language,
    {{ not_sent('reviews', ['order_number']) }},
    store,
    comment_text,
    rating,
    has_text,
    is_dated_by_export,
    published_at,
    {{ not_sent('reviews', ['updated_at', 'replied_at']) }},
    {{ quarantine_columns([
            ['review_id', 'review_id'],
            ['sent_rating', 'rating'],
            ['sent_published', 'published_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        reviews._identity as natural_key,
        reviews._identity as review_id,
        '{{ declared('restaurant_reviews', 'site') }}' as site,
        '{{ declared('restaurant_reviews', 'language') }}' as language,
        {{ parse_word("(reviews.record ->> 'attraction')") }} as store,
        reviews.record ->> 'rating' as sent_rating,
        {{ parse_stars("(reviews.record ->> 'rating')") }} as rating,
        concat_ws(e'\n', reviews.record ->> 'title', reviews.record ->> 'review_text') as comment_text,
        coalesce(trim(reviews.record ->> 'review_text') <> '', false) as has_text,
        not reviews.record ? 'published_at' as is_dated_by_export,
        case
            when reviews.record ? 'published_at' then reviews.record ->> 'published_at'
            else cast(build_loads.batch_date as text)
        end as sent_published,
        case
            when reviews.record ? 'published_at'
                then {{ parse_export_timestamp(
                    "(reviews.record ->> 'published_at')",
                    declared('restaurant_reviews', 'date_order'),
                    declared('restaurant_reviews', 'time_zone'),
                ) }}
            else {{ start_of_reporting_date('build_loads.batch_date') }}
        end as published_at,
        {{ lineage('reviews') | indent(4) }}
    from {{ source('restaurant_reviews', 'reviews') }} as reviews
    {{ join_frozen_loads('reviews') | indent(4) }}
) as source
