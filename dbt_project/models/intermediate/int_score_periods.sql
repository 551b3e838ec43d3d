{% set rebuild_when %}{% raw %}
    select grains.period_grain || ':' || cast(
        date_trunc(grains.period_grain, cast(days.key as timestamp)) as date
    )
    from {{ dirty('int_score_days.answered_date') }} as days
    cross join (values ('week'), ('month'), ('quarter')) as grains (period_grain)
    union
    select key from {{ dirty('int_score_repeats.period_key') }} as repeats
{% endraw %}{% endset %}

{{ config(
    unique_key='score_period_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
) }}

{%- set pool_and_cut = [
    'metric', 'survey_kind', 'is_confidential', 'breakdown', 'breakdown_value',
] %}
{%- set score = (['period_key'] + pool_and_cut) | join(', ') %}

with

days_of_periods as (
    {{ days_of_periods(to_rebuild("grains.period_grain || ':' || grains.period_start")) }}
),

-- Weeks overlap months: a confidential pool has none, or its hidden cells could be worked
-- out.
days_summed as (
    select
        {{ score }},
        period_grain,
        {%- for column in score_counts() + ['test_sum_squares'] %}
        cast(sum({{ column }}) as bigint) as {{ column }},
        {%- endfor %}
        period_start,
        period_end
    from days_of_periods
    inner join {{ ref('int_score_days') }} as score_days
        on score_days.answered_date = days_of_periods.date_day
        and not (days_of_periods.period_grain = 'week' and score_days.is_confidential)
    group by {{ score }}, period_grain, period_start, period_end
),

-- What customers add who answered before in the same period and cut.
repeats_summed as (
    select
        {{ score }},
        {%- for column in repeat_moments() %}
        cast(sum({{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_score_repeats') }}
    where comparison = 'same'
        and {{ to_rebuild('period_key') }}
    group by {{ score }}
),

-- Summed within each customer before it is squared: see int_score_repeats.
score_periods as (
    select
        {{ score_period_key() }} as score_period_key,
        days_summed.period_key,
        days_summed.metric,
        days_summed.survey_kind,
        days_summed.period_grain,
        days_summed.breakdown,
        days_summed.breakdown_value,
        {%- for column in score_counts() %}
        days_summed.{{ column }},
        {%- endfor %}
        days_summed.responses - coalesce(repeats.respondents_again, 0) as respondents,
        days_summed.test_sum_squares + 2 * coalesce(repeats.sums_multiplied, 0)
            as customer_sums_squared,
        days_summed.test_sum + coalesce(
            repeats.sums_before_by_responses_after + repeats.responses_before_by_sums_after, 0
        ) as customer_sums_by_responses,
        days_summed.responses + 2 * coalesce(repeats.responses_multiplied, 0)
            as customer_responses_squared,
        days_summed.is_confidential,
        days_summed.period_start,
        days_summed.period_end
    from days_summed
    left join repeats_summed as repeats
        using ({{ score }})
)

select * from score_periods
