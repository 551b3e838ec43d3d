select
    natural_key,
    review_id,
    site,
    language,
    {{ not_sent('reviews', ['order_number']) }},
    {{ not_sent('reviews', ['store']) }},
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
        reviews.record ->> 'index' as natural_key,
        reviews.record ->> 'index' as review_id,
        '{{ declared('shop_reviews', 'site') }}' as site,
        '{{ declared('shop_reviews', 'language') }}' as language,
        reviews.record ->> 'starRating' as sent_rating,
        {{ parse_stars("(reviews.record ->> 'starRating')") }} as rating,
        concat_ws(e'\n', reviews.record ->> 'title', reviews.record ->> 'content') as comment_text,
        coalesce(trim(reviews.record ->> 'content') <> '', false) as has_text,
        true as is_dated_by_export,
        cast(build_loads.batch_date as text) as sent_published,
        {{ start_of_reporting_date('build_loads.batch_date') }} as published_at,
        {{ lineage('reviews') | indent(4) }}
    from {{ source('shop_reviews', 'reviews') }} as reviews
    {{ join_frozen_loads('reviews') | indent(4) }}
) as source
