{% set rebuild_when %}{% raw %}
    select periods.period_key
    from ({{ days_of_periods() }}) as periods
    where periods.period_grain <> 'quarter'
        and periods.date_day in (
            select cast(key as date) from {{ dirty('fct_closed_loop_cases.opened_date') }} as days
        )
    union
    select closed_loop.period_key
    from {{ this }} as closed_loop
    where {{ as_of_may_have_moved_before('closed_loop.matures_on') }}
        or {{ completeness_may_have_changed('closed_loop.period_start', 'closed_loop.period_end') }}
        or {{ completeness_may_have_changed(
            'closed_loop.period_start', 'closed_loop.recovery_matures_on'
        ) }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['period_key', 'breakdown', 'breakdown_value'],
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

as_of as (
    select {{ as_of_date() }} as as_of_date
),

cases as (
    select
        days.period_key,
        days.period_grain,
        days.period_start,
        days.period_end,
        as_of.as_of_date,
        cases.*,
        cases.contactability = 'contactable' as is_contactable,
        cases.contactability = 'contactable'
        and coalesce(cases.matures_on <= as_of.as_of_date, false) as is_due
    from {{ ref('fct_closed_loop_cases') }} as cases
    inner join days
        on days.date_day = cases.opened_date
    cross join as_of
    -- A period's days in one array: few, and found by index.
    where cases.opened_date = any(array(select days_wanted.date_day from days as days_wanted))
),

cases_cut as (
    select
        cuts.breakdown,
        cuts.breakdown_value,
        cases.*
    from cases
    cross join lateral (
        values
            ('total', '(all)'),
            ('journey_stage', coalesce(cases.journey_stage, '(unknown)')),
            ('owner_area', coalesce(cases.owner_area, '(unknown)')),
            ('survey', cases.survey_id),
            ('segment', coalesce(cases.segment, '(unknown)')),
            ('country', coalesce(cases.country, '(unknown)'))
    ) as cuts (breakdown, breakdown_value)
),

counts as (
    select
        period_key,
        breakdown,
        breakdown_value,
        count(*) as cases,
        cast(sum(joined_answers) as bigint) as joined_answers,
        count(*) filter (where contactability = 'not_identified') as not_identified_cases,
        count(*) filter (where contactability = 'do_not_contact') as do_not_contact_cases,
        count(*) filter (where is_contactable) as contactable_cases,
        count(*) filter (where is_due) as due_cases,
        count(*) filter (where is_due and is_contacted_in_time) as contacted_in_time_cases,
        count(*) filter (where is_due and not is_contacted_in_time and first_contact_at is not null)
            as contacted_late_cases,
        count(*) filter (where is_due and first_contact_at is null) as not_contacted_cases,
        {{ percentile(0.5, 'case when is_due then contact_minutes end') }} as contact_minutes_median,
        count(*) filter (where is_contactable and next_score is not null) as answered_again_cases,
        count(*) filter (where is_contactable and is_recovered) as recovered_cases,
        count(*) filter (where is_contactable and contact_before_next_answer = 'within_7_days')
            as contacted_answered_again_cases,
        count(*) filter (
            where is_contactable and contact_before_next_answer = 'within_7_days' and is_recovered
        ) as contacted_recovered_cases,
        count(*) filter (where is_contactable and contact_before_next_answer = 'none')
            as not_contacted_answered_again_cases,
        count(*) filter (
            where is_contactable and contact_before_next_answer = 'none' and is_recovered
        ) as not_contacted_recovered_cases,
        min(period_grain) as period_grain,
        min(period_start) as period_start,
        min(period_end) as period_end,
        max(matures_on) as matures_on,
        min(as_of_date) as as_of_date
    from cases_cut
    group by period_key, breakdown, breakdown_value
),

closed_loop as (
    select
        periods.period_key,
        periods.period_grain,
        case periods.period_grain
            when 'week' then to_char(periods.period_start, 'IYYY-"W"IW')
            else to_char(periods.period_start, 'YYYY-MM')
        end as period_label,
        periods.breakdown,
        periods.breakdown_value,
        {{ cx('sample_status') }}(periods.due_cases) as sample_status,
        periods.cases,
        periods.joined_answers,
        periods.not_identified_cases,
        periods.do_not_contact_cases,
        periods.contactable_cases,
        periods.due_cases,
        periods.contacted_in_time_cases,
        periods.contacted_late_cases,
        periods.not_contacted_cases,
        {{ cx('share_percent') }}(periods.contacted_in_time_cases, periods.due_cases)
            as closed_loop_48h_percent,
        {{ cx('share_low_95') }}(periods.contacted_in_time_cases, periods.due_cases)
            as closed_loop_48h_low_95,
        {{ cx('share_high_95') }}(periods.contacted_in_time_cases, periods.due_cases)
            as closed_loop_48h_high_95,
        periods.contact_minutes_median,
        periods.answered_again_cases,
        periods.recovered_cases,
        {{ cx('share_percent') }}(periods.recovered_cases, periods.answered_again_cases)
            as recovered_percent,
        {% for group in ['contacted', 'not_contacted'] -%}
        {%- set recovered = 'periods.' ~ group ~ '_recovered_cases' -%}
        {%- set answered = 'periods.' ~ group ~ '_answered_again_cases' -%}
        {{ answered }},
        {{ recovered }},
        {{ cx('share_percent') }}({{ recovered }}, {{ answered }}) as {{ group }}_recovered_percent,
        {{ cx('share_low_95') }}({{ recovered }}, {{ answered }}) as {{ group }}_recovered_low_95,
        {{ cx('share_high_95') }}({{ recovered }}, {{ answered }}) as {{ group }}_recovered_high_95,
        {% endfor -%}
        {{ is_complete_period() }} as is_complete_period,
        coalesce(periods.matures_on <= periods.as_of_date, false) as is_mature,
        coalesce(periods.period_end + 180 <= periods.as_of_date, false) as is_recovery_mature,
        periods.period_start,
        periods.period_end,
        periods.matures_on,
        periods.period_end + 180 as recovery_matures_on,
        case
            when periods.as_of_date is not null then least(periods.as_of_date, periods.matures_on)
        end as as_of_date
    from counts as periods
)

select * from closed_loop
