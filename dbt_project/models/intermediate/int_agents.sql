{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_user_roles.user_id') }} as roles
    union
    select key from {{ dirty('int_users.user_id') }} as users
{% endraw %}{% endset %}

{{ config(
    unique_key='user_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['agent_key']},
    indexes=[{'columns': ['user_id']}, {'columns': ['agent_key']}],
) }}

with

staff_roles_ranked as (
    select
        user_id,
        user_role as agent_role,
        row_number() over (partition by user_id order by valid_from desc) as role_rank
    from {{ ref('int_user_roles') }}
    where user_role in ('agent', 'admin')
        and {{ to_rebuild('user_id') }}
),

agents as (
    select
        staff_roles_ranked.user_id,
        {{ cx('keyed_hash') }}('agent:' || staff_roles_ranked.user_id) as agent_key,
        staff_roles_ranked.agent_role,
        users.default_group_id as group_id,
        ticket_bots.user_id is not null as is_bot,
        users.user_role in ('agent', 'admin') and coalesce(users.is_active, true) as is_active
    from staff_roles_ranked
    inner join {{ ref('int_users') }} as users
        on users.user_id = staff_roles_ranked.user_id
    left join {{ ref('ticket_bots') }} as ticket_bots
        on ticket_bots.user_id = staff_roles_ranked.user_id
    where staff_roles_ranked.role_rank = 1
)

select * from agents
