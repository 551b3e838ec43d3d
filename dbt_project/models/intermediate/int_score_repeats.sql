{#
    Squares of sums, summed day by day: an answer x after others of the same customer that
    sum to S and number n changes S * S by x * x + 2 * S * x, and the same holds for S * n and
    n * n. So what a customer's answers have to do with each other is counted with the later
    one; a new answer changes the sums of its own day alone.
#}
{% set rebuild_when %}{% raw %}
    select repeat_part from ({{ changed_score_answers() }}) as changed
    union
    -- the customer's later answers, in this period and those compared with it
    select {{ repeat_part('later.answered_date', 'changed.customer_key') }}
    from ({{ changed_score_answers() }}) as changed
    cross join lateral (
        select answers.answered_date
        from {{ ref('fct_survey_responses') }} as answers
        where answers.customer_key = changed.customer_key
            and answers.answered_date >= {{ date_of_repeat_part('changed.repeat_part') }}
            and answers.is_counted
            and answers.metric <> 'driver'
        offset 0  -- by index, customer by customer
    ) as later
{% endraw %}{% endset %}

{%- set pool = ['metric', 'survey_kind', 'is_confidential'] %}

{{ config(
    unique_key=['repeat_part', 'period_key', 'comparison', 'breakdown', 'breakdown_value'] + pool,
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'repeat_part',
        'marks': [
            {'same_period': "case comparison when 'same' then " ~ score_period_key() ~ ' end'},
            {'compared': "case when comparison <> 'same' then " ~ score_period_key() ~ ' end'},
        ],
    },
    indexes=[
        {'columns': ['repeat_part']},
        {'columns': ['period_key', 'breakdown_value', 'breakdown', 'comparison', 'metric']},
    ],
    pre_hook=hash_all_groups() + join_by_hash(),
) }}

{%- set pool = pool | join(', ') %}
{%- set attributes = score_attributes() | join(', ') %}

with

days_of_periods as (
    {{ days_of_periods() }}
),

periods as materialized (
    select
        row_number() over () as period_number,
        days.*
    from (select distinct period_key, period_grain, period_start from days_of_periods) as days
),

-- A period's answers come after others of the same period, and after those of two more.
comparisons as materialized (
    select
        'same' as comparison,
        period_number,
        period_number as before_period_number
    from periods
    {%- for comparison in ['previous', 'last_year'] %}
    union all
    select
        '{{ comparison }}' as comparison,
        after.period_number,
        before.period_number as before_period_number
    from periods as after
    inner join periods as before
        on before.period_grain = after.period_grain
        and before.period_start = {{ compared_period_start(
            'after.period_start', 'after.period_grain', comparison
        ) }}
    {%- endfor %}
),

-- Who answered when: out of an index alone.
answers_dated as materialized (
    select
        {{ score_pool() }},
        answers.customer_key,
        answers.answered_date,
        {{ repeat_part('answers.answered_date', 'answers.customer_key') }} as repeat_part
    from {{ ref('fct_survey_responses') }} as answers
    {{ score_measures() }}
    where answers.is_counted
        {%- if is_incremental() %}
        and answers.customer_key = any(array(
            select rebuilt.customer_key
            from {{ ref('fct_survey_responses') }} as rebuilt
            where {{ repeat_part('rebuilt.answered_date', 'rebuilt.customer_key') }}
                = any({{ repeat_parts_to_rebuild() }})
                and rebuilt.is_counted
                and rebuilt.metric <> 'driver'
        ))
        {%- endif %}
),

-- Numbers stand for wide text from here on: of the pools, of answers that agree in
-- everything, and of the cuts of a pool.
pools as materialized (
    select
        row_number() over () as pool_number,
        {{ pool }}
    from answers_dated
    group by {{ pool }}
),

-- Weeks overlap months: a confidential pool has none, or its hidden cells could be worked
-- out.
answers_of_periods as materialized (
    select
        answers_dated.customer_key,
        periods.period_number,
        pools.pool_number,
        answers_dated.answered_date,
        answers_dated.repeat_part
    from answers_dated
    inner join pools
        using ({{ pool }})
    inner join days_of_periods
        on days_of_periods.date_day = answers_dated.answered_date
        and not (days_of_periods.period_grain = 'week' and answers_dated.is_confidential)
    inner join periods
        on periods.period_key = days_of_periods.period_key
),

customers_of_periods as materialized (
    select
        customer_key,
        pool_number,
        period_number,
        count(*) as responses,
        bool_or({{ to_rebuild('repeat_part', 'integer') }}) as is_to_rebuild
    from answers_of_periods
    group by customer_key, pool_number, period_number
),

-- Periods are paired before customers are looked up: `materialized`, here and below, keeps
-- the planner from holding all periods of a customer against each other.
customers_compared as materialized (
    select
        customers_of_periods.*,
        comparisons.comparison,
        comparisons.before_period_number
    from customers_of_periods
    inner join comparisons
        on comparisons.period_number = customers_of_periods.period_number
    where customers_of_periods.is_to_rebuild
        and (comparisons.comparison <> 'same' or customers_of_periods.responses > 1)
),

customers_again as materialized (
    select
        after.customer_key,
        after.pool_number,
        after.period_number,
        after.comparison,
        after.before_period_number
    from customers_compared as after
    inner join customers_of_periods as before
        on before.customer_key = after.customer_key
        and before.pool_number = after.pool_number
        and before.period_number = after.before_period_number
),

-- What is cut are the answers of those who answered again, and no others.
periods_of_those as materialized (
    select customer_key, pool_number, period_number from customers_again
    union
    select customer_key, pool_number, before_period_number from customers_again
),

days_of_those as materialized (
    select distinct
        customer_key,
        pool_number,
        period_number,
        answers_of_periods.answered_date
    from answers_of_periods
    inner join periods_of_those
        using (customer_key, pool_number, period_number)
),

answers as materialized (
    {% set rebuilt_answers %}
        select found.*
        from (select distinct customer_key, answered_date from days_of_those) as wanted
        cross join lateral (
            select *
            from {{ ref('fct_survey_responses') }} as all_answers
            where all_answers.customer_key = wanted.customer_key
                and all_answers.answered_date = wanted.answered_date
            offset 0  -- by index, one by one
        ) as found
    {% endset %}
    {{ score_answers(rebuilt_answers) }}
),

alike_answers as materialized (
    select
        row_number() over () as alike_number,
        {{ pool }}, {{ attributes }}
    from answers
    group by {{ pool }}, {{ attributes }}
),

alike_answers_cut as materialized (
    select
        alike.alike_number,
        dense_rank() over (
            order by
                alike.metric, alike.survey_kind, alike.is_confidential,
                cuts.breakdown collate "C", cuts.breakdown_value collate "C"
        ) as cut_number,
        alike.metric,
        alike.survey_kind,
        alike.is_confidential,
        cuts.breakdown,
        cuts.breakdown_value
    from alike_answers as alike
    {{ score_cuts('alike') }}
),

answers_numbered as materialized (
    select
        answers.customer_key,
        pools.pool_number,
        alike_answers.alike_number,
        answers.answered_date,
        answers.repeat_part,
        answers.test_value
    from answers
    inner join pools
        using ({{ pool }})
    inner join alike_answers
        using ({{ pool }}, {{ attributes }})
),

answers_cut as materialized (
    select
        answers.customer_key,
        answers.pool_number,
        days_of_those.period_number,
        cuts.cut_number,
        answers.answered_date,
        answers.repeat_part,
        answers.test_value
    from answers_numbered as answers
    inner join days_of_those
        using (customer_key, pool_number, answered_date)
    inner join alike_answers_cut as cuts
        on cuts.alike_number = answers.alike_number
),

-- Of answers of one day, the lower comes first: the same sums in every build.
answers_in_order as (
    select
        *,
        count(*) over its_earlier_answers as responses_before,
        sum(test_value) over its_earlier_answers as sum_before
    from answers_cut
    window its_earlier_answers as (
        partition by customer_key, cut_number, period_number
        order by answered_date, test_value
        rows between unbounded preceding and 1 preceding
    )
),

customers_cut as (
    select
        customer_key,
        cut_number,
        period_number,
        count(*) as responses_before,
        sum(test_value) as sum_before
    from answers_cut
    group by customer_key, cut_number, period_number
),

answers_compared as materialized (
    select
        answers_in_order.*,
        customers_again.comparison,
        customers_again.before_period_number
    from answers_in_order
    inner join customers_again
        on customers_again.customer_key = answers_in_order.customer_key
        and customers_again.pool_number = answers_in_order.pool_number
        and customers_again.period_number = answers_in_order.period_number
        and customers_again.comparison <> 'same'
    where {{ to_rebuild('answers_in_order.repeat_part', 'integer') }}
),

answers_after_others as (
    select
        'same' as comparison,
        period_number,
        cut_number,
        repeat_part,
        test_value,
        responses_before,
        sum_before,
        true as is_counted_again
    from answers_in_order
    where responses_before > 0
        and {{ to_rebuild('repeat_part', 'integer') }}
    union all
    select
        after.comparison,
        after.period_number,
        after.cut_number,
        after.repeat_part,
        after.test_value,
        before.responses_before,
        before.sum_before,
        after.responses_before = 0 as is_counted_again
    from answers_compared as after
    inner join customers_cut as before
        on before.customer_key = after.customer_key
        and before.cut_number = after.cut_number
        and before.period_number = after.before_period_number
),

repeats_summed as (
    select
        repeat_part,
        period_number,
        cut_number,
        comparison,
        count(*) filter (where is_counted_again) as respondents_again,
        cast(sum(sum_before * test_value) as bigint) as sums_multiplied,
        cast(sum(sum_before) as bigint) as sums_before_by_responses_after,
        cast(sum(responses_before * test_value) as bigint) as responses_before_by_sums_after,
        cast(sum(responses_before) as bigint) as responses_multiplied
    from answers_after_others
    group by repeat_part, period_number, cut_number, comparison
),

score_repeats as (
    select
        repeats_summed.repeat_part,
        periods.period_key,
        repeats_summed.comparison,
        cuts.metric,
        cuts.survey_kind,
        cuts.breakdown,
        cuts.breakdown_value,
        {%- for column in repeat_moments() %}
        repeats_summed.{{ column }},
        {%- endfor %}
        cuts.is_confidential
    from repeats_summed
    inner join periods
        on periods.period_number = repeats_summed.period_number
    inner join (
        select distinct
            cut_number, metric, survey_kind, is_confidential, breakdown, breakdown_value
        from alike_answers_cut
    ) as cuts
        on cuts.cut_number = repeats_summed.cut_number
)

select * from score_repeats
