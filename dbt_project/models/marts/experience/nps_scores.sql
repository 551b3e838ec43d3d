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
        periods.promoters,
        periods.passives,
        periods.detractors,
        periods.responses,
        {{ cx('nps') }}(
            periods.promoters, periods.passives, periods.detractors
        ) as nps,
        {{ cx('nps_low_95') }}(
            periods.promoters, periods.passives, periods.detractors
        ) as nps_low_95,
        {{ cx('nps_high_95') }}(
            periods.promoters, periods.passives, periods.detractors
        ) as nps_high_95,
        {{ cx('nps') }}(periods.promoters, periods.passives, periods.detractors)
            - {{ cx('nps') }}(
                previous_periods.promoters, previous_periods.passives, previous_periods.detractors
            ) as nps_change_points,
        {{ cx('nps_change_p_value') }}(
            previous_periods.promoters, previous_periods.passives, previous_periods.detractors,
            periods.promoters, periods.passives, periods.detractors
        ) as p_value,
        {{ cx('sample_status') }}(periods.responses) as sample_status,
        {{ is_complete_period() }} as is_complete_period,
        periods.period_start,
        periods.period_end
    from {{ ref('int_score_periods') }} as periods
    {{ previous_score_period() }}
    where periods.metric = 'nps'
        and not periods.is_confidential
        and periods.breakdown in (
            'total', 'journey_stage', 'experience_channel', 'segment', 'country', 'survey'
        )
        and {{ to_rebuild('periods.period_key') }}
)

select * from scores
