{% set rebuild_when %}{% raw %}
    select periods.period_key
    from ({{ days_of_periods() }}) as periods
    where periods.period_grain <> 'quarter'
        and periods.date_day in (
            select cast(key as date) from {{ dirty('fct_ticket_service.service_day') }} as days
            union
            select cast(key as date) from {{ dirty('fct_ticket_resolutions.resolution_day') }} as days
            union
            select cast(key as date) from {{ dirty('fct_sla_clocks.clock_day') }} as days
            union
            select cast(key as date) from {{ dirty('fct_tickets.served_day') }} as days
        )
    union
    select service_levels.period_key
    from {{ this }} as service_levels
    where {{ completeness_may_have_changed(
        'service_levels.period_start', 'service_levels.period_end'
    ) }}
        or {{ as_of_may_have_moved_before('service_levels.matures_on') }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['period_key', 'breakdown', 'breakdown_value'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
    pre_hook=hash_all_groups() + join_by_hash(),
) }}

with

days_of_periods as (
    {{ days_of_periods() }}
),

days as (
    select
        date_day as created_date,
        period_key,
        period_grain,
        period_start,
        {{ period_end('days_of_periods') }} as period_end
    from days_of_periods
    where period_grain <> 'quarter'
        and {{ to_rebuild('period_key') }}
),

tickets as (
    select
        days.period_key,
        days.period_grain,
        days.period_start,
        days.period_end,
        coalesce(tickets.created_group_id, '(none)') as ticket_group,
        coalesce(tickets.agent_employment, '(unknown)') as agent_employment,
        tickets.channel,
        tickets.touchpoint,
        coalesce(tickets.priority, '(none)') as priority,
        coalesce(tickets.segment, '(unknown)') as segment,
        coalesce(tickets.country, '(unknown)') as country,
        resolutions.is_flagged_first_contact,
        resolutions.is_customer_confirmed,
        resolutions.repeated_at,
        resolutions.matures_on,
        resolutions.matures_on <= {{ as_of_date() }} as is_mature_case,
        reply_clocks.sla_status as first_reply_sla_status,
        resolution_clocks.sla_status as resolution_sla_status,
        service.first_reply_at,
        service.first_reply_minutes,
        service.first_reply_working_minutes,
        service.first_solved_at,
        service.full_resolution_minutes,
        service.full_resolution_working_minutes,
        service.bot_comments,
        service.reopens,
        service.agent_hand_offs,
        service.group_hand_offs,
        service.channel_switches,
        service.is_solved,
        service.is_unreplied,
        service.is_bot_contained,
        service.is_out_of_hours
    from {{ ref('fct_ticket_service') }} as service
    inner join {{ ref('fct_tickets') }} as tickets
        on tickets.ticket_id = service.ticket_id
        and tickets.customer_key = service.customer_key
        {{ only_of('tickets.created_date', 'days') }}
    left join {{ ref('fct_ticket_resolutions') }} as resolutions
        on resolutions.ticket_id = service.ticket_id
        and resolutions.customer_key = service.customer_key
        {{ only_of('resolutions.created_date', 'days') }}
    left join {{ ref('fct_sla_clocks') }} as reply_clocks
        on reply_clocks.ticket_id = service.ticket_id
        and reply_clocks.customer_key = service.customer_key
        and reply_clocks.sla_metric = 'first_reply'
        {{ only_of('reply_clocks.created_date', 'days') }}
    left join {{ ref('fct_sla_clocks') }} as resolution_clocks
        on resolution_clocks.ticket_id = service.ticket_id
        and resolution_clocks.customer_key = service.customer_key
        and resolution_clocks.sla_metric = 'resolution'
        {{ only_of('resolution_clocks.created_date', 'days') }}
    inner join days
        on days.created_date = service.created_date
        {{ only_of('service.created_date', 'days') }}
),

tickets_cut as (
    select
        cuts.breakdown,
        cuts.breakdown_value,
        tickets.*
    from tickets
    cross join lateral (
        values
            ('total', 'all'),
            ('ticket_group', tickets.ticket_group),
            ('agent_employment', tickets.agent_employment),
            ('channel', tickets.channel),
            ('touchpoint', tickets.touchpoint),
            ('priority', tickets.priority),
            ('segment', tickets.segment),
            ('country', tickets.country)
    ) as cuts (breakdown, breakdown_value)
),

counts as (
    select
        period_key,
        breakdown,
        breakdown_value,
        count(*) as created_tickets,
        count(first_reply_at) as replied_tickets,
        count(*) filter (where is_unreplied) as unreplied_tickets,
        {{ percentile(0.5, 'first_reply_minutes') }} as first_reply_minutes_median,
        {{ percentile(0.9, 'first_reply_minutes') }} as first_reply_minutes_p90,
        {{ percentile(0.5, 'first_reply_working_minutes') }}
            as first_reply_working_minutes_median,
        {{ percentile(0.9, 'first_reply_working_minutes') }}
            as first_reply_working_minutes_p90,
        count(*) filter (where is_solved) as solved_tickets,
        count(first_solved_at) as ever_solved_tickets,
        {{ percentile(0.5, 'full_resolution_minutes') }}
            as full_resolution_minutes_median,
        {{ percentile(0.9, 'full_resolution_minutes') }}
            as full_resolution_minutes_p90,
        {{ percentile(0.5, 'full_resolution_working_minutes') }}
            as full_resolution_working_minutes_median,
        count(*) filter (where reopens > 0) as reopened_tickets,
        count(*) filter (where agent_hand_offs + group_hand_offs > 0) as handed_off_tickets,
        sum(agent_hand_offs + group_hand_offs) as hand_offs,
        count(*) filter (where channel_switches > 0) as channel_switched_tickets,
        count(*) filter (where is_out_of_hours) as out_of_hours_tickets,
        count(*) filter (where bot_comments > 0) as bot_tickets,
        count(*) filter (where is_bot_contained) as bot_contained_tickets,
        count(is_flagged_first_contact) as agent_judged_tickets,
        count(*) filter (where is_flagged_first_contact) as agent_flagged_fcr_tickets,
        count(is_customer_confirmed) as customer_judged_tickets,
        count(*) filter (where is_customer_confirmed) as customer_confirmed_fcr_tickets,
        count(*) filter (where is_mature_case) as mature_solved_tickets,
        count(*) filter (where is_mature_case and repeated_at is null) as no_repeat_fcr_tickets,
        count(*) filter (where first_reply_sla_status = 'met') as first_reply_sla_met_tickets,
        count(*) filter (where first_reply_sla_status = 'breached') as first_reply_sla_breached_tickets,
        count(*) filter (where first_reply_sla_status = 'running') as first_reply_sla_running_tickets,
        count(*) filter (where first_reply_sla_status = 'cancelled') as first_reply_sla_cancelled_tickets,
        count(*) filter (where first_reply_sla_status = 'unmeasured') as first_reply_sla_unmeasured_tickets,
        count(*) filter (where resolution_sla_status = 'met') as resolution_sla_met_tickets,
        count(*) filter (where resolution_sla_status = 'breached') as resolution_sla_breached_tickets,
        count(*) filter (where resolution_sla_status = 'running') as resolution_sla_running_tickets,
        count(*) filter (where resolution_sla_status = 'cancelled') as resolution_sla_cancelled_tickets,
        count(*) filter (where resolution_sla_status = 'unmeasured') as resolution_sla_unmeasured_tickets,
        -- A week after the period, or after the last first solve of its tickets.
        greatest(min(period_end) + 7, max(matures_on)) as matures_on,
        min(period_grain) as period_grain,
        min(period_start) as period_start,
        min(period_end) as period_end
    from tickets_cut
    group by period_key, breakdown, breakdown_value
),

service_levels as (
    select
        periods.period_key,
        periods.period_grain,
        case periods.period_grain
            when 'week' then to_char(periods.period_start, 'IYYY-"W"IW')
            else to_char(periods.period_start, 'YYYY-MM')
        end as period_label,
        periods.period_start,
        periods.period_end,
        periods.breakdown,
        periods.breakdown_value,
        periods.created_tickets,
        periods.replied_tickets,
        periods.unreplied_tickets,
        periods.first_reply_minutes_median,
        periods.first_reply_minutes_p90,
        periods.first_reply_working_minutes_median,
        periods.first_reply_working_minutes_p90,
        periods.solved_tickets,
        periods.ever_solved_tickets,
        periods.full_resolution_minutes_median,
        periods.full_resolution_minutes_p90,
        periods.full_resolution_working_minutes_median,
        periods.reopened_tickets,
        {{ cx('share_percent') }}(periods.reopened_tickets, periods.ever_solved_tickets)
            as reopened_percent,
        periods.handed_off_tickets,
        cast(periods.hand_offs as bigint) as hand_offs,
        periods.channel_switched_tickets,
        periods.out_of_hours_tickets,
        periods.bot_tickets,
        periods.bot_contained_tickets,
        {{ cx('share_percent') }}(periods.bot_contained_tickets, periods.bot_tickets)
            as bot_contained_percent,
        periods.agent_judged_tickets,
        periods.agent_flagged_fcr_tickets,
        {{ cx('share_percent') }}(periods.agent_flagged_fcr_tickets, periods.agent_judged_tickets)
            as agent_flagged_fcr_percent,
        periods.customer_judged_tickets,
        periods.customer_confirmed_fcr_tickets,
        {{ cx('share_percent') }}(
            periods.customer_confirmed_fcr_tickets, periods.customer_judged_tickets
        ) as customer_confirmed_fcr_percent,
        periods.mature_solved_tickets,
        periods.no_repeat_fcr_tickets,
        {{ cx('share_percent') }}(periods.no_repeat_fcr_tickets, periods.mature_solved_tickets)
            as no_repeat_fcr_percent,
        periods.first_reply_sla_met_tickets,
        periods.first_reply_sla_breached_tickets,
        periods.first_reply_sla_running_tickets,
        periods.first_reply_sla_cancelled_tickets,
        periods.first_reply_sla_unmeasured_tickets,
        {{ cx('share_percent') }}(
            periods.first_reply_sla_met_tickets,
            periods.first_reply_sla_met_tickets + periods.first_reply_sla_breached_tickets
        ) as first_reply_sla_attainment_percent,
        periods.resolution_sla_met_tickets,
        periods.resolution_sla_breached_tickets,
        periods.resolution_sla_running_tickets,
        periods.resolution_sla_cancelled_tickets,
        periods.resolution_sla_unmeasured_tickets,
        {{ cx('share_percent') }}(
            periods.resolution_sla_met_tickets,
            periods.resolution_sla_met_tickets + periods.resolution_sla_breached_tickets
        ) as resolution_sla_attainment_percent,
        {{ is_complete_period() }} as is_complete_period,
        coalesce({{ as_of_date() }} >= periods.matures_on, false) as is_mature,
        periods.matures_on,
        case
            when {{ as_of_date() }} >= periods.matures_on then periods.matures_on
            else {{ as_of_date() }}
        end as as_of_date
    from counts as periods
)

select * from service_levels
