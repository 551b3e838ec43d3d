{#
    An answer that changes long after costs its own scores, row by row: the other cuts of
    its quarter are not summed again.
#}
{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_score_days.week') }} as weeks
    union
    select key from {{ dirty('int_score_days.month') }} as months
    union
    select key from {{ dirty('int_score_days.quarter') }} as quarters
    union
    select key from {{ dirty('int_score_repeats.same_period') }} as repeats
{% endraw %}{% endset %}

{{ config(
    unique_key='score_period_key',
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'period_key',
        'rebuild_rows_by': 'score_period_key',
    },
    indexes=[{'columns': ['period_key']}, {'columns': ['score_period_key']}],
    pre_hook=hash_all_groups(),
) }}

{%- set pool_and_cut = [
    'metric', 'survey_kind', 'is_confidential', 'breakdown', 'breakdown_value',
] %}
{%- set score = (['period_key'] + pool_and_cut) | join(', ') %}
{%- set counts = score_counts() + ['test_sum_squares'] %}

with

{% if is_incremental() -%}
scores_to_rebuild as materialized (
    {{ scores_to_rebuild() }}
),

score_days as (
    select
        score_days.*,
        scores.period_key,
        scores.period_grain,
        scores.period_start
    from scores_to_rebuild as scores
    inner join {{ ref('int_score_days') }} as score_days
        on score_days.breakdown_value = scores.breakdown_value
        and score_days.breakdown = scores.breakdown
        and score_days.metric = scores.metric
        and score_days.survey_kind = scores.survey_kind
        and score_days.is_confidential = scores.is_confidential
        and score_days.answered_date between scores.period_start and {{ period_end('scores') }}
),
{%- else -%}
days_of_periods as (
    {{ days_of_periods() }}
),

score_days as (
    select
        score_days.*,
        days_of_periods.period_key,
        days_of_periods.period_grain,
        days_of_periods.period_start
    from days_of_periods
    inner join {{ ref('int_score_days') }} as score_days
        on score_days.answered_date = days_of_periods.date_day
),
{%- endif %}

-- What customers add who answered before in the same period and cut.
score_repeats as (
    select
        repeats.*,
        split_part(repeats.period_key, ':', 1) as period_grain,
        cast(split_part(repeats.period_key, ':', 2) as date) as period_start
    from {{ ref('int_score_repeats') }} as repeats
    {%- if is_incremental() %}
    inner join scores_to_rebuild
        using ({{ score }})
    {%- endif %}
    where repeats.comparison = 'same'
),

-- Weeks overlap months: a confidential pool has none, or its hidden cells could be worked
-- out.
scores_summed as (
    select
        {{ score }},
        period_grain,
        period_start,
        {%- for column in counts + repeat_moments() %}
        cast(sum({{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {{ score }}, period_grain, period_start, {{ counts | join(', ') }},
            {% for column in repeat_moments() %}0 as {{ column }}{{ ', ' if not loop.last }}{% endfor %}
        from score_days
        union all
        select
            {{ score }}, period_grain, period_start,
            {% for column in counts %}0 as {{ column }}, {% endfor %}
            {{ repeat_moments() | join(', ') }}
        from score_repeats
    ) as days_and_repeats
    where not (period_grain = 'week' and is_confidential)
    group by {{ score }}, period_grain, period_start
),

-- Summed within each customer before it is squared: see int_score_repeats.
score_periods as (
    select
        {{ score_period_key() }} as score_period_key,
        period_key,
        metric,
        survey_kind,
        period_grain,
        breakdown,
        breakdown_value,
        {%- for column in score_counts() %}
        {{ column }},
        {%- endfor %}
        responses - respondents_again as respondents,
        test_sum_squares + 2 * sums_multiplied as customer_sums_squared,
        test_sum + sums_before_by_responses_after + responses_before_by_sums_after
            as customer_sums_by_responses,
        responses + 2 * responses_multiplied as customer_responses_squared,
        is_confidential,
        period_start,
        {{ period_end('scores_summed') }} as period_end
    from scores_summed
    where responses > 0
)

select * from score_periods
