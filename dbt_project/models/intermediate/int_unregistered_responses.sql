{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('responses') }} as changed_responses
{% endraw %}{% endset %}

{{ config(
    unique_key='response_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['survey_id']},
    indexes=[{'columns': ['response_id']}, {'columns': ['survey_id']}],
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
        response_id,
        survey_id,
        response_status = 'answer' and coalesce(is_finished, false) as is_finished,
        {{ reporting_date('answered_at') }} as answered_date
    from response_versions
    where version_rank = 1
),

unregistered_responses as (
    select latest_responses.*
    from latest_responses
    left join {{ ref('surveys') }} as surveys
        on surveys.survey_id = latest_responses.survey_id
    where surveys.survey_id is null
)

select * from unregistered_responses
