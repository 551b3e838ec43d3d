{# Score by score, as int_score_periods. #}
{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_score_repeats.compared') }} as compared_scores
{% endraw %}{% endset %}

{{ config(
    unique_key='score_change_key',
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'period_key',
        'rebuild_rows_by': 'score_period_key',
    },
    indexes=[{'columns': ['period_key']}, {'columns': ['score_period_key']}],
    pre_hook=hash_all_groups(),
) }}

{%- set score = [
    'period_key', 'metric', 'survey_kind', 'is_confidential', 'breakdown', 'breakdown_value',
] | join(', ') %}

with

{% if is_incremental() -%}
scores_to_rebuild as materialized (
    {{ scores_to_rebuild() }}
),

{% endif -%}
repeats_summed as (
    select
        {{ score }},
        repeats.comparison,
        cast(sum(repeats.respondents_again) as bigint) as respondents_in_both,
        {%- for column in repeat_moments()[1:] %}
        cast(sum(repeats.{{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_score_repeats') }} as repeats
    {%- if is_incremental() %}
    inner join scores_to_rebuild
        using ({{ score }})
    {%- endif %}
    where repeats.comparison <> 'same'
    group by {{ score }}, repeats.comparison
),

repeats_keyed as (
    select
        *,
        {{ score_period_key() }} as score_period_key
    from repeats_summed
),

score_changes as (
    select
        score_period_key || '|' || comparison as score_change_key,
        score_period_key,
        period_key,
        comparison,
        respondents_in_both,
        {{ repeat_moments()[1:] | join(', ') }}
    from repeats_keyed
)

select * from score_changes
