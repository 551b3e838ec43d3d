{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_score_change_parts.period_key') }} as changed_periods
{% endraw %}{% endset %}

{{ config(
    unique_key='score_change_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
) }}

with

parts as (
    select *
    from {{ ref('int_score_change_parts') }}
    where {{ to_rebuild('period_key') }}
),

score_changes as (
    select
        score_change_key,
        score_period_key,
        period_key,
        comparison,
        {%- for column in [
            'respondents_in_both', 'sums_multiplied', 'sums_before_by_responses_after',
            'responses_before_by_sums_after', 'responses_multiplied',
        ] %}
        cast(sum({{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from parts
    group by score_change_key, score_period_key, period_key, comparison
)

select * from score_changes
