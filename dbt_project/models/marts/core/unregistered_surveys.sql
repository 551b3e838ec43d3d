{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_unregistered_responses.survey_id') }} as surveys
{% endraw %}{% endset %}

{{ config(
    unique_key='survey_id',
    meta={'rebuild_when': rebuild_when},
) }}

with

responses as (
    select *
    from {{ ref('int_unregistered_responses') }}
    where {{ to_rebuild('survey_id') }}
),

responses_summed as (
    select
        survey_id,
        cast(count(*) as integer) as responses,
        cast(count(*) filter (where is_finished) as integer) as finished_responses,
        min(answered_date) as first_answered_date,
        max(answered_date) as last_answered_date
    from responses
    group by survey_id
)

select * from responses_summed
