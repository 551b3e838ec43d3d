{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_tickets.ticket_id') }} as changed_tickets
    union
    select tickets.ticket_id
    from {{ ref('int_tickets') }} as tickets
    where tickets.identity_id in (
        select key from {{ dirty('int_identities.identity_id') }} as identities
    )
    union
    {{ facts_of_other_versions(
        'ticket_id', 'created_date', ['customer_version_key', 'segment', 'country', 'account_key']
    ) }}
    union
    select key from {{ dirty('int_ticket_events.ticket_id') }} as tickets_with_events
    union
    -- agents and organizations may be shown later than their tickets
    select tickets_of_agents.ticket_id
    from {{ ref('int_tickets') }} as tickets_of_agents
    where tickets_of_agents.assignee_id in (
        select key from {{ dirty('int_agents.user_id') }} as agents
    )
    union
    select tickets_of_organizations.ticket_id
    from {{ ref('int_tickets') }} as tickets_of_organizations
    where tickets_of_organizations.organization_id in (
        select key from {{ dirty('int_organizations.organization_id') }} as organizations
    )
    union
    select substring(key from 8)
    from {{ dirty('int_touchpoint_events.event_id') }} as events
    where starts_with(key, 'ticket:')
{% endraw %}{% endset %}

{{ config(
    unique_key='ticket_id',
    meta={
        'rebuild_when': rebuild_when,
        'marks': ['customer_key', {'customer_day': "customer_key || ':' || created_date"}],
    },
    indexes=[{'columns': ['ticket_id']}, {'columns': ['customer_key', 'created_date']}],
) }}

with

changed_tickets as (
    select
        *,
        {{ reporting_date('created_at') }} as created_date
    from {{ ref('int_tickets') }}
    where {{ to_rebuild('ticket_id') }}
),

tickets as (
    select
        changed_tickets.ticket_id,
        identities.customer_key,
        customers.customer_version_key,
        coalesce(organizations.account_key, customers.account_key) as account_key,
        agents.agent_key,
        changed_tickets.assignee_id,
        changed_tickets.group_id,
        changed_tickets.organization_id,
        events.touchpoint,
        touchpoints.journey_stage,
        touchpoints.channel,
        ticket_groups.calendar,
        changed_tickets.ticket_status,
        changed_tickets.priority,
        changed_tickets.ticket_type,
        changed_tickets.satisfaction_score,
        customers.segment,
        customers.country,
        identities.identity_method,
        changed_tickets.ticket_status = 'deleted' as is_deleted,
        changed_tickets.created_date,
        changed_tickets.created_at,
        changed_tickets.updated_at
    from changed_tickets
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = changed_tickets.identity_id
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = identities.customer_key
        and changed_tickets.created_date >= customers.valid_from
        and changed_tickets.created_date < customers.valid_to
    inner join {{ ref('int_touchpoint_events') }} as events
        on events.event_id = 'ticket:' || changed_tickets.ticket_id
    inner join {{ ref('dim_touchpoints') }} as touchpoints
        on touchpoints.touchpoint = events.touchpoint
    inner join {{ ref('int_ticket_events') }} as creations
        on creations.ticket_id = changed_tickets.ticket_id
        and creations.event_type = 'created'
    left join {{ ref('ticket_groups') }} as ticket_groups
        on ticket_groups.group_id = creations.group_id
    left join {{ ref('int_agents') }} as agents
        on agents.user_id = changed_tickets.assignee_id
    left join {{ ref('int_organizations') }} as organizations
        on organizations.organization_id = changed_tickets.organization_id
)

select * from tickets
