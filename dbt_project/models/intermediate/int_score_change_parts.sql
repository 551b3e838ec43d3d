{% set rebuild_when %}{% raw %}
    {{ with_periods_compared(changed_period_parts()) }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['period_part', 'score_change_key'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_part', 'marks': ['period_key']},
    indexes=[{'columns': ['period_part']}, {'columns': ['period_key']}],
    pre_hook=hash_all_groups_and_joins(),
) }}

{%- set attributes = score_attributes() | join(', ') %}

with
{%- if is_incremental() %}

parts_after as (
    {{ parts_to_rebuild() }}
),

parts as (
    select * from parts_after
    {%- for comparison in ['previous', 'last_year'] %}
    union
    select
        period_grain,
        {{ compared_period_start('period_start', 'period_grain', comparison) }},
        part
    from parts_after
    {%- endfor %}
),

days_of_parts as (
    {{ score_days_of('parts') }}
),
{%- endif %}

totals as (
    select *
    from {{ ref('int_score_periods') }}
    where breakdown = 'total'
),

-- Periods of a pool that both have answers.
period_pairs as (
    {%- for comparison in ['previous', 'last_year'] %}
    select
        '{{ comparison }}' as comparison,
        after.metric,
        after.survey_kind,
        after.is_confidential,
        after.period_grain,
        after.period_key,
        before.period_key as before_period_key
    from totals as after
    inner join totals as before
        on before.metric = after.metric
        and before.survey_kind = after.survey_kind
        and before.is_confidential = after.is_confidential
        and before.period_grain = after.period_grain
        and before.period_start = {{ compared_period_start(
            'after.period_start', 'after.period_grain', comparison
        ) }}
    {%- if is_incremental() %}
    where (after.period_grain, after.period_start) in (
        select period_grain, period_start from parts_after
    )
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

days_of_pairs as (
    {{ days_of_periods(
        "grains.period_grain || ':' || grains.period_start in ("
        "select period_key from period_pairs union select before_period_key from period_pairs)"
    ) }}
),

answers as materialized (
    {{ score_answers('days_of_parts') }}
),

-- `offset 0` and `materialized` keep the planner from joining pairs of periods and days
-- before customers: it would hold every customer against every other.
answers_of_periods as not materialized (
    select
        days_of_pairs.period_key,
        answers.*
    from days_of_pairs
    inner join answers
        on answers.answered_date = days_of_pairs.date_day
    offset 0
),

customers_of_periods as materialized (
    select distinct period_key, metric, survey_kind, is_confidential, customer_key
    from answers_of_periods
),

customers_after as materialized (
    select
        period_pairs.*,
        {{ period_part(
            'period_pairs.period_key', 'period_pairs.period_grain',
            'customers_of_periods.customer_key'
        ) }} as period_part,
        customers_of_periods.customer_key
    from period_pairs
    inner join customers_of_periods
        on customers_of_periods.period_key = period_pairs.period_key
        and customers_of_periods.metric = period_pairs.metric
        and customers_of_periods.survey_kind = period_pairs.survey_kind
        and customers_of_periods.is_confidential = period_pairs.is_confidential
    where {{ to_rebuild(period_part(
        'period_pairs.period_key', 'period_pairs.period_grain',
        'customers_of_periods.customer_key'
    )) }}
),

customers_of_both as materialized (
    select after.*
    from customers_after as after
    inner join customers_of_periods as before
        on before.period_key = after.before_period_key
        and before.metric = after.metric
        and before.survey_kind = after.survey_kind
        and before.is_confidential = after.is_confidential
        and before.customer_key = after.customer_key
),

sides_of_customers as materialized (
    select
        customers_of_both.*,
        sides.is_after,
        sides.side_period_key
    from customers_of_both
    cross join lateral (
        values
            (true, customers_of_both.period_key),
            (false, customers_of_both.before_period_key)
    ) as sides (is_after, side_period_key)
),

answers_of_both as (
    select
        sides.period_key, sides.period_part, sides.comparison, sides.metric,
        sides.survey_kind, sides.is_confidential, sides.customer_key, sides.is_after, {{ attributes }},
        answers.test_value
    from sides_of_customers as sides
    inner join answers_of_periods as answers
        on answers.period_key = sides.side_period_key
        and answers.metric = sides.metric
        and answers.survey_kind = sides.survey_kind
        and answers.is_confidential = sides.is_confidential
        and answers.customer_key = sides.customer_key
),

-- One row per customer who answered within the cut in both periods.
customers_cut as (
    select
        answers_of_both.period_key, answers_of_both.period_part, answers_of_both.comparison,
        answers_of_both.metric, answers_of_both.survey_kind, answers_of_both.is_confidential,
        cuts.breakdown,
        cuts.breakdown_value,
        sum(answers_of_both.test_value) filter (where not answers_of_both.is_after)
            as sum_before,
        count(*) filter (where not answers_of_both.is_after) as responses_before,
        sum(answers_of_both.test_value) filter (where answers_of_both.is_after) as sum_after,
        count(*) filter (where answers_of_both.is_after) as responses_after
    from answers_of_both
    {{ score_cuts('answers_of_both') }}
    group by
        answers_of_both.period_key, answers_of_both.period_part, answers_of_both.comparison,
        answers_of_both.metric, answers_of_both.survey_kind, answers_of_both.is_confidential,
        answers_of_both.customer_key, cuts.breakdown, cuts.breakdown_value
    having count(*) filter (where answers_of_both.is_after) between 1 and count(*) - 1
),

score_change_parts as (
    select
        period_part,
        {{ score_period_key() }} || '|' || comparison as score_change_key,
        {{ score_period_key() }} as score_period_key,
        period_key,
        comparison,
        count(*) as respondents_in_both,
        cast(sum(sum_before * sum_after) as bigint) as sums_multiplied,
        cast(sum(sum_before * responses_after) as bigint) as sums_before_by_responses_after,
        cast(sum(responses_before * sum_after) as bigint) as responses_before_by_sums_after,
        cast(sum(responses_before * responses_after) as bigint) as responses_multiplied
    from customers_cut
    group by
        metric, survey_kind, is_confidential, period_key, period_part, breakdown,
        breakdown_value, comparison
)

select * from score_change_parts
