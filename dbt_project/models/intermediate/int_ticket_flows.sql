{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_ticket_events.occurred_date') }} as days
{% endraw %}{% endset %}

{{ config(
    unique_key=['flow_date', 'breakdown', 'breakdown_value'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'flow_date'},
    indexes=[{'columns': ['flow_date']}],
) }}

with

-- What happened to tickets that were open, or opened them: the rest is no flow.
flows as (
    select
        occurred_date as flow_date,
        coalesce(group_id, '(none)') as ticket_group,
        event_type,
        coalesce(previous_value, '(none)') as group_before
    from {{ ref('fct_ticket_events') }}
    where {{ to_rebuild('occurred_date', 'date') }}
        and (
            event_type in ('created', 'reopened')
            or event_type in ('solved', 'merged', 'deleted')
            and previous_value not in ('solved', 'closed', 'deleted')
            or event_type = 'restored'
            and new_value not in ('solved', 'closed')
            or event_type = 'moved'
            and ticket_status not in ('solved', 'closed', 'deleted')
        )
),

flows_of_cuts as (
    select flow_date, 'total' as breakdown, 'all' as breakdown_value, event_type
    from flows
    where event_type <> 'moved'

    union all

    select
        flow_date,
        'ticket_group',
        ticket_group,
        case event_type when 'moved' then 'moved_in' else event_type end
    from flows

    union all

    select flow_date, 'ticket_group', group_before, 'moved_out'
    from flows
    where event_type = 'moved'
),

ticket_flows as (
    select
        flow_date,
        breakdown,
        breakdown_value,
        count(*) filter (where event_type = 'created') as created_tickets,
        count(*) filter (where event_type = 'reopened') as reopened_tickets,
        count(*) filter (where event_type = 'restored') as restored_tickets,
        count(*) filter (where event_type = 'moved_in') as moved_in_tickets,
        count(*) filter (where event_type = 'solved') as solved_tickets,
        count(*) filter (where event_type = 'merged') as merged_tickets,
        count(*) filter (where event_type = 'deleted') as deleted_open_tickets,
        count(*) filter (where event_type = 'moved_out') as moved_out_tickets
    from flows_of_cuts
    group by flow_date, breakdown, breakdown_value
)

select * from ticket_flows
