{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_survey_responses.scored_day') }} as days
{% endraw %}{% endset %}

{{ config(
    unique_key='nps_daily_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'answered_date'},
    indexes=[{'columns': ['answered_date']}],
) }}

with

counted_answers as (
    {{ counted_answers('nps') }}
),

daily_counts as (
    select
        concat_ws(
            '|',
            answered_date, survey_id, journey_stage, experience_channel, segment, country
        ) as nps_daily_key,
        survey_kind,
        survey_id,
        journey_stage,
        experience_channel,
        segment,
        country,
        count(*) filter (where score >= 9) as promoters,
        count(*) filter (where score between 7 and 8) as passives,
        count(*) filter (where score <= 6) as detractors,
        count(*) as responses,
        answered_date
    from counted_answers
    group by
        answered_date, survey_kind, survey_id,
        journey_stage, experience_channel, segment, country
)

select * from daily_counts
