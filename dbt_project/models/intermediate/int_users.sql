{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('users') }} as changed_users
{% endraw %}{% endset %}

{{ config(
    unique_key='user_id',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['user_id']}, {'columns': ['organization_id']}],
) }}

with

user_versions as (
    select
        *,
        {{ version_rank('updated_at') }} as version_rank
    from {{ staged('users') }} as staged
),

latest_users as (
    select
        user_id,
        contact_reference,
        {{ email_key('email') }} as email_key,
        organization_id,
        default_group_id,
        user_role,
        locale,
        is_active
    from user_versions
    where version_rank = 1
)

select * from latest_users
