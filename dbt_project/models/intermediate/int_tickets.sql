{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('tickets') }} as changed_tickets
{% endraw %}{% endset %}

{{ config(
    unique_key='ticket_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['identity_id']},
    indexes=[
        {'columns': ['ticket_id']},
        {'columns': ['identity_id']},
        {'columns': ['assignee_id']},
        {'columns': ['organization_id']},
    ],
) }}

with

ticket_versions as (
    select
        *,
        {{ version_rank('updated_at', 'revision') }} as version_rank
    from {{ staged('tickets') }} as staged
),

latest_versions as (
    select *
    from ticket_versions
    where version_rank = 1
),

-- Of the fields that a company gave its tickets, those that the seed knows the meaning of.
fields_read as (
    select
        latest_versions.ticket_id,
        ticket_fields.priority,
        ticket_fields.meaning,
        coalesce(ticket_fields.means, lower(values_read.field_value)) as means
    from latest_versions
    inner join {{ ref('ticket_fields') }} as ticket_fields
        on ticket_fields.source_system in (
            latest_versions.source_name, split_part(latest_versions.source_name, '@', 1)
        )
    cross join lateral (
        values ({{ ticket_field_value('latest_versions.fields', 'ticket_fields.field') }})
    ) as values_read (field_value)
    where values_read.field_value = coalesce(ticket_fields.field_value, values_read.field_value)
),

fields_ranked as (
    select
        *,
        row_number() over (partition by ticket_id, meaning order by priority) as field_rank
    from fields_read
),

sources_with_flags as (
    select distinct source_system
    from {{ ref('ticket_fields') }}
    where meaning = 'first_contact_resolution'
),

latest_tickets as (
    select
        latest_versions.ticket_id,
        coalesce(
            'user:' || latest_versions.requester_id, 'ticket:' || latest_versions.ticket_id
        ) as identity_id,
        latest_versions.assignee_id,
        latest_versions.group_id,
        latest_versions.organization_id,
        latest_versions.ticket_channel,
        latest_versions.ticket_status,
        latest_versions.priority,
        latest_versions.ticket_type,
        topics.means as topic,
        latest_versions.satisfaction_score,
        -- Of a source that flags nothing, nothing is known; else what has no flag is none.
        case
            when exists (
                select from sources_with_flags
                where sources_with_flags.source_system in (
                    latest_versions.source_name, split_part(latest_versions.source_name, '@', 1)
                )
            )
                then coalesce(flags.means = 'true', false)
        end as is_flagged_first_contact,
        latest_versions.is_sla_met,
        latest_versions.created_at,
        latest_versions.updated_at
    from latest_versions
    left join fields_ranked as topics
        on topics.ticket_id = latest_versions.ticket_id
        and topics.meaning = 'topic'
        and topics.field_rank = 1
    left join fields_ranked as flags
        on flags.ticket_id = latest_versions.ticket_id
        and flags.meaning = 'first_contact_resolution'
        and flags.field_rank = 1
)

select * from latest_tickets
