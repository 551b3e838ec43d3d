{% set rebuild_when %}{% raw %}
    -- A day that changes moves all days after it, and each night adds a day to every cut.
    select breakdown
    from (values ('total'), ('ticket_group')) as cuts (breakdown)
    where exists (
        select from {{ dirty('int_ticket_flows.flow_date') }} as days
    )
        or exists (
            select from {{ source('audit', 'as_of') }}
            where role = 'ticket' and low_date is distinct from high_date
        )
{% endraw %}{% endset %}

{{ config(
    unique_key=['breakdown', 'breakdown_value', 'backlog_date'],
    meta={'rebuild_when': rebuild_when, 'publish_by': 'backlog_date'},
    indexes=[{'columns': ['breakdown']}, {'columns': ['backlog_date']}],
) }}

with

as_of as (
    select min(as_of_date) as as_of_date
    from {{ source('audit', 'as_of') }}
    where role = 'ticket'
),

flows as (
    select flows.*
    from {{ ref('int_ticket_flows') }} as flows
    inner join as_of
        on flows.flow_date <= as_of.as_of_date
    where {{ to_rebuild('flows.breakdown') }}
),

cuts as (
    select breakdown, breakdown_value, min(flow_date) as first_date
    from flows
    group by breakdown, breakdown_value
),

-- A day on which nothing happens has a backlog all the same.
days as (
    select
        cuts.breakdown,
        cuts.breakdown_value,
        dates.date_day as backlog_date,
        coalesce(flows.created_tickets, 0) as created_tickets,
        coalesce(flows.reopened_tickets, 0) as reopened_tickets,
        coalesce(flows.restored_tickets, 0) as restored_tickets,
        coalesce(flows.moved_in_tickets, 0) as moved_in_tickets,
        coalesce(flows.solved_tickets, 0) as solved_tickets,
        coalesce(flows.merged_tickets, 0) as merged_tickets,
        coalesce(flows.deleted_open_tickets, 0) as deleted_open_tickets,
        coalesce(flows.moved_out_tickets, 0) as moved_out_tickets
    from cuts
    cross join as_of
    inner join {{ ref('dim_dates') }} as dates
        on dates.date_day >= cuts.first_date
        and dates.date_day <= as_of.as_of_date
    left join flows
        on flows.breakdown = cuts.breakdown
        and flows.breakdown_value = cuts.breakdown_value
        and flows.flow_date = dates.date_day
),

days_balanced as (
    select
        *,
        cast(sum(
            created_tickets + reopened_tickets + restored_tickets + moved_in_tickets
            - solved_tickets - merged_tickets - deleted_open_tickets - moved_out_tickets
        ) over (
            partition by breakdown, breakdown_value order by backlog_date
        ) as bigint) as closing_backlog_tickets
    from days
),

backlog as (
    select
        days_balanced.breakdown,
        days_balanced.breakdown_value,
        ticket_groups.group_name,
        days_balanced.backlog_date,
        lag(days_balanced.closing_backlog_tickets, 1, 0) over (
            partition by days_balanced.breakdown, days_balanced.breakdown_value
            order by days_balanced.backlog_date
        ) as opening_backlog_tickets,
        days_balanced.created_tickets,
        days_balanced.reopened_tickets,
        days_balanced.restored_tickets,
        days_balanced.moved_in_tickets,
        days_balanced.solved_tickets,
        days_balanced.merged_tickets,
        days_balanced.deleted_open_tickets,
        days_balanced.moved_out_tickets,
        days_balanced.closing_backlog_tickets
    from days_balanced
    left join {{ ref('ticket_groups') }} as ticket_groups
        on days_balanced.breakdown = 'ticket_group'
        and ticket_groups.group_id = days_balanced.breakdown_value
)

select * from backlog
