{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_score_period_parts.period_key') }} as changed_periods
{% endraw %}{% endset %}

{{ config(
    unique_key='score_period_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
) }}

{%- set score = [
    'score_period_key', 'period_key', 'metric', 'survey_kind', 'period_grain', 'breakdown',
    'breakdown_value',
] %}

with

parts as (
    select *
    from {{ ref('int_score_period_parts') }}
    where {{ to_rebuild('period_key') }}
),

score_periods as (
    select
        {{ score | join(',\n        ') }},
        {%- for column in score_sums() %}
        cast(sum({{ column }}) as bigint) as {{ column }},
        {%- endfor %}
        is_confidential,
        period_start,
        {{ compared_period_start('period_start', 'period_grain', 'previous', '+') }} - 1
            as period_end
    from parts
    group by {{ score | join(', ') }}, is_confidential, period_start
)

select * from score_periods
