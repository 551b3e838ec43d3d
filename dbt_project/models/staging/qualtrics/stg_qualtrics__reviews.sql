select
    natural_key,
    review_id,
    site,
    language,
    order_number,
    store,
    comment_text,
    rating,
    has_text,
    false as is_dated_by_export,
    published_at,
    updated_at,
    replied_at,
    {{ quarantine_columns([
            ['review_id', 'review_id'],
            ['site', 'site'],
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
        reviews.review_id as natural_key,
        reviews.review_id,
        {{ parse_word('reviews.site') }} as site,
        lower(reviews.language) as language,
        reviews.order_number,
        {{ parse_word('reviews.store') }} as store,
        reviews.rating as sent_rating,
        {{ parse_stars('reviews.rating') }} as rating,
        concat_ws(e'\n', reviews.title, reviews.review_text) as comment_text,
        coalesce(trim(reviews.review_text) <> '', false) as has_text,
        reviews.published_at as sent_published,
        {{ parse_timestamp('reviews.published_at') }} as published_at,
        {{ parse_timestamp('reviews.updated_at') }} as updated_at,
        {{ parse_timestamp('reviews.replied_at') }} as replied_at,
        {{ lineage('reviews') | indent(4) }}
    from {{ source('qualtrics', 'reviews') }} as reviews
    {{ join_frozen_loads('reviews') | indent(4) }}
) as source
