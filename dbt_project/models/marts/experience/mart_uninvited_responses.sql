{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_survey_responses.uninvited_day') }} as days
    union
    -- the invitation may become known after its answer
    select cast({{ reporting_date('answers.recorded_at') }} as text)
    from {{ ref('int_survey_answers') }} as answers
    where answers.invitation_id in (
        select key from {{ dirty('fct_survey_invitations.invited') }} as invitations
    )
{% endraw %}{% endset %}

{{ config(
    unique_key='uninvited_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'answered_date'},
    indexes=[{'columns': ['answered_date']}],
) }}

-- depends_on: {{ ref('int_survey_answers') }}

with

answers as (
    select *
    from {{ ref('fct_survey_responses') }}
    where is_counted
        and not is_confidential
        and {{ to_rebuild('answered_date', 'date') }}
),

days_counted as (
    select
        concat_ws(
            '|',
            answers.answered_date,
            answers.survey_id,
            coalesce(answers.collection_channel, '(unknown)')
        ) as uninvited_key,
        answers.survey_kind,
        answers.survey_id,
        coalesce(answers.collection_channel, '(unknown)') as collection_channel,
        count(distinct answers.response_id) as responses,
        count(distinct answers.response_id) filter (where invitations.invitation_id is null)
            as uninvited_responses,
        answers.answered_date
    from answers
    left join {{ ref('fct_survey_invitations') }} as invitations
        on invitations.invitation_id = answers.invitation_id
        and not invitations.is_confidential
    group by
        answers.answered_date, answers.survey_kind, answers.survey_id,
        coalesce(answers.collection_channel, '(unknown)')
)

select * from days_counted
