{{ config(
    materialized='view',
    meta={'row_key': ['outcome', 'period_start', 'breakdown', 'breakdown_value']},
) }}

with

touches as (
    select
        *,
        split_part(metric, '_', 1) as outcome,
        case split_part(metric, '_', 3) when 'personal' then 'personal' else 'mass' end as touch_kind
    from {{ ref('mart_loyalty_value') }}
    where counted_unit = 'touches'
),

personal as (
    select * from touches where touch_kind = 'personal'
),

mass as (
    select * from touches where touch_kind = 'mass'
),

compared as (
    select
        coalesce(personal.outcome, mass.outcome) as outcome,
        coalesce(personal.period_label, mass.period_label) as period_label,
        coalesce(personal.breakdown, mass.breakdown) as breakdown,
        coalesce(personal.breakdown_value, mass.breakdown_value) as breakdown_value,
        coalesce(personal.base_count, 0) as personal_touches,
        coalesce(personal.event_count, 0) as personal_events,
        personal.rate_percent as personal_percent,
        personal.rate_low_95 as personal_low_95,
        personal.rate_high_95 as personal_high_95,
        coalesce(mass.base_count, 0) as mass_touches,
        coalesce(mass.event_count, 0) as mass_events,
        mass.rate_percent as mass_percent,
        mass.rate_low_95 as mass_low_95,
        mass.rate_high_95 as mass_high_95,
        coalesce(personal.is_mature, mass.is_mature) as is_mature,
        coalesce(personal.period_start, mass.period_start) as period_start,
        coalesce(personal.period_end, mass.period_end) as period_end,
        coalesce(personal.matures_on, mass.matures_on) as matures_on,
        coalesce(personal.as_of_date, mass.as_of_date) as as_of_date
    from personal
    full join mass
        on mass.outcome = personal.outcome
        and mass.period_start = personal.period_start
        and mass.breakdown = personal.breakdown
        and mass.breakdown_value = personal.breakdown_value
)

select
    outcome,
    period_label,
    breakdown,
    breakdown_value,
    personal_touches,
    personal_events,
    personal_percent,
    personal_low_95,
    personal_high_95,
    mass_touches,
    mass_events,
    mass_percent,
    mass_low_95,
    mass_high_95,
    personal_percent - mass_percent as difference_points,
    case when is_mature then {{ cx('share_change_low_95') }}(
        mass_events, mass_touches, personal_events, personal_touches
    ) end as difference_low_95,
    case when is_mature then {{ cx('share_change_high_95') }}(
        mass_events, mass_touches, personal_events, personal_touches
    ) end as difference_high_95,
    is_mature,
    period_start,
    period_end,
    matures_on,
    as_of_date
from compared
