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

latest_tickets as (
    select
        ticket_id,
        coalesce('user:' || requester_id, 'ticket:' || ticket_id) as identity_id,
        assignee_id,
        group_id,
        organization_id,
        ticket_channel,
        ticket_status,
        priority,
        ticket_type,
        satisfaction_score,
        created_at,
        updated_at
    from ticket_versions
    where version_rank = 1
)

select * from latest_tickets
