{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_score_repeats.period_key') }} as changed_periods
{% endraw %}{% endset %}

{{ config(
    unique_key='score_change_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
) }}

with

repeats_keyed as (
    select
        *,
        {{ score_period_key() }} as score_period_key
    from {{ ref('int_score_repeats') }}
    where comparison <> 'same'
        and {{ to_rebuild('period_key') }}
),

score_changes as (
    select
        score_period_key || '|' || comparison as score_change_key,
        score_period_key,
        period_key,
        comparison,
        cast(sum(respondents_again) as bigint) as respondents_in_both,
        {%- for column in repeat_moments()[1:] %}
        cast(sum({{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from repeats_keyed
    group by score_period_key, period_key, comparison
)

select * from score_changes
