-- Sums of the scores by week, month and quarter, in total and by each attribute, with what
-- a test of their change needs to know of customers with several answers.
create temporary table score_answers on commit drop as
with ordered as (
    select
        *,
        cast(answered_date as timestamp) as local_day,
        lag(answered_date) over answers_of_customer as answered_before,
        lead(answered_date) over answers_of_customer as answered_after
    from by_hand.fct_survey_responses
    where is_counted and metric in ('nps', 'csat', 'ces')
    window answers_of_customer as (
        partition by customer_key, metric, survey_kind, is_confidential
        order by answered_date
    )
)
select
    measure as metric, survey_kind, is_confidential, period_grain, period_start,
    case
        when answered_before >= period_start or answered_after < period_end then customer_key
    end as repeated_customer_key,
    coalesce(journey_stage, '(unknown)') as journey_stage,
    coalesce(touchpoint, '(unknown)') as touchpoint,
    coalesce(experience_channel, '(unknown)') as experience_channel,
    coalesce(environment, '(unknown)') as environment,
    coalesce(owner_area, '(unknown)') as owner_area,
    coalesce(segment, '(unknown)') as segment,
    coalesce(country, '(unknown)') as country,
    coalesce(product, '(unknown)') as product,
    coalesce(language, '(unknown)') as language,
    survey_id as survey,
    count(*) filter (where measure = 'nps' and score >= 9) as promoters,
    count(*) filter (where measure = 'nps' and score between 7 and 8) as passives,
    count(*) filter (where measure = 'nps' and score <= 6) as detractors,
    count(*) filter (where measure <> 'nps' and is_top_box) as top_box,
    sum(score) as score_sum,
    sum(score * score) as score_sum_squares,
    count(*) as responses,
    sum(tested) as test_sum,
    sum(tested * tested) as test_sum_squares
from ordered
inner join (
    values ('nps', 'nps'), ('csat', 'csat'), ('ces', 'ces'), ('ces', 'easy_share')
) as measures (metric, measure) using (metric)
cross join lateral (
    select case measure
        when 'nps' then cast(score >= 9 as integer) - cast(score <= 6 as integer)
        when 'ces' then score
        else cast(coalesce(is_top_box, false) as integer)
    end
) as test_values (tested)
cross join lateral (
    values
        ('week', date_trunc('week', local_day), interval '1 week'),
        ('month', date_trunc('month', local_day), interval '1 month'),
        ('quarter', date_trunc('quarter', local_day), interval '3 months')
) as grains (period_grain, started, length)
cross join lateral (
    select cast(started as date), cast(started + length as date)
) as periods (period_start, period_end)
where not (is_confidential and period_grain = 'week')
group by
    measure, survey_kind, is_confidential, period_grain, period_start,
    repeated_customer_key, 7, 8, 9, 10, 11, 12, 13, 14, 15, survey;
analyze score_answers;

create table by_hand.int_score_periods as
with single_answers as (
    select
        metric, survey_kind, is_confidential, period_grain, period_start,
        grouping(
            journey_stage, touchpoint, experience_channel, environment, owner_area, segment,
            country, product, language, survey
        ) as cut,
        coalesce(
            journey_stage, touchpoint, experience_channel, environment, owner_area, segment,
            country, product, language, survey, '(all)'
        ) as breakdown_value,
        sum(promoters) as promoters, sum(passives) as passives, sum(detractors) as detractors,
        sum(top_box) as top_box, sum(score_sum) as score_sum,
        sum(score_sum_squares) as score_sum_squares, sum(responses) as responses,
        sum(test_sum) as test_sum, sum(responses) as respondents,
        sum(test_sum_squares) as customer_sums_squared,
        sum(test_sum) as customer_sums_by_responses,
        sum(responses) as customer_responses_squared
    from score_answers
    where repeated_customer_key is null
    group by
        metric, survey_kind, is_confidential, period_grain, period_start,
        grouping sets (
            (), journey_stage, touchpoint, experience_channel, environment, owner_area,
            segment, country, product, language, survey
        )
),
repeated_customers as (
    select
        metric, survey_kind, is_confidential, period_grain, period_start,
        grouping(
            journey_stage, touchpoint, experience_channel, environment, owner_area, segment,
            country, product, language, survey
        ) as cut,
        coalesce(
            journey_stage, touchpoint, experience_channel, environment, owner_area, segment,
            country, product, language, survey, '(all)'
        ) as breakdown_value,
        sum(promoters) as promoters, sum(passives) as passives, sum(detractors) as detractors,
        sum(top_box) as top_box, sum(score_sum) as score_sum,
        sum(score_sum_squares) as score_sum_squares, sum(responses) as responses,
        sum(test_sum) as test_sum
    from score_answers
    where repeated_customer_key is not null
    group by
        metric, survey_kind, is_confidential, period_grain, period_start,
        repeated_customer_key,
        grouping sets (
            (), journey_stage, touchpoint, experience_channel, environment, owner_area,
            segment, country, product, language, survey
        )
),
cut_answers as (
    select * from single_answers
    union all
    select
        *, 1, test_sum * test_sum, test_sum * responses, responses * responses
    from repeated_customers
),
named as (
    select
        metric, survey_kind, is_confidential, period_grain, period_start,
        period_grain || ':' || period_start as period_key,
        case cut
            when 0b0111111111 then 'journey_stage'
            when 0b1011111111 then 'touchpoint'
            when 0b1101111111 then 'experience_channel'
            when 0b1110111111 then 'environment'
            when 0b1111011111 then 'owner_area'
            when 0b1111101111 then 'segment'
            when 0b1111110111 then 'country'
            when 0b1111111011 then 'product'
            when 0b1111111101 then 'language'
            when 0b1111111110 then 'survey'
            else 'total'
        end as breakdown,
        breakdown_value,
        cast(sum(promoters) as bigint) as promoters,
        cast(sum(passives) as bigint) as passives,
        cast(sum(detractors) as bigint) as detractors,
        cast(sum(top_box) as bigint) as top_box,
        cast(sum(score_sum) as bigint) as score_sum,
        cast(sum(score_sum_squares) as bigint) as score_sum_squares,
        cast(sum(responses) as bigint) as responses,
        cast(sum(test_sum) as bigint) as test_sum,
        cast(sum(respondents) as bigint) as respondents,
        cast(sum(customer_sums_squared) as bigint) as customer_sums_squared,
        cast(sum(customer_sums_by_responses) as bigint) as customer_sums_by_responses,
        cast(sum(customer_responses_squared) as bigint) as customer_responses_squared
    from cut_answers
    group by
        metric, survey_kind, is_confidential, period_grain, period_start, cut,
        breakdown_value
)
select
    concat_ws(
        '|', metric, survey_kind, case when is_confidential then 'confidential' end,
        period_key, breakdown, breakdown_value
    ) as score_period_key,
    *,
    cast(
        period_start + case period_grain
            when 'week' then interval '7 days'
            when 'month' then interval '1 month'
            else interval '3 months'
        end as date
    ) - 1 as period_end
from named;
create index on by_hand.int_score_periods (period_key);
create index on by_hand.int_score_periods (score_period_key);

-- What the test of a change needs to know of those who answered in both periods.
create temporary table score_tests on commit drop as
select
    customer_key, measure as metric, survey_kind, is_confidential, period_grain,
    cast(started as date) as period_start,
    cast(started - previous as date) as previous_start,
    cast(started - last_year as date) as last_year_start,
    coalesce(journey_stage, '(unknown)') as journey_stage,
    coalesce(touchpoint, '(unknown)') as touchpoint,
    coalesce(experience_channel, '(unknown)') as experience_channel,
    coalesce(environment, '(unknown)') as environment,
    coalesce(owner_area, '(unknown)') as owner_area,
    coalesce(segment, '(unknown)') as segment,
    coalesce(country, '(unknown)') as country,
    coalesce(product, '(unknown)') as product,
    coalesce(language, '(unknown)') as language,
    survey_id as survey,
    case measure
        when 'nps' then cast(score >= 9 as integer) - cast(score <= 6 as integer)
        when 'ces' then score
        else cast(coalesce(is_top_box, false) as integer)
    end as tested
from by_hand.fct_survey_responses
inner join (
    values ('nps', 'nps'), ('csat', 'csat'), ('ces', 'ces'), ('ces', 'easy_share')
) as measures (metric, measure) using (metric)
cross join lateral (select cast(answered_date as timestamp)) as days (local_day)
cross join lateral (
    values
        ('week', date_trunc('week', local_day), interval '7 days', interval '364 days'),
        ('month', date_trunc('month', local_day), interval '1 month', interval '1 year'),
        ('quarter', date_trunc('quarter', local_day), interval '3 months', interval '1 year')
) as grains (period_grain, started, previous, last_year)
where is_counted and not (is_confidential and period_grain = 'week');
analyze score_tests;

create temporary table customers_again on commit drop as
with customer_periods as (
    select distinct
        customer_key, metric, survey_kind, is_confidential, period_grain, period_start,
        previous_start, last_year_start
    from score_tests
)
select after.*, comparison, before_start
from customer_periods as after
cross join lateral (
    values ('previous', previous_start), ('last_year', last_year_start)
) as comparisons (comparison, before_start)
inner join customer_periods as before
    using (customer_key, metric, survey_kind, is_confidential, period_grain)
where before.period_start = before_start;
analyze customers_again;

create temporary table customers_cut on commit drop as
select
    customer_key, metric, survey_kind, is_confidential, period_grain, period_start,
    breakdown, breakdown_value, sum(tested) as test_sum, count(*) as responses
from score_tests
inner join (
    select customer_key, metric, survey_kind, is_confidential, period_grain, period_start
    from customers_again
    union
    select customer_key, metric, survey_kind, is_confidential, period_grain, before_start
    from customers_again
) as compared
    using (customer_key, metric, survey_kind, is_confidential, period_grain, period_start)
cross join lateral (
    values
        ('total', '(all)'), ('journey_stage', journey_stage), ('touchpoint', touchpoint),
        ('experience_channel', experience_channel), ('environment', environment),
        ('owner_area', owner_area), ('segment', segment), ('country', country),
        ('product', product), ('language', language), ('survey', survey)
) as cuts (breakdown, breakdown_value)
group by
    customer_key, metric, survey_kind, is_confidential, period_grain, period_start,
    breakdown, breakdown_value;
analyze customers_cut;

create table by_hand.int_score_changes as
with named as (
    select
        concat_ws(
            '|', metric, survey_kind, case when is_confidential then 'confidential' end,
            period_grain || ':' || after.period_start, breakdown, breakdown_value
        ) as score_period_key,
        period_grain || ':' || after.period_start as period_key,
        comparison,
        before.test_sum as sum_before, before.responses as responses_before,
        after.test_sum as sum_after, after.responses as responses_after
    from customers_again
    inner join customers_cut as after
        using (customer_key, metric, survey_kind, is_confidential, period_grain, period_start)
    inner join customers_cut as before
        using (
            customer_key, metric, survey_kind, is_confidential, period_grain, breakdown,
            breakdown_value
        )
    where before.period_start = before_start
)
select
    score_period_key || '|' || comparison as score_change_key,
    score_period_key, period_key, comparison,
    count(*) as respondents_in_both,
    cast(sum(sum_before * sum_after) as bigint) as sums_multiplied,
    cast(sum(sum_before * responses_after) as bigint) as sums_before_by_responses_after,
    cast(sum(responses_before * sum_after) as bigint) as responses_before_by_sums_after,
    cast(sum(responses_before * responses_after) as bigint) as responses_multiplied
from named
group by score_period_key, period_key, comparison;
create index on by_hand.int_score_changes (period_key);
create index on by_hand.int_score_changes (score_period_key);
