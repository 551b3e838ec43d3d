{% set rebuild_when %}{% raw %}
    {{ changed_period_parts() }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['period_part', 'score_period_key'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_part', 'marks': ['period_key']},
    indexes=[{'columns': ['period_part']}, {'columns': ['period_key']}],
    pre_hook=hash_all_groups_and_joins(),
) }}

{%- set attributes = score_attributes() | join(', ') %}
{%- set counts = score_counts() %}
{%- set sums = score_sums() %}

with

days_of_periods as (
    {{ days_of_periods('true') }}
),
{%- if is_incremental() %}

parts as (
    {{ parts_to_rebuild() }}
),

days_of_parts as (
    {{ score_days_of('parts') }}
),
{%- endif %}

answers as materialized (
    {{ score_answers('days_of_parts') }}
),

-- The same customer's answers before and after, within one metric and kind of survey.
answers_in_order as (
    select
        *,
        lag(answered_date) over its_customers_answers as answered_before,
        lead(answered_date) over its_customers_answers as answered_after
    from answers
    window its_customers_answers as (
        partition by customer_key, metric, survey_kind, is_confidential
        order by answered_date
    )
),

-- A customer matters only where he answered more than once within the period. Weeks
-- overlap months: a confidential pool has none, or its hidden cells could be worked out.
answers_of_periods as (
    select
        days_of_periods.period_grain,
        days_of_periods.period_start,
        {{ period_part(
            'days_of_periods.period_key', 'days_of_periods.period_grain',
            'answers_in_order.customer_key'
        ) }} as period_part,
        case
            when answers_in_order.answered_before >= days_of_periods.period_start
                or answers_in_order.answered_after <= days_of_periods.period_end
                then answers_in_order.customer_key
        end as repeated_customer_key,
        answers_in_order.*
    from days_of_periods
    inner join answers_in_order
        on answers_in_order.answered_date = days_of_periods.date_day
        and not (days_of_periods.period_grain = 'week' and answers_in_order.is_confidential)
    where {{ to_rebuild(period_part(
        'days_of_periods.period_key', 'days_of_periods.period_grain',
        'answers_in_order.customer_key'
    )) }}
),

-- Answers that agree in everything are counted together before they are cut.
alike_answers_counted as (
    select
        period_grain, period_start, period_part, metric, survey_kind, is_confidential,
        repeated_customer_key, {{ attributes }},
        count(*) filter (where metric = 'nps' and score >= 9) as promoters,
        count(*) filter (where metric = 'nps' and score between 7 and 8) as passives,
        count(*) filter (where metric = 'nps' and score <= 6) as detractors,
        count(*) filter (where metric <> 'nps' and is_top_box) as top_box,
        sum(score) as score_sum,
        sum(score * score) as score_sum_squares,
        count(*) as responses,
        sum(test_value) as test_sum,
        sum(test_value * test_value) as test_sum_squares
    from answers_of_periods
    group by
        period_grain, period_start, period_part, metric, survey_kind, is_confidential,
        repeated_customer_key, {{ attributes }}
),

-- With one answer each, a customer's sum is the answer, and his number of answers 1.
single_answers_cut as (
    select
        alike.period_grain, alike.period_start, alike.period_part, alike.metric,
        alike.survey_kind,
        alike.is_confidential,
        cuts.breakdown,
        cuts.breakdown_value,
        {%- for column in counts %}
        alike.{{ column }},
        {%- endfor %}
        alike.responses as respondents,
        alike.test_sum_squares as customer_sums_squared,
        alike.test_sum as customer_sums_by_responses,
        alike.responses as customer_responses_squared
    from alike_answers_counted as alike
    {{ score_cuts('alike') }}
    where alike.repeated_customer_key is null
),

-- One row per customer with several answers, and cut.
repeated_customers_cut as (
    select
        alike.period_grain, alike.period_start, alike.period_part, alike.metric,
        alike.survey_kind,
        alike.is_confidential,
        cuts.breakdown,
        cuts.breakdown_value,
        {%- for column in counts %}
        cast(sum(alike.{{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from alike_answers_counted as alike
    {{ score_cuts('alike') }}
    where alike.repeated_customer_key is not null
    group by
        alike.period_grain, alike.period_start, alike.period_part, alike.metric,
        alike.survey_kind,
        alike.is_confidential, alike.repeated_customer_key,
        cuts.breakdown, cuts.breakdown_value
),

repeated_answers_cut as (
    select
        period_grain, period_start, period_part, metric, survey_kind, is_confidential,
        breakdown, breakdown_value,
        {{ counts | join(', ') }},
        1 as respondents,
        test_sum * test_sum as customer_sums_squared,
        test_sum * responses as customer_sums_by_responses,
        responses * responses as customer_responses_squared
    from repeated_customers_cut
),

answers_cut as (
    select * from single_answers_cut
    union all
    select * from repeated_answers_cut
),

cuts_summed as (
    select
        period_grain || ':' || period_start as period_key,
        period_grain, period_start, period_part, metric, survey_kind, is_confidential,
        breakdown, breakdown_value,
        {%- for column in sums %}
        cast(sum({{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from answers_cut
    group by
        period_grain, period_start, period_part, metric, survey_kind, is_confidential,
        breakdown, breakdown_value
),

score_period_parts as (
    select
        period_part,
        {{ score_period_key() }} as score_period_key,
        period_key,
        metric,
        survey_kind,
        period_grain,
        breakdown,
        breakdown_value,
        {{ sums | join(',\n        ') }},
        is_confidential,
        period_start
    from cuts_summed
)

select * from score_period_parts
