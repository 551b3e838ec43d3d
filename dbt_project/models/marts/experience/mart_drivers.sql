{% set rebuild_when %}{% raw %}
    select key from {{ dirty('statistics.period_key') }} as months
    where starts_with(key, 'month:')
    union
    select drivers.period_key
    from {{ this }} as drivers
    where {{ completeness_may_have_changed('drivers.period_start', 'drivers.period_end') }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['period_key', 'driver_key'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
) }}

with

weights as (
    select
        *,
        cast(split_part(period_key, ':', 2) as date) as period_start,
        cast(
            cast(split_part(period_key, ':', 2) as date) + interval '1 month' - interval '1 day'
            as date
        ) as period_end
    from {{ source('statistics', 'driver_weights') }}
    where {{ to_rebuild('period_key') }}
),

drivers as (
    select
        periods.score_period_key as driver_key,
        periods.period_key,
        to_char(periods.period_start, 'YYYY-MM') as period_label,
        periods.survey_id,
        surveys.survey_kind,
        periods.outcome_metric,
        periods.driver,
        periods.question_id,
        periods.driver_status,
        case
            when periods.driver_status = 'published'
                then cast(rank() over (
                    partition by
                        periods.period_key, periods.survey_id, periods.outcome_metric,
                        periods.driver_status
                    order by periods.dominance_weight desc
                ) as integer)
        end as driver_rank,
        periods.drivers_compared,
        periods.responses,
        periods.incomplete_responses,
        periods.needed_responses,
        periods.dominance_weight,
        periods.dominance_percent,
        periods.johnson_weight,
        periods.johnson_percent,
        periods.correlation,
        periods.standardised_beta,
        periods.r_squared,
        {{ is_complete_period() }} as is_complete_period,
        periods.period_start,
        periods.period_end
    from weights as periods
    inner join {{ ref('surveys') }} as surveys
        on surveys.survey_id = periods.survey_id
)

select * from drivers
