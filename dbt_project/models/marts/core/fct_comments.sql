{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_comments.comment_id') }} as changed_comments
    union
    select key from {{ dirty('statistics.comment_id') }} as read_anew
    union
    select comments.comment_id
    from {{ ref('int_comments') }} as comments
    where comments.response_id in (
        select key from {{ dirty('fct_survey_responses.response_id') }} as responses
    )
    union
    select comments.comment_id
    from {{ ref('int_comments') }} as comments
    where comments.review_id in (
        select key from {{ dirty('fct_reviews.review_id') }} as reviews
    )
    union
    select comments.comment_id
    from {{ ref('int_comments') }} as comments
    where comments.ticket_id in (
        select key from {{ dirty('fct_tickets.ticket_id') }} as tickets
    )
{% endraw %}{% endset %}

{{ config(
    unique_key='comment_id',
    meta={
        'rebuild_when': rebuild_when,
        'marks': [
            'customer_key',
            {'theme_day': {
                'key': 'commented_date',
                'of': 'comment_id, customer_key, comment_source, survey_kind, metric, journey_stage, '
                    ~ 'country, sentiment, themes, theme_status, score, is_top_box, is_counted, '
                    ~ 'is_confidential',
            }},
            {'themed_comment': {
                'key': themed_comment(),
                'of': 'comment_id, customer_key, comment_source, journey_stage, country, '
                    ~ 'sentiment, themes, theme_status, is_counted, is_confidential, '
                    ~ 'commented_date',
            }},
        ],
        'publish_where': 'not is_confidential',
        'published_indexes': [['comment_id'], ['customer_key', 'commented_date'], ['commented_date']],
    },
    indexes=[
        {'columns': ['comment_id']},
        {'columns': ['customer_key', 'commented_date']},
        {'columns': ['commented_date']},
        {'columns': [repeat_part('commented_date', 'customer_key')]},
    ],
) }}

with

comments as (
    select
        comments.*,
        readings.language,
        readings.language_method,
        readings.sentiment,
        readings.sentiment_score,
        readings.sentiment_status,
        {{ cx('comment_words') }}(readings.language, comments.comment_text) as words
    from {{ ref('int_comments') }} as comments
    inner join {{ source('statistics', 'comment_readings') }} as readings
        on readings.comment_id = comments.comment_id
    where {{ to_rebuild('comments.comment_id') }}
),

-- Worked out once, and not for every comment.
rules as materialized (
    select
        theme_rules.theme,
        themes.priority,
        theme_rules.language,
        {{ cx('comment_query') }}(theme_rules.language, theme_rules.query) as query
    from {{ ref('theme_rules') }} as theme_rules
    inner join {{ ref('complaint_themes') }} as themes
        on themes.theme = theme_rules.theme
),

-- Several rules of a theme may fit a comment.
themes_found as (
    select
        comments.comment_id,
        rules.theme,
        rules.priority
    from comments
    inner join rules
        on rules.language = comments.language
        and comments.words @@ rules.query
    group by comments.comment_id, rules.theme, rules.priority
),

themes_listed as (
    select
        comment_id,
        string_agg(theme, ', ' order by priority) as themes
    from themes_found
    group by comment_id
),

-- A response may have several scored questions: its comment is shown with one of them.
answers_ranked as (
    select
        answers.*,
        row_number() over (
            partition by answers.response_id
            order by
                answers.metric = 'driver',
                not answers.is_counted,
                case answers.metric when 'nps' then 1 when 'csat' then 2 else 3 end,
                answers.question_id collate "C"
        ) as answer_rank
    from {{ ref('fct_survey_responses') }} as answers
    where answers.response_id in (select comments.response_id from comments)
),

records as (
    select
        comments.comment_id,
        answers.customer_key,
        answers.survey_id,
        answers.survey_kind,
        case when answers.is_counted and answers.metric <> 'driver' then answers.metric end
            as metric,
        answers.touchpoint,
        answers.journey_stage,
        answers.experience_channel as channel,
        answers.environment,
        answers.owner_area,
        answers.product,
        cast(null as text) as site,
        answers.segment,
        answers.country,
        case
            when answers.exclusion_reason in (
                'test', 'preview', 'spam', 'outside_validity', 'unfinished', 'repeated_answer'
            )
                then answers.exclusion_reason
        end as exclusion_reason,
        case when answers.is_counted and answers.metric <> 'driver' then answers.score end
            as score,
        case when answers.is_counted and answers.metric <> 'driver' then answers.is_top_box end
            as is_top_box,
        answers.is_confidential,
        answers.answered_date as commented_date,
        answers.answered_at as commented_at
    from comments
    inner join answers_ranked as answers
        on answers.response_id = comments.response_id
        and answers.answer_rank = 1

    union all

    select
        comments.comment_id,
        reviews.customer_key,
        null,
        null,
        'rating',
        null,
        null,
        null,
        null,
        null,
        reviews.product,
        reviews.site,
        reviews.segment,
        reviews.country,
        null,
        reviews.rating,
        null,
        false,
        reviews.published_date,
        reviews.published_at
    from comments
    inner join {{ ref('fct_reviews') }} as reviews
        on reviews.review_id = comments.review_id

    union all

    select
        comments.comment_id,
        tickets.customer_key,
        null,
        null,
        null,
        tickets.touchpoint,
        tickets.journey_stage,
        tickets.channel,
        touchpoints.environment,
        touchpoints.owner_area,
        null,
        null,
        tickets.segment,
        tickets.country,
        null,
        null,
        null,
        false,
        tickets.created_date,
        tickets.created_at
    from comments
    inner join {{ ref('fct_tickets') }} as tickets
        on tickets.ticket_id = comments.ticket_id
    inner join {{ ref('dim_touchpoints') }} as touchpoints
        on touchpoints.touchpoint = tickets.touchpoint
    where not tickets.is_deleted
),

comments_read as (
    select
        comments.comment_id,
        comments.response_id,
        comments.review_id,
        comments.ticket_id,
        records.customer_key,
        comments.comment_source,
        comments.source_name as source_system,
        records.survey_id,
        comments.question_id,
        records.survey_kind,
        records.metric,
        records.touchpoint,
        records.journey_stage,
        records.channel,
        records.environment,
        records.owner_area,
        records.product,
        records.site,
        records.segment,
        records.country,
        comments.language,
        comments.language_method,
        comments.sentiment,
        comments.sentiment_status,
        themes_listed.themes,
        case
            when themes_listed.comment_id is not null then 'found'
            when comments.language in (select rules.language from rules) then 'none'
            else 'no_rules'
        end as theme_status,
        records.exclusion_reason,
        comments.comment_text,
        records.score,
        comments.sentiment_score,
        records.exclusion_reason is null as is_counted,
        records.is_top_box,
        records.is_confidential,
        records.commented_date,
        records.commented_at
    from comments
    inner join records
        on records.comment_id = comments.comment_id
    left join themes_listed
        on themes_listed.comment_id = comments.comment_id
)

select * from comments_read
