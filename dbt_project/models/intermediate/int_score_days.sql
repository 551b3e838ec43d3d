{% set rebuild_when %}{% raw %}
    select {{ score_part('repeat_part') }} from ({{ changed_score_answers() }}) as changed
{% endraw %}{% endset %}

{%- set score = ['metric', 'survey_kind', 'is_confidential', 'breakdown', 'breakdown_value'] %}

{{ config(
    unique_key=['score_part'] + score,
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'score_part',
        'marks': scores_of_day(),
    },
    indexes=[
        {'columns': ['score_part']},
        {'columns': ['breakdown_value', 'breakdown', 'metric', 'survey_kind', 'answered_date']},
    ],
    pre_hook=hash_all_groups() + join_by_hash(),
) }}

{%- set attributes = score_attributes() | join(', ') %}
{%- set sums = score_counts() + ['test_sum_squares'] %}

with

answers as (
    {% set rebuilt_answers %}
        select *
        from {{ ref('fct_survey_responses') }}
        where {{ repeat_part('answered_date', 'customer_key') }}
            = any({{ repeat_parts_to_rebuild(repeat_parts_of('cast(key as integer)')) }})
    {% endset %}
    {{ score_answers(rebuilt_answers) }}
),

-- Answers that agree in everything are counted together before they are cut.
alike_answers_counted as (
    select
        {{ score_part('repeat_part') }} as score_part,
        answered_date, metric, survey_kind, is_confidential, {{ attributes }},
        count(*) filter (where metric = 'nps' and score >= 9) as promoters,
        count(*) filter (where metric = 'nps' and score between 7 and 8) as passives,
        count(*) filter (where metric = 'nps' and score <= 6) as detractors,
        count(*) filter (where metric <> 'nps' and is_top_box) as top_box,
        sum(score) as score_sum,
        sum(score * score) as score_sum_squares,
        count(*) as responses,
        sum(test_value) as test_sum,
        sum(test_value * test_value) as test_sum_squares
    from answers
    group by
        score_part, answered_date, metric, survey_kind, is_confidential, {{ attributes }}
),

score_days as (
    select
        alike.score_part,
        alike.metric,
        alike.survey_kind,
        cuts.breakdown,
        cuts.breakdown_value,
        {%- for column in sums %}
        cast(sum(alike.{{ column }}) as bigint) as {{ column }},
        {%- endfor %}
        alike.is_confidential,
        alike.answered_date
    from alike_answers_counted as alike
    {{ score_cuts('alike') }}
    group by
        alike.score_part, alike.answered_date, alike.metric, alike.survey_kind,
        alike.is_confidential, cuts.breakdown, cuts.breakdown_value
)

select * from score_days
