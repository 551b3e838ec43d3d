{% set rebuild_when %}{% raw %}
    select cast(date_trunc('month', cast(cast(key as date) as timestamp)) as date)
    from {{ dirty('fct_service_failures.failed_date') }} as days
    union
    -- Months in which the time of some may be over now.
    select recovery.failed_month
    from {{ this }} as recovery
    where {{ as_of_may_have_moved_before('recovery.matures_on') }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['failed_month', 'failure_kind', 'fix_speed', 'breakdown', 'breakdown_value'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'failed_month'},
    indexes=[{'columns': ['failed_month']}],
) }}

with

as_of as (
    select {{ as_of_date() }} as as_of_date
),

failures as (
    select
        failures.*,
        cast(date_trunc('month', cast(failures.failed_date as timestamp)) as date) as failed_month,
        as_of.as_of_date,
        coalesce(failures.matures_on <= as_of.as_of_date, false) as is_over
    from {{ ref('fct_service_failures') }} as failures
    cross join as_of
    {%- if is_incremental() %}
    where failures.failed_date = any(array(
            select cast(keys.key as date) + days.number
            from {{ source('audit', 'dirty_keys') }} as keys
            cross join generate_series(0, 30) as days (number)
            where keys.place = '{{ this.identifier }}'
                and date_trunc('month', cast(cast(keys.key as date) + days.number as timestamp))
                = cast(cast(keys.key as date) as timestamp)
        ))
    {%- endif %}
),

counts as (
    select
        failures.failed_month,
        failures.failure_kind,
        failures.fix_speed,
        cuts.breakdown,
        cuts.breakdown_value,
        count(*) as failures,
        count(*) filter (where failures.is_over) as mature_failures,
        count(*) filter (where failures.is_over and failures.has_bought_again)
            as repurchase_failures,
        count(*) filter (where failures.is_over and failures.next_score is not null)
            as answered_failures,
        count(*) filter (where failures.is_over and failures.next_score >= 9) as promoters,
        count(*) filter (where failures.is_over and failures.next_score between 7 and 8)
            as passives,
        count(*) filter (where failures.is_over and failures.next_score <= 6) as detractors,
        max(failures.matures_on) as matures_on,
        min(failures.as_of_date) as as_of_date
    from failures
    cross join lateral (
        values
            ('total', '(all)'),
            ('segment', coalesce(failures.segment, '(unknown)')),
            ('country', coalesce(failures.country, '(unknown)'))
    ) as cuts (breakdown, breakdown_value)
    group by
        failures.failed_month, failures.failure_kind, failures.fix_speed,
        cuts.breakdown, cuts.breakdown_value
),

service_recovery as (
    select
        failed_month,
        failure_kind,
        fix_speed,
        breakdown,
        breakdown_value,
        {{ cx('sample_status') }}(mature_failures) as sample_status,
        failures,
        mature_failures,
        repurchase_failures,
        {{ cx('share_percent') }}(repurchase_failures, mature_failures) as repurchase_percent,
        {{ cx('share_low_95') }}(repurchase_failures, mature_failures) as repurchase_low_95,
        {{ cx('share_high_95') }}(repurchase_failures, mature_failures) as repurchase_high_95,
        answered_failures,
        promoters,
        passives,
        detractors,
        {{ cx('nps') }}(promoters, passives, detractors) as next_nps,
        {{ cx('nps_low_95') }}(promoters, passives, detractors) as next_nps_low_95,
        {{ cx('nps_high_95') }}(promoters, passives, detractors) as next_nps_high_95,
        coalesce(matures_on <= as_of_date, false) as is_mature,
        matures_on,
        case when as_of_date is not null then least(as_of_date, matures_on) end as as_of_date
    from counts
)

select * from service_recovery
