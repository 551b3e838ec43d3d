{% set rebuild_when %}{% raw %}
    select periods.period_key
    from ({{ days_of_periods() }}) as periods
    where periods.period_grain <> 'week'
        and periods.date_day in (
            select cast(key as date) from {{ dirty('mart_csat_daily.answered_date') }} as days
        )
    union
    select channel_scores.period_key
    from {{ this }} as channel_scores
    where {{ completeness_may_have_changed(
        'channel_scores.period_start', 'channel_scores.period_end'
    ) }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['period_key', 'journey_stage', 'comparison', 'compared_value'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
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
    where period_grain <> 'week'
        and {{ to_rebuild('period_key') }}
),

daily_counts as (
    select
        days.period_key,
        days.period_grain,
        days.period_start,
        days.period_end,
        daily.journey_stage,
        daily.experience_channel,
        channels.environment,
        daily.top_box,
        daily.responses
    from {{ ref('mart_csat_daily') }} as daily
    inner join days
        on days.date_day = daily.answered_date
    inner join {{ ref('dim_channels') }} as channels
        on channels.channel = daily.experience_channel
    where daily.answered_date = any(array(select days_wanted.date_day from days as days_wanted))
        and daily.survey_kind = 'transactional'
        and daily.journey_stage <> '(unknown)'
),

counts as (
    select
        daily_counts.period_key,
        daily_counts.journey_stage,
        cuts.comparison,
        cuts.compared_value,
        cast(sum(daily_counts.top_box) as bigint) as top_box,
        cast(sum(daily_counts.responses) as bigint) as responses,
        min(daily_counts.period_grain) as period_grain,
        min(daily_counts.period_start) as period_start,
        min(daily_counts.period_end) as period_end
    from daily_counts
    cross join lateral (
        values
            ('channel', daily_counts.experience_channel),
            ('environment', daily_counts.environment)
    ) as cuts (comparison, compared_value)
    group by
        daily_counts.period_key, daily_counts.journey_stage, cuts.comparison, cuts.compared_value
),

channel_scores as (
    select
        periods.period_key,
        periods.period_grain,
        case periods.period_grain
            when 'month' then to_char(periods.period_start, 'YYYY-MM')
            else to_char(periods.period_start, 'YYYY-"Q"Q')
        end as period_label,
        periods.journey_stage,
        periods.comparison,
        periods.compared_value,
        {{ cx('sample_status') }}(periods.responses) as sample_status,
        periods.top_box,
        periods.responses,
        {{ cx('share_percent') }}(periods.top_box, periods.responses) as csat_percent,
        {{ cx('share_low_95') }}(periods.top_box, periods.responses) as csat_low_95,
        {{ cx('share_high_95') }}(periods.top_box, periods.responses) as csat_high_95,
        periods.responses >= 30 as is_compared,
        {{ is_complete_period() }} as is_complete_period,
        periods.period_start,
        periods.period_end
    from counts as periods
)

select * from channel_scores
