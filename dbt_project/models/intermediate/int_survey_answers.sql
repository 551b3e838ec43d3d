{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('responses') }} as changed_responses
{% endraw %}{% endset %}

{{ config(
    unique_key=['response_id', 'answer_id'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'response_id',
        'marks': ['invitation_id', 'identity_id', 'about_event_id'],
    },
    indexes=[
        {'columns': ['response_id']},
        {'columns': ['invitation_id']},
        {'columns': ['identity_id', 'contact_reference', 'email_key']},
        {'columns': ['about_event_id']},
    ],
) }}

with

response_versions as (
    select
        *,
        -- What has no date of its own keeps that of the first night that brought it.
        case
            when is_dated_by_export then min(recorded_at) over (partition by natural_key)
            else recorded_at
        end as answered_at,
        {{ version_rank() }} as version_rank
    from {{ staged('responses') }} as staged
),

latest_responses as (
    select
        *,
        {{ email_key('email') }} as email_key
    from response_versions
    where version_rank = 1
),

responses as (
    select
        *,
        -- A respondent without a reference and an address is a person of their own.
        case
            when contact_reference is not null or email_key is not null
                then 'respondent:' || coalesce(contact_reference, '') || ':'
                    || coalesce(cast(email_key as text), '')
            else 'response:' || response_id
        end as identity_id,
        case
            when ticket_id is not null then 'ticket:' || ticket_id
            when order_id is not null then 'order:' || order_id
            when delivery_id is not null then 'delivery:' || delivery_id
        end as about_event_id
    from latest_responses
),

-- Worked out once, and not for every answer.
answer_patterns as materialized (
    select
        survey_id,
        question_id,
        scale_min,
        scale_max,
        {{ words_pattern('answer') }} as pattern,
        score
    from {{ ref('answer_values') }}
),

-- One row for each question that the survey's registration scores.
answers as (
    select
        responses.response_id || ':' || survey_questions.question_id as answer_id,
        responses.response_id,
        responses.survey_id,
        survey_questions.question_id,
        survey_questions.metric,
        survey_questions.driver,
        surveys.survey_kind,
        surveys.anonymity,
        surveys.registered_stage,
        surveys.look_back_days,
        responses.identity_id,
        responses.contact_reference,
        responses.email_key,
        responses.invitation_id,
        responses.about_event_id,
        responses.touchpoint_parameter,
        responses.collection_channel,
        responses.language,
        survey_questions.scale_min,
        survey_questions.scale_max,
        survey_questions.top_box_from,
        {{ read_score('responses.answers ->> survey_questions.question_id', 'survey_questions', 'answer_patterns') }} as score,
        responses.answers ->> survey_questions.question_id is null as is_skipped,
        responses.response_status,
        coalesce(responses.is_finished, false) as is_finished,
        {{ reporting_date('responses.answered_at') }}
            between coalesce(surveys.valid_from, cast('-infinity' as date))
            and coalesce(surveys.valid_to - 1, cast('infinity' as date)) as is_in_validity,
        responses.answered_at as recorded_at
    from responses
    inner join {{ ref('surveys') }} as surveys
        on surveys.survey_id = responses.survey_id
    inner join {{ ref('survey_questions') }} as survey_questions
        on survey_questions.survey_id = responses.survey_id
),

answers_judged as (
    select
        answer_id,
        response_id,
        survey_id,
        question_id,
        metric,
        driver,
        survey_kind,
        anonymity,
        registered_stage,
        look_back_days,
        identity_id,
        contact_reference,
        email_key,
        invitation_id,
        about_event_id,
        touchpoint_parameter,
        collection_channel,
        language,
        scale_min,
        scale_max,
        top_box_from,
        score,
        case
            when response_status <> 'answer' then response_status
            when not is_in_validity then 'outside_validity'
            when not is_finished then 'unfinished'
            when is_skipped then 'skipped'
            when score is null or score not between scale_min and scale_max
                then 'score_out_of_scale'
        end as exclusion_reason,
        recorded_at
    from answers
)

select * from answers_judged
