{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_survey_answers.response_id') }} as responses
    union
    -- which answer of an invitation counts depends on its other answers
    select answers.response_id
    from {{ ref('int_survey_answers') }} as answers
    where answers.invitation_id in (
        select key from {{ dirty('int_survey_answers.invitation_id') }} as invitations
    )
    union
    select answers.response_id
    from {{ ref('int_survey_answers') }} as answers
    where answers.identity_id in (
        select key from {{ dirty('int_identities.identity_id') }} as identities
    )
    union
    -- what an answer is about may arrive, or change, after the answer
    select answers.response_id
    from {{ ref('int_survey_answers') }} as answers
    where answers.about_event_id in (
        select key from {{ dirty('int_touchpoint_events.event_id') }} as events
    )
    union
    select answers.response_id
    from {{ this }} as answers
    where answers.customer_key in (
        select cast(key as uuid) from {{ dirty('dim_customers.customer_key') }} as customers
    )
{% endraw %}{% endset %}

{{ config(
    unique_key='answer_id',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'response_id', 'marks': ['answered_date']},
    indexes=[
        {'columns': ['response_id']},
        {'columns': ['customer_key']},
        {'columns': ['answered_date']},
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

-- One answer per invitation and question counts: the last within 24 hours of the first.
answers_timed as (
    select
        *,
        min(recorded_at) over (partition by invitation_id, question_id) as first_recorded_at
    from {{ ref('int_survey_answers') }}
    where exclusion_reason is null
        and invitation_id in (select answers.invitation_id from answers)
),

answers_ranked as (
    select
        answer_id,
        row_number() over (
            partition by invitation_id, question_id
            order by
                recorded_at > first_recorded_at + interval '24 hours',
                recorded_at desc,
                answer_id collate "C" desc
        ) as answer_rank
    from answers_timed
),

answers_attributed as (
    select
        answers.*,
        case
            when answers.exclusion_reason is not null then answers.exclusion_reason
            when answers_ranked.answer_rank > 1 then 'repeated_answer'
        end as final_exclusion_reason,
        case
            when answers.survey_kind = 'relational' then 'relational'
            when answers.about_event_id is not null and events.event_id is not null
                then 'explicit_id'
            when answers.about_event_id is not null then 'unattributed'
            when answers.touchpoint_parameter is not null
                and linked_touchpoints.touchpoint is not null
                then 'link_parameter'
            when answers.touchpoint_parameter is not null then 'unattributed'
            when answers.registered_stage is not null then 'registered_stage'
            else 'unattributed'
        end as attribution_method,
        events.touchpoint as event_touchpoint,
        events.occurred_at as event_occurred_at
    from answers
    left join answers_ranked
        on answers_ranked.answer_id = answers.answer_id
    left join {{ ref('int_touchpoint_events') }} as events
        on events.event_id = answers.about_event_id
    left join {{ ref('dim_touchpoints') }} as linked_touchpoints
        on linked_touchpoints.touchpoint = answers.touchpoint_parameter
),

answers_with_touchpoint as (
    select
        *,
        case attribution_method
            when 'explicit_id' then event_touchpoint
            when 'link_parameter' then touchpoint_parameter
        end as touchpoint
    from answers_attributed
),

survey_responses as (
    select
        answers_with_touchpoint.answer_id,
        answers_with_touchpoint.response_id,
        answers_with_touchpoint.survey_id || ':' || answers_with_touchpoint.question_id
            as survey_question_key,
        answers_with_touchpoint.survey_id,
        answers_with_touchpoint.question_id,
        identities.customer_key,
        customers.customer_version_key,
        answers_with_touchpoint.survey_kind,
        answers_with_touchpoint.metric,
        answers_with_touchpoint.driver,
        answers_with_touchpoint.touchpoint,
        case answers_with_touchpoint.attribution_method
            when 'registered_stage' then answers_with_touchpoint.registered_stage
            else touchpoints.journey_stage
        end as journey_stage,
        touchpoints.channel as experience_channel,
        answers_with_touchpoint.collection_channel,
        answers_with_touchpoint.attribution_method,
        customers.segment,
        customers.country,
        answers_with_touchpoint.language,
        identities.identity_method,
        answers_with_touchpoint.final_exclusion_reason as exclusion_reason,
        answers_with_touchpoint.score,
        answers_with_touchpoint.scale_min,
        answers_with_touchpoint.scale_max,
        answers_with_touchpoint.final_exclusion_reason is null as is_counted,
        case
            when answers_with_touchpoint.top_box_from is not null
                then answers_with_touchpoint.score >= answers_with_touchpoint.top_box_from
        end as is_top_box,
        coalesce(
            case answers_with_touchpoint.attribution_method
                when 'explicit_id'
                    then {{ reporting_date('answers_with_touchpoint.event_occurred_at') }}
            end,
            answers_with_touchpoint.answered_date
        ) as experienced_date,
        answers_with_touchpoint.answered_date,
        answers_with_touchpoint.recorded_at as answered_at
    from answers_with_touchpoint
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = answers_with_touchpoint.identity_id
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = identities.customer_key
        and answers_with_touchpoint.answered_date >= customers.valid_from
        and answers_with_touchpoint.answered_date < customers.valid_to
    left join {{ ref('dim_touchpoints') }} as touchpoints
        on touchpoints.touchpoint = answers_with_touchpoint.touchpoint
)

select * from survey_responses
