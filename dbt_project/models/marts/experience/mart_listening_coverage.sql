{% set rebuild_when %}{% raw %}
    -- when a touchpoint was asked about last is told of every later month, too
    select cast(cast(date_trunc('month', cast(key as timestamp)) as date) as text)
    from {{ dirty('int_listening_days.listening_date') }} as days
    union
    select cast(later.month_start as text)
    from {{ this }} as later
    where later.month_start > (
        select min(cast(key as date))
        from {{ dirty('int_listening_days.listening_date') }} as earliest
    )
    union
    select cast(completed.month_start as text)
    from {{ this }} as completed
    where {{ completeness_may_have_changed(
        'completed.month_start', "cast(completed.month_start + interval '1 month' as date) - 1"
    ) }}
{% endraw %}{% endset %}

{{ config(
    unique_key='coverage_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'month_start'},
    indexes=[{'columns': ['month_start']}],
) }}

with

listening_days as (
    select
        *,
        cast(date_trunc('month', cast(listening_date as timestamp)) as date) as month_start
    from {{ ref('int_listening_days') }}
),

months_counted as (
    select
        touchpoint,
        month_start,
        sum(touches) as touches,
        sum(invitations) as invitations,
        sum(responses) as responses
    from listening_days
    where {{ to_rebuild('month_start', 'date') }}
    group by touchpoint, month_start
),

months as (
    select distinct month_start
    from months_counted
),

-- Every touchpoint in every month: what nobody was asked about is what is looked for.
touchpoints_and_months as (
    select
        touchpoints.touchpoint,
        touchpoints.journey_stage,
        touchpoints.channel,
        touchpoints.environment,
        touchpoints.owner_area,
        months.month_start
    from {{ ref('dim_touchpoints') }} as touchpoints
    cross join months
),

months_asked as (
    select
        touchpoint,
        month_start,
        max(listening_date) as last_asked_date
    from listening_days
    where invitations > 0 or responses > 0
    group by touchpoint, month_start
),

last_asked as (
    select
        months_asked.touchpoint,
        months.month_start,
        max(months_asked.last_asked_date) as last_asked_date
    from months
    inner join months_asked
        on months_asked.month_start <= months.month_start
    group by months_asked.touchpoint, months.month_start
),

coverage_counted as (
    select
        touchpoints_and_months.touchpoint,
        touchpoints_and_months.journey_stage,
        touchpoints_and_months.channel,
        touchpoints_and_months.environment,
        touchpoints_and_months.owner_area,
        cast(coalesce(months_counted.touches, 0) as bigint) as touches,
        cast(coalesce(months_counted.invitations, 0) as bigint) as invitations,
        cast(coalesce(months_counted.responses, 0) as bigint) as responses,
        touchpoints_and_months.month_start,
        last_asked.last_asked_date
    from touchpoints_and_months
    left join months_counted
        on months_counted.touchpoint = touchpoints_and_months.touchpoint
        and months_counted.month_start = touchpoints_and_months.month_start
    left join last_asked
        on last_asked.touchpoint = touchpoints_and_months.touchpoint
        and last_asked.month_start = touchpoints_and_months.month_start
),

listening_coverage as (
    select
        month_start || '|' || touchpoint as coverage_key,
        touchpoint,
        journey_stage,
        channel,
        environment,
        owner_area,
        to_char(month_start, 'YYYY-MM') as month_label,
        case
            when last_asked_date is null then 'never asked'
            when touches = 0 and invitations = 0 and responses = 0 then 'not touched'
            when 1000 * responses < touches then 'rarely asked'
            else 'asked'
        end as coverage,
        touches,
        invitations,
        responses,
        round(1000.0 * responses / nullif(touches, 0), 6) as responses_per_1000_touches,
        coalesce(
            month_start >= {{ first_date() }}
            and cast(month_start + interval '1 month' as date) - 1 <= {{ as_of_date() }},
            false
        ) as is_complete_month,
        month_start,
        last_asked_date
    from coverage_counted
)

select * from listening_coverage
