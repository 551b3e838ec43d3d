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
        periods.top_box,
        periods.score_sum,
        periods.responses,
        {{ cx('csat') }}(
            periods.top_box, periods.responses
        ) as csat,
        {{ cx('csat_low_95') }}(
            periods.top_box, periods.responses
        ) as csat_low_95,
        {{ cx('csat_high_95') }}(
            periods.top_box, periods.responses
        ) as csat_high_95,
        {{ cx('csat') }}(periods.top_box, periods.responses)
            - {{ cx('csat') }}(previous_periods.top_box, previous_periods.responses) as csat_change_points,
        {{ cx('share_change_p_value') }}(
            previous_periods.top_box, previous_periods.responses,
            periods.top_box, periods.responses
        ) as p_value,
        {{ cx('sample_status') }}(periods.responses) as sample_status,
        {{ is_complete_period() }} as is_complete_period,
        periods.period_start,
        periods.period_end
    from {{ ref('int_score_periods') }} as periods
    {{ previous_score_period() }}
    where periods.metric = 'csat'
        and not periods.is_confidential
        and periods.breakdown in (
            'total', 'journey_stage', 'experience_channel', 'segment', 'country', 'survey'
        )
        and {{ to_rebuild('periods.period_key') }}
)

select * from scores
