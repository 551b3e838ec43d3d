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
        'marks': [
            'customer_key',
            {'customer_day': "customer_key || ':' || created_date"},
            {'asker': {
                'key': 'customer_key',
                'of': 'ticket_id, customer_key, topic, is_deleted, created_at',
            }},
            {'served_day': {
                'key': 'created_date',
                'of': 'ticket_id, created_group_id, agent_employment, channel, '
                    ~ 'touchpoint, priority, segment, country, is_deleted',
            }},
            {'contact_day': {
                'key': 'created_date',
                'of': 'ticket_id, customer_key, cause_stage, cause_touchpoint, cause_area, is_deleted',
            }},
        ],
    },
    indexes=[
        {'columns': ['ticket_id']},
        {'columns': ['customer_key', 'created_date']},
        {'columns': ['created_date']},
    ],
) }}

with

changed_tickets as (
    select
        *,
        {{ reporting_date('created_at') }} as created_date
    from {{ ref('int_tickets') }}
    where {{ to_rebuild('ticket_id') }}
),

tickets_placed as (
    select
        changed_tickets.ticket_id,
        identities.customer_key,
        customers.customer_version_key,
        coalesce(organizations.account_key, customers.account_key) as account_key,
        agents.agent_key,
        changed_tickets.assignee_id,
        changed_tickets.group_id,
        creations.group_id as created_group_id,
        changed_tickets.organization_id,
        events.touchpoint,
        touchpoints.journey_stage,
        touchpoints.channel,
        ticket_groups.calendar,
        ticket_groups.agent_employment,
        changed_tickets.ticket_status,
        changed_tickets.priority,
        changed_tickets.ticket_type,
        changed_tickets.topic,
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
),

-- The rules are matched once per kind of ticket, not once per ticket.
ticket_kinds as (
    select distinct
        coalesce(topic, '') as topic,
        coalesce(ticket_type, '') as ticket_type,
        coalesce(channel, '') as channel,
        coalesce(created_group_id, '') as created_group_id
    from tickets_placed
),

causes_ranked as (
    select
        ticket_kinds.topic,
        ticket_kinds.ticket_type,
        ticket_kinds.channel,
        ticket_kinds.created_group_id,
        cause_rules.cause_touchpoint,
        touchpoints.journey_stage as cause_stage,
        coalesce(cause_rules.cause_area, touchpoints.owner_area) as cause_area,
        row_number() over (
            partition by
                ticket_kinds.topic, ticket_kinds.ticket_type, ticket_kinds.channel,
                ticket_kinds.created_group_id
            order by cause_rules.priority
        ) as rule_rank
    from ticket_kinds
    inner join {{ ref('cause_rules') }} as cause_rules
        on coalesce(cause_rules.topic = ticket_kinds.topic, true)
        and coalesce(cause_rules.ticket_type = ticket_kinds.ticket_type, true)
        and coalesce(cause_rules.channel = ticket_kinds.channel, true)
        and coalesce(cause_rules.group_id = ticket_kinds.created_group_id, true)
    inner join {{ ref('dim_touchpoints') }} as touchpoints
        on touchpoints.touchpoint = cause_rules.cause_touchpoint
),

tickets as (
    select
        tickets_placed.ticket_id,
        tickets_placed.customer_key,
        tickets_placed.customer_version_key,
        tickets_placed.account_key,
        tickets_placed.agent_key,
        tickets_placed.assignee_id,
        tickets_placed.group_id,
        tickets_placed.created_group_id,
        tickets_placed.organization_id,
        tickets_placed.touchpoint,
        tickets_placed.journey_stage,
        tickets_placed.channel,
        tickets_placed.topic,
        coalesce(causes.cause_stage, '(unmapped)') as cause_stage,
        coalesce(causes.cause_touchpoint, '(unmapped)') as cause_touchpoint,
        coalesce(causes.cause_area, '(unmapped)') as cause_area,
        tickets_placed.calendar,
        tickets_placed.agent_employment,
        tickets_placed.ticket_status,
        tickets_placed.priority,
        tickets_placed.ticket_type,
        tickets_placed.satisfaction_score,
        tickets_placed.segment,
        tickets_placed.country,
        tickets_placed.identity_method,
        tickets_placed.is_deleted,
        tickets_placed.created_date,
        tickets_placed.created_at,
        tickets_placed.updated_at
    from tickets_placed
    left join causes_ranked as causes
        on causes.topic = coalesce(tickets_placed.topic, '')
        and causes.ticket_type = coalesce(tickets_placed.ticket_type, '')
        and causes.channel = coalesce(tickets_placed.channel, '')
        and causes.created_group_id = coalesce(tickets_placed.created_group_id, '')
        and causes.rule_rank = 1
)

select * from tickets
