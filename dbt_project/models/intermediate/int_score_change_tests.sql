{% set rebuild_when %}{% raw %}
    {{ with_periods_compared('select key from ' ~ dirty('int_score_periods.period_key') ~ ' as counted') }}
    union
    select key from {{ dirty('int_score_changes.period_key') }} as of_the_same_customers
{% endraw %}{% endset %}

{{ config(
    unique_key='score_change_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
    pre_hook=join_by_hash(),
) }}

{%- set moments = [
    'test_sum', 'responses', 'respondents', 'customer_sums_squared',
    'customer_sums_by_responses', 'customer_responses_squared',
] %}
{%- set shared_moments = [
    'respondents_in_both', 'sums_multiplied', 'sums_before_by_responses_after',
    'responses_before_by_sums_after', 'responses_multiplied',
] %}

with

score_changes as (
    select *
    from {{ ref('int_score_changes') }}
    where {{ to_rebuild('period_key') }}
),

-- The test that knows its customers needs thirty of them in each period, and some
-- difference among them; the one that takes the answers for independent stands in for it.
changes_tested as (
    select
        after.score_period_key || '|' || comparisons.comparison as score_change_key,
        after.score_period_key,
        before.score_period_key as before_score_period_key,
        after.period_key,
        comparisons.comparison,
        {{ score_of('before') }} as score_before,
        {{ score_of('after') }} as score_after,
        case
            when before.respondents >= 30 and after.respondents >= 30
                then {{ cx('clustered_change_p_value') }}(
                    {%- for side in ['before', 'after'] %}
                    {%- for moment in moments %}
                    {{ side }}.{{ moment }},
                    {%- endfor %}
                    {%- endfor %}
                    {%- for moment in shared_moments %}
                    coalesce(score_changes.{{ moment }}, 0){{ ',' if not loop.last }}
                    {%- endfor %}
                )
        end as clustered_p_value,
        case after.metric
            when 'nps' then {{ cx('nps_change_p_value') }}(
                before.promoters, before.passives, before.detractors,
                after.promoters, after.passives, after.detractors
            )
            when 'ces' then {{ cx('ces_change_p_value') }}(
                before.score_sum, before.score_sum_squares, before.responses,
                after.score_sum, after.score_sum_squares, after.responses
            )
            else {{ cx('share_change_p_value') }}(
                before.top_box, before.responses, after.top_box, after.responses
            )
        end as independent_p_value,
        {{ cx('sample_status') }}(before.responses) = 'reportable'
            and {{ cx('sample_status') }}(after.responses) = 'reportable'
            as is_reportable_in_both
    from {{ ref('int_score_periods') }} as after
    cross join (values ('previous'), ('last_year')) as comparisons (comparison)
    inner join {{ ref('int_score_periods') }} as before
        on before.metric = after.metric
        and before.survey_kind = after.survey_kind
        and before.is_confidential = after.is_confidential
        and before.breakdown = after.breakdown
        and before.breakdown_value = after.breakdown_value
        and before.period_key = after.period_grain || ':' || case comparisons.comparison
            when 'previous' then {{ compared_period_start(
                'after.period_start', 'after.period_grain', 'previous'
            ) }}
            else {{ compared_period_start(
                'after.period_start', 'after.period_grain', 'last_year'
            ) }}
        end
    left join score_changes
        on score_changes.score_period_key = after.score_period_key
        and score_changes.comparison = comparisons.comparison
    where {{ to_rebuild('after.period_key') }}
),

score_change_tests as (
    select
        score_change_key,
        score_period_key,
        before_score_period_key,
        period_key,
        comparison,
        case
            when clustered_p_value is not null then 'customer_clustered'
            when independent_p_value is not null then 'independent_adjusted'
        end as change_method,
        score_before,
        score_after - score_before as score_change,
        coalesce(clustered_p_value, independent_p_value) as p_value,
        is_reportable_in_both
    from changes_tested
)

select * from score_change_tests
