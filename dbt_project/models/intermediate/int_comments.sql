{% set rebuild_when %}{% raw %}
    select 'response:' || key from {{ dirty_input('responses') }} as changed_responses
    union all
    select 'review:' || key from {{ dirty_input('reviews') }} as changed_reviews
    union all
    select 'ticket:' || key from {{ dirty_input('tickets') }} as changed_tickets
{% endraw %}{% endset %}

{{ config(
    unique_key=['record_key', 'comment_id'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'record_key',
        'marks': ['comment_id', 'response_id', 'review_id', 'ticket_id'],
    },
    indexes=[
        {'columns': ['record_key']},
        {'columns': ['comment_id']},
        {'columns': ['response_id']},
        {'columns': ['review_id']},
        {'columns': ['ticket_id']},
    ],
) }}

with

response_versions as (
    select
        *,
        {{ version_rank() }} as version_rank
    from {{ staged('responses', kind='response:') }} as staged_responses
),

review_versions as (
    select
        *,
        {{ version_rank('updated_at') }} as version_rank
    from {{ staged('reviews', kind='review:') }} as staged_reviews
),

ticket_versions as (
    select
        *,
        {{ version_rank('updated_at', 'revision') }} as version_rank
    from {{ staged('tickets', kind='ticket:') }} as staged_tickets
),

-- A question without a survey is a comment wherever it is asked.
questions as (
    select distinct
        surveys.survey_id,
        comment_questions.question_id
    from {{ ref('comment_questions') }} as comment_questions
    inner join {{ ref('surveys') }} as surveys
        on surveys.survey_id = coalesce(comment_questions.survey_id, surveys.survey_id)
),

comments as (
    select
        'response:' || responses.natural_key as record_key,
        'response:' || responses.response_id || ':' || questions.question_id as comment_id,
        'survey' as comment_source,
        responses.response_id,
        cast(null as text) as review_id,
        cast(null as text) as ticket_id,
        questions.question_id,
        responses.source_name,
        responses.language,
        responses.answers ->> questions.question_id as comment_text
    from response_versions as responses
    inner join questions
        on questions.survey_id = responses.survey_id
    where responses.version_rank = 1

    union all

    select
        'review:' || natural_key,
        'review:' || review_id,
        'review',
        null,
        review_id,
        null,
        null,
        source_name,
        language,
        comment_text
    from review_versions
    where version_rank = 1

    union all

    -- Tickets do not say in which language they are written.
    select
        'ticket:' || natural_key,
        'ticket:' || ticket_id,
        'ticket',
        null,
        null,
        ticket_id,
        null,
        source_name,
        null,
        comment_text
    from ticket_versions
    where version_rank = 1
),

-- Nothing unscrubbed leaves staging.
comments_scrubbed as (
    select
        record_key,
        comment_id,
        comment_source,
        response_id,
        review_id,
        ticket_id,
        question_id,
        source_name,
        substring(lower(language) from '^([a-z]{2})([-_].*)?$') as export_language,
        {{ cx('scrubbed_comment') }}(comment_text) as comment_text
    from comments
    where comment_text is not null
)

select * from comments_scrubbed
where comment_text is not null
