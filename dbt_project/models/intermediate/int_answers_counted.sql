{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_survey_answers.response_id') }} as responses
    union
    -- which answer of an invitation counts depends on its other answers
    select answers.response_id
    from {{ ref('int_survey_answers') }} as answers
    where answers.invitation_id in (
        select key from {{ dirty('int_survey_answers.invitation_id') }} as invitations
    )
{% endraw %}{% endset %}

{{ config(
    unique_key=['response_id', 'answer_id'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'response_id'},
    indexes=[{'columns': ['answer_id']}, {'columns': ['response_id']}],
) }}

with

answers as (
    select *
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
        and invitation_id is not null
        {%- if is_incremental() %}
        -- An array is taken for short, and found by index.
        and invitation_id = any(array(select answers.invitation_id from answers))
        {%- endif %}
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

answers_counted as (
    select
        answers.answer_id,
        answers.response_id,
        case
            when answers.exclusion_reason is not null then answers.exclusion_reason
            when answers_ranked.answer_rank > 1 then 'repeated_answer'
        end as exclusion_reason
    from answers
    left join answers_ranked
        on answers_ranked.answer_id = answers.answer_id
)

select * from answers_counted
