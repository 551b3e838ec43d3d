{% set rebuild_when %}{% raw %}
    select distinct periods.period_key
    from ({{ days_of_periods() }}) as periods
    where periods.period_grain <> 'quarter'
        and periods.date_day in (
            select cast(key as date) from {{ dirty('fct_comments.theme_day') }} as days
        )
    union
    select effects.period_key
    from {{ this }} as effects
    where {{ completeness_may_have_changed('effects.period_start', 'effects.period_end') }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['period_key', 'theme', 'metric', 'survey_kind'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
    pre_hook=hash_all_groups(),
) }}

with

days_of_periods as (
    {{ days_of_periods() }}
),

days as (
    select
        *,
        {{ period_end('days_of_periods') }} as period_end
    from days_of_periods
    where period_grain <> 'quarter'
        and {{ to_rebuild('period_key') }}
),

-- Answers with a comment that the rules could read: who says nothing is another crowd.
answers as (
    select
        days.period_key,
        days.period_grain,
        days.period_start,
        days.period_end,
        comments.metric,
        coalesce(comments.survey_kind, 'review') as survey_kind,
        comments.score,
        coalesce(comments.is_top_box, false) as is_top_box,
        comments.themes
    from {{ ref('fct_comments') }} as comments
    inner join days
        on days.date_day = comments.commented_date
    where comments.is_counted
        and not comments.is_confidential
        and comments.theme_status <> 'no_rules'
        and comments.score is not null
        and comments.commented_date = any(array(select days_wanted.date_day from days as days_wanted))
),

{% set counts %}
        count(*) as responses,
        count(*) filter (where score >= 9) as promoters,
        count(*) filter (where score <= 6) as detractors,
        count(*) filter (where is_top_box) as top_box,
        sum(score) as score_sum
{% endset -%}
pools as (
    select
        period_key,
        metric,
        survey_kind,
        min(period_grain) as period_grain,
        min(period_start) as period_start,
        min(period_end) as period_end,
        {{- counts }}
    from answers
    group by period_key, metric, survey_kind
),

mentioning as (
    select
        answers.period_key,
        answers.metric,
        answers.survey_kind,
        mentioned.theme,
        {{- counts }}
    from answers
    cross join lateral unnest(string_to_array(answers.themes, ', ')) as mentioned (theme)
    group by answers.period_key, answers.metric, answers.survey_kind, mentioned.theme
),

sides as (
    select
        pools.period_key,
        pools.metric,
        pools.survey_kind,
        mentioning.theme,
        sides.side,
        sides.responses,
        case
            when pools.metric = 'nps'
                then {{ cx('nps') }}(
                    sides.promoters, sides.responses - sides.promoters - sides.detractors,
                    sides.detractors
                )
            when pools.metric = 'csat'
                then {{ cx('share_percent') }}(sides.top_box, sides.responses)
            else round(sides.score_sum / nullif(sides.responses, 0), 6)
        end as score
    from pools
    inner join mentioning
        on mentioning.period_key = pools.period_key
        and mentioning.metric = pools.metric
        and mentioning.survey_kind = pools.survey_kind
    cross join lateral (
        values
            (
                'mentioning', mentioning.responses, mentioning.promoters, mentioning.detractors,
                mentioning.top_box, cast(mentioning.score_sum as numeric)
            ),
            (
                'not mentioning', pools.responses - mentioning.responses,
                pools.promoters - mentioning.promoters, pools.detractors - mentioning.detractors,
                pools.top_box - mentioning.top_box,
                cast(pools.score_sum - mentioning.score_sum as numeric)
            )
    ) as sides (side, responses, promoters, detractors, top_box, score_sum)
),

effects as (
    select
        period_key,
        metric,
        survey_kind,
        theme,
        max(responses) filter (where side = 'mentioning') as responses_mentioning,
        max(responses) filter (where side = 'not mentioning') as responses_not_mentioning,
        max(score) filter (where side = 'mentioning') as score_mentioning,
        max(score) filter (where side = 'not mentioning') as score_not_mentioning
    from sides
    group by period_key, metric, survey_kind, theme
),

theme_effects as (
    select
        periods.period_key,
        effects.theme,
        effects.metric,
        effects.survey_kind,
        periods.period_grain,
        case periods.period_grain
            when 'week' then to_char(periods.period_start, 'IYYY-"W"IW')
            else to_char(periods.period_start, 'YYYY-MM')
        end as period_label,
        effects.responses_mentioning,
        effects.responses_not_mentioning,
        effects.score_mentioning,
        effects.score_not_mentioning,
        effects.score_mentioning - effects.score_not_mentioning as score_effect,
        {{ cx('sample_status') }}(
            cast(least(effects.responses_mentioning, effects.responses_not_mentioning) as numeric)
        ) as sample_status,
        {{ is_complete_period() }} as is_complete_period,
        periods.period_start,
        periods.period_end
    from effects
    inner join pools as periods
        on periods.period_key = effects.period_key
        and periods.metric = effects.metric
        and periods.survey_kind = effects.survey_kind
)

select * from theme_effects
