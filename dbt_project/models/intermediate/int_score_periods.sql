{% set rebuild_when %}{% raw %}
    select grains.period_grain || ':' || cast(date_trunc(grains.period_grain, cast(days.key as date)) as date)
    from (
        select key from {{ dirty('mart_nps_daily.answered_date') }} as nps_days
        union
        select key from {{ dirty('mart_csat_daily.answered_date') }} as csat_days
        union
        select key from {{ dirty('mart_ces_daily.answered_date') }} as ces_days
    ) as days
    cross join (values ('week'), ('month'), ('quarter')) as grains (period_grain)
{% endraw %}{% endset %}

{{ config(
    unique_key='score_period_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
) }}

with

dates_of_grains as (
    select
        dates.date_day,
        grains.period_grain,
        case grains.period_grain
            when 'week' then dates.week_start
            when 'month' then dates.month_start
            else dates.quarter_start
        end as period_start
    from {{ ref('dim_dates') }} as dates
    cross join (values ('week'), ('month'), ('quarter')) as grains (period_grain)
),

dates_of_periods as (
    select
        date_day,
        period_grain || ':' || period_start as period_key,
        period_grain,
        period_start,
        cast(
            period_start
            + case period_grain
                when 'week' then interval '7 days'
                when 'month' then interval '1 month'
                else interval '3 months'
            end
            - interval '1 day' as date
        ) as period_end
    from dates_of_grains
    where {{ to_rebuild("period_grain || ':' || period_start") }}
),

daily_counts as (
    select
        'nps' as metric, survey_kind, survey_id, journey_stage, experience_channel, segment,
        country, promoters, passives, detractors, 0 as top_box, 0 as score_sum,
        0 as score_sum_squares, responses, answered_date
    from {{ ref('mart_nps_daily') }}
    union all
    select
        'csat' as metric, survey_kind, survey_id, journey_stage, experience_channel, segment,
        country, 0 as promoters, 0 as passives, 0 as detractors, top_box, score_sum,
        0 as score_sum_squares, responses, answered_date
    from {{ ref('mart_csat_daily') }}
    union all
    select
        'ces' as metric, survey_kind, survey_id, journey_stage, experience_channel, segment,
        country, 0 as promoters, 0 as passives, 0 as detractors, easy as top_box, score_sum,
        score_sum_squares, responses, answered_date
    from {{ ref('mart_ces_daily') }}
),

-- Every day counts once in each breakdown.
breakdowns as (
    select
        dates_of_periods.period_key,
        dates_of_periods.period_grain,
        dates_of_periods.period_start,
        dates_of_periods.period_end,
        daily_counts.metric,
        daily_counts.survey_kind,
        cuts.breakdown,
        cuts.breakdown_value,
        daily_counts.promoters,
        daily_counts.passives,
        daily_counts.detractors,
        daily_counts.top_box,
        daily_counts.score_sum,
        daily_counts.score_sum_squares,
        daily_counts.responses
    from dates_of_periods
    inner join daily_counts
        on daily_counts.answered_date = dates_of_periods.date_day
    cross join lateral (
        values
            ('total', '(all)'),
            ('journey_stage', daily_counts.journey_stage),
            ('experience_channel', daily_counts.experience_channel),
            ('segment', daily_counts.segment),
            ('country', daily_counts.country),
            ('survey', daily_counts.survey_id)
    ) as cuts (breakdown, breakdown_value)
),

period_counts as (
    select
        concat_ws('|', metric, survey_kind, period_key, breakdown, breakdown_value)
            as score_period_key,
        period_key,
        metric,
        survey_kind,
        period_grain,
        breakdown,
        breakdown_value,
        cast(sum(promoters) as bigint) as promoters,
        cast(sum(passives) as bigint) as passives,
        cast(sum(detractors) as bigint) as detractors,
        cast(sum(top_box) as bigint) as top_box,
        cast(sum(score_sum) as bigint) as score_sum,
        cast(sum(score_sum_squares) as bigint) as score_sum_squares,
        cast(sum(responses) as bigint) as responses,
        period_start,
        period_end
    from breakdowns
    group by
        metric, survey_kind, period_key, period_grain, period_start, period_end,
        breakdown, breakdown_value
)

select * from period_counts
