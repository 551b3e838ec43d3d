{% set rebuild_when %}{% raw %}
{{ score_periods_to_rebuild() }}
{% endraw %}{% endset %}

{{ config(
    unique_key='score_period_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
) }}

with

scores as (
    select
        {{ score_period_columns() }},
        periods.top_box as easy,
        periods.score_sum,
        periods.score_sum_squares,
        periods.responses,
        {{ cx('ces') }}(
            periods.score_sum, periods.responses
        ) as ces,
        {{ cx('ces_low_95') }}(
            periods.score_sum, periods.score_sum_squares, periods.responses
        ) as ces_low_95,
        {{ cx('ces_high_95') }}(
            periods.score_sum, periods.score_sum_squares, periods.responses
        ) as ces_high_95,
        {{ cx('ces') }}(periods.score_sum, periods.responses)
            - {{ cx('ces') }}(
                previous_periods.score_sum, previous_periods.responses
            ) as ces_change_points,
        {{ cx('ces_change_p_value') }}(
            previous_periods.score_sum, previous_periods.score_sum_squares, previous_periods.responses,
            periods.score_sum, periods.score_sum_squares, periods.responses
        ) as p_value,
        {{ cx('share_percent') }}(
            periods.top_box, periods.responses
        ) as easy_share,
        {{ cx('share_low_95') }}(
            periods.top_box, periods.responses
        ) as easy_share_low_95,
        {{ cx('share_high_95') }}(
            periods.top_box, periods.responses
        ) as easy_share_high_95,
        {{ cx('sample_status') }}(periods.responses) as sample_status,
        {{ is_complete_period() }} as is_complete_period,
        periods.period_start,
        periods.period_end
    from {{ ref('int_score_periods') }} as periods
    {{ previous_score_period() }}
    where periods.metric = 'ces'
        and not periods.is_confidential
        and periods.breakdown in (
            'total', 'journey_stage', 'experience_channel', 'segment', 'country', 'survey'
        )
        and {{ to_rebuild('periods.period_key') }}
)

select * from scores
