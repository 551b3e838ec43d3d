{% set rebuild_when %}{% raw %}
    {{ with_periods_compared('select key from ' ~ dirty('statistics.period_key') ~ ' as hidden_or_weighted') }}
    union
    select key from {{ dirty('int_score_periods.period_key') }} as counted
    union
    select key from {{ dirty('int_score_change_tests.period_key') }} as changed
    union
    select completed.period_key
    from {{ ref('int_score_periods') }} as completed
    where {{ completeness_may_have_changed('completed.period_start', 'completed.period_end') }}
{% endraw %}{% endset %}

{{ config(
    unique_key='score_period_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[
        {'columns': ['period_key', 'metric', 'survey_kind', 'breakdown', 'breakdown_value']},
    ],
    pre_hook=join_by_hash(),
) }}

with

scores_suppressed as (
    select *
    from {{ source('statistics', 'hidden_scores') }}
),

-- Whoever keeps last night's scores of a running period would see what the night added.
scores_unfinished as (
    select
        periods.score_period_key,
        'incomplete' as hidden_as
    from {{ ref('int_score_periods') }} as periods
    left join scores_suppressed
        on scores_suppressed.score_period_key = periods.score_period_key
    where periods.is_confidential
        and scores_suppressed.score_period_key is null
        and not {{ is_complete_period() }}
),

hidden_scores as (
    select score_period_key, hidden_as from scores_suppressed
    union all
    select score_period_key, hidden_as from scores_unfinished
),

periods as (
    select
        periods.*,
        hidden_scores.hidden_as,
        hidden_scores.hidden_as is not null as is_hidden
    from {{ ref('int_score_periods') }} as periods
    left join hidden_scores
        on hidden_scores.score_period_key = periods.score_period_key
    where {{ to_rebuild('periods.period_key') }}
),

-- A change tells both scores, so both must be shown.
changes_shown as (
    select
        tests.*,
        periods.metric,
        periods.survey_kind,
        periods.is_confidential,
        periods.breakdown,
        tests.is_reportable_in_both and tests.p_value is not null as is_in_family
    from periods
    inner join {{ ref('int_score_change_tests') }} as tests
        on tests.score_period_key = periods.score_period_key
    left join hidden_scores as hidden_before
        on hidden_before.score_period_key = tests.before_score_period_key
    where not periods.is_hidden
        and hidden_before.score_period_key is null
),

-- Benjamini and Hochberg: p times the number of tests of the family, over its rank.
changes_ranked as (
    select
        *,
        p_value * count(*) over its_family
        / count(*) over (its_family order by p_value) as p_value_by_rank
    from changes_shown
    window its_family as (
        partition by
            metric, survey_kind, is_confidential, period_key, breakdown, comparison,
            is_in_family
    )
),

-- No test is adjusted above one with a higher p.
changes_adjusted as (
    select
        *,
        case
            when is_in_family
                then round(least(1.0, min(p_value_by_rank) over (
                    partition by
                        metric, survey_kind, is_confidential, period_key, breakdown,
                        comparison, is_in_family
                    order by p_value
                    range between current row and unbounded following
                )), 10)
        end as p_value_adjusted
    from changes_ranked
),

targets_in_force as (
    select
        *,
        lead(valid_from) over (
            partition by metric, survey_kind, breakdown, breakdown_value
            order by valid_from
        ) as valid_until
    from {{ ref('targets') }}
),

scores as (
    select
        periods.*,
        {{ score_of('periods') }} as score,
        case metric
            when 'nps' then {{ cx('nps_low_95') }}(promoters, passives, detractors)
            when 'ces' then {{ cx('ces_low_95') }}(score_sum, score_sum_squares, responses)
            else {{ cx('share_low_95') }}(top_box, responses)
        end as score_low_95,
        case metric
            when 'nps' then {{ cx('nps_high_95') }}(promoters, passives, detractors)
            when 'ces' then {{ cx('ces_high_95') }}(score_sum, score_sum_squares, responses)
            else {{ cx('share_high_95') }}(top_box, responses)
        end as score_high_95,
        {{ is_complete_period() }} as is_complete_period
    from periods
),

experience_scores as (
    select
        scores.score_period_key,
        scores.period_key,
        scores.metric,
        scores.survey_kind,
        scores.period_grain,
        case scores.period_grain
            when 'week' then to_char(scores.period_start, 'IYYY-"W"IW')
            when 'month' then to_char(scores.period_start, 'YYYY-MM')
            else to_char(scores.period_start, 'YYYY-"Q"Q')
        end as period_label,
        scores.breakdown,
        scores.breakdown_value,
        {%- for column, metrics in [
            ('promoters', "= 'nps'"), ('passives', "= 'nps'"), ('detractors', "= 'nps'"),
            ('top_box', "<> 'nps'"), ('score_sum', "<> 'nps'"), ('score_sum_squares', "<> 'nps'"),
        ] %}
        case when not scores.is_hidden and scores.metric {{ metrics }} then scores.{{ column }} end
            as {{ column }},
        {%- endfor %}
        {%- for column in ['responses', 'respondents', 'score', 'score_low_95', 'score_high_95'] %}
        case when not scores.is_hidden then scores.{{ column }} end as {{ column }},
        {%- endfor %}
        previous.score_before as previous_score,
        previous.score_change,
        previous.p_value,
        previous.p_value_adjusted,
        previous.p_value_adjusted < 0.05 as is_significant_change,
        previous.change_method,
        last_year.score_before as last_year_score,
        last_year.score_change as last_year_change,
        last_year.p_value as last_year_p_value,
        last_year.p_value_adjusted as last_year_p_value_adjusted,
        last_year.p_value_adjusted < 0.05 as is_significant_last_year_change,
        last_year.change_method as last_year_change_method,
        targets_in_force.target,
        case when not scores.is_hidden then round(scores.score - targets_in_force.target, 6) end
            as gap_to_target,
        weighted_scores.weighted_score,
        weighted_scores.weighted_low_95,
        weighted_scores.weighted_high_95,
        weighted_scores.effective_responses,
        weighted_scores.design_effect,
        weighted_scores.weighting_cells_collapsed,
        weighted_scores.unplaced_responses,
        scores.hidden_as,
        case when scores.is_hidden then 'hidden' else {{ cx('sample_status') }}(scores.responses) end
            as sample_status,
        scores.is_confidential,
        scores.is_complete_period,
        scores.period_start,
        scores.period_end
    from scores
    left join changes_adjusted as previous
        on previous.score_period_key = scores.score_period_key
        and previous.comparison = 'previous'
    left join changes_adjusted as last_year
        on last_year.score_period_key = scores.score_period_key
        and last_year.comparison = 'last_year'
    left join targets_in_force
        on targets_in_force.metric = scores.metric
        and targets_in_force.survey_kind = scores.survey_kind
        and targets_in_force.breakdown = scores.breakdown
        and targets_in_force.breakdown_value = scores.breakdown_value
        and targets_in_force.valid_from <= scores.period_end
        and scores.period_end < coalesce(targets_in_force.valid_until, 'infinity')
    left join {{ source('statistics', 'weighted_scores') }} as weighted_scores
        on weighted_scores.score_period_key = scores.score_period_key
)

select * from experience_scores
