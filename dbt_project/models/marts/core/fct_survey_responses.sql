{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_survey_answers.response_id') }} as responses
    union
    select key from {{ dirty('int_answers_counted.response_id') }} as counted
    union
    select key from {{ dirty('int_response_attributions.response_id') }} as attributed
    union
    {{ facts_of_other_versions('response_id', 'answered_date') }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['response_id', 'answer_id'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'response_id',
        'marks': [
            'customer_key',
            {'customer_day': {
                'key': "customer_key || ':' || answered_date",
                'of': 'customer_key, metric, score, is_counted, is_confidential, answered_date, '
                    ~ 'answered_at',
            }},
            {'scored_answer': scored_answer()},
            {'answered_month': {
                'key': answered_month(),
                'of': 'answer_id, response_id, survey_id, question_id, metric, driver, score, '
                    ~ 'is_counted, is_confidential',
            }},
            {'recommending_customer': "case when " ~ is_recommendation() ~ " then customer_key end"},
            {'listened_day': {
                'key': 'answered_date',
                'of': 'answer_id, response_id, touchpoint, is_counted, is_confidential',
            }},
            {'uninvited_day': {
                'key': 'answered_date',
                'of': 'response_id, survey_id, survey_kind, collection_channel, invitation_id, '
                    ~ 'is_counted, is_confidential',
            }},
            {'answered_ticket': {
                'key': "case when starts_with(touch_event_id, 'ticket:') then substr(touch_event_id, 8) end",
                'of': 'answer_id, touch_event_id, survey_id, question_id, attribution_method, '
                    ~ 'customer_key, score, is_counted, is_confidential, answered_at',
            }},
            {'scored_day': {
                'key': 'answered_date',
                'of': 'metric, survey_kind, survey_id, journey_stage, experience_channel, segment, '
                    ~ 'country, score, is_top_box, is_counted, is_confidential',
            }},
        ],
        'publish_where': 'not is_confidential',
        'published_indexes': [['response_id'], ['customer_key', 'answered_date'], ['answered_date']],
    },
    indexes=[
        {'columns': ['response_id']},
        {'columns': [
            'customer_key', 'answered_date', 'metric', 'survey_kind', 'is_confidential', 'is_counted',
        ]},
        {'columns': ['answered_date']},
        {'columns': [repeat_part('answered_date', 'customer_key')]},
    ],
) }}

with

answers as (
    select
        *,
        {{ reporting_date('recorded_at') }} as answered_date
    from {{ ref('int_survey_answers') }}
    where {{ to_rebuild('response_id') }}
),

survey_responses as (
    select
        answers.answer_id,
        answers.response_id,
        answers.survey_id || ':' || answers.question_id as survey_question_key,
        answers.survey_id,
        answers.question_id,
        answers.invitation_id,
        attributions.customer_key,
        customers.customer_version_key,
        attributions.touch_event_id,
        answers.survey_kind,
        answers.metric,
        answers.driver,
        attributions.touchpoint,
        attributions.journey_stage,
        attributions.channel as experience_channel,
        attributions.environment,
        attributions.owner_area,
        attributions.product,
        attributions.stage_at_invitation,
        answers.collection_channel,
        attributions.attribution_method,
        customers.segment,
        customers.country,
        answers.language,
        attributions.identity_method,
        counted.exclusion_reason,
        answers.score,
        answers.scale_min,
        answers.scale_max,
        counted.exclusion_reason is null as is_counted,
        case
            when answers.top_box_from is not null
                then answers.score >= answers.top_box_from
        end as is_top_box,
        attributions.is_identity_conflict,
        answers.anonymity = 'confidential' as is_confidential,
        {{ reporting_date('coalesce(attributions.experienced_at, answers.recorded_at)') }}
            as experienced_date,
        answers.answered_date,
        coalesce(attributions.experienced_at, answers.recorded_at) as experienced_at,
        answers.recorded_at as answered_at
    from answers
    inner join {{ ref('int_answers_counted') }} as counted
        on counted.answer_id = answers.answer_id
    inner join {{ ref('int_response_attributions') }} as attributions
        on attributions.response_id = answers.response_id
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = attributions.customer_key
        and answers.answered_date >= customers.valid_from
        and answers.answered_date < customers.valid_to
)

select * from survey_responses
