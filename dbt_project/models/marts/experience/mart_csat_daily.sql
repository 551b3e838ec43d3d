{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_survey_responses.scored_day') }} as days
{% endraw %}{% endset %}

{{ config(
    unique_key='csat_daily_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'answered_date'},
    indexes=[{'columns': ['answered_date']}],
) }}

with

counted_answers as (
    {{ counted_answers('csat') }}
),

daily_counts as (
    select
        concat_ws(
            '|',
            answered_date, survey_id, journey_stage, experience_channel, segment, country
        ) as csat_daily_key,
        survey_kind,
        survey_id,
        journey_stage,
        experience_channel,
        segment,
        country,
        count(*) filter (where is_top_box) as top_box,
        sum(score) as score_sum,
        count(*) as responses,
        answered_date
    from counted_answers
    group by
        answered_date, survey_kind, survey_id,
        journey_stage, experience_channel, segment, country
)

select * from daily_counts
