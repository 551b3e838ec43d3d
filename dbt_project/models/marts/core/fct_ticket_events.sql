{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_ticket_events.ticket_id') }} as changed_tickets
    union
    select events_of_people.ticket_id
    from {{ ref('int_ticket_events') }} as events_of_people
    where events_of_people.identity_id in (
        select key from {{ dirty('int_identities.identity_id') }} as identities
    )
    union
    {{ facts_of_other_versions('ticket_id', 'occurred_date', ['customer_version_key']) }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['ticket_id', 'ticket_event_key'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'ticket_id',
        'marks': [
            'customer_key',
            'occurred_date',
            {'customer_reached': "case when " ~ is_reply_of_ours() ~ " then customer_key end"},
        ],
    },
    indexes=[
        {'columns': ['ticket_id']},
        {'columns': ['customer_key']},
        {'columns': ['occurred_date']},
    ],
) }}

with

events as (
    select
        *,
        {{ reporting_date('occurred_at') }} as occurred_date
    from {{ ref('int_ticket_events') }}
    where {{ to_rebuild('ticket_id') }}
),

ticket_events as (
    select
        events.ticket_event_key,
        events.ticket_id,
        identities.customer_key,
        customers.customer_version_key,
        case
            when events.agent_id is not null
                then {{ cx('keyed_hash') }}('agent:' || events.agent_id)
        end as agent_key,
        events.group_id,
        events.event_type,
        case
            when events.event_type <> 'assigned' then events.previous_value
            when events.previous_value is not null
                then cast({{ cx('keyed_hash') }}('agent:' || events.previous_value) as text)
        end as previous_value,
        case
            when events.event_type <> 'assigned' then events.new_value
            when events.new_value is not null
                then cast({{ cx('keyed_hash') }}('agent:' || events.new_value) as text)
        end as new_value,
        events.ticket_status,
        events.author_role,
        events.position,
        events.is_public,
        events.is_human,
        events.is_inferred,
        events.occurred_date,
        events.occurred_at
    from events
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = events.identity_id
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = identities.customer_key
        and events.occurred_date >= customers.valid_from
        and events.occurred_date < customers.valid_to
)

select * from ticket_events
