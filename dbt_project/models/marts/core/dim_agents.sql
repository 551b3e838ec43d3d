{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_agents.agent_key') }} as agents
{% endraw %}{% endset %}

{{ config(
    unique_key='agent_key',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['agent_key']}],
) }}

with

agents as (
    select
        agents.agent_key,
        agents.agent_role,
        agents.group_id,
        ticket_groups.group_name,
        agents.is_bot,
        agents.is_active
    from {{ ref('int_agents') }} as agents
    left join {{ ref('ticket_groups') }} as ticket_groups
        on ticket_groups.group_id = agents.group_id
    where {{ to_rebuild('agents.agent_key', 'uuid') }}
)

select * from agents
