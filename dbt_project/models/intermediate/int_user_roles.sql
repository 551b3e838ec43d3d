{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('users') }} as changed_users
{% endraw %}{% endset %}

{{ config(
    unique_key=['user_id', 'valid_from'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'user_id'},
    indexes=[{'columns': ['user_id']}],
) }}

with

user_states as (
    select
        user_id,
        user_role,
        updated_at,
        row_number() over (
            partition by natural_key, updated_at
            order by _batch_date desc, _file_no desc, _row_number desc
        ) as state_rank
    from {{ staged('users') }} as staged
),

states_compared as (
    select
        user_id,
        user_role,
        updated_at,
        lag(updated_at) over state_order is null as is_first,
        user_role is distinct from lag(user_role) over state_order as is_changed
    from user_states
    where state_rank = 1
    window state_order as (partition by user_id order by updated_at)
),

-- Before the first record that shows a user, the first role holds.
roles as (
    select
        user_id,
        user_role,
        case
            when is_first then cast('1900-01-01 00:00:00+00' as timestamp with time zone)
            else updated_at
        end as valid_from,
        coalesce(
            lead(updated_at) over (partition by user_id order by updated_at),
            cast('9999-12-31 00:00:00+00' as timestamp with time zone)
        ) as valid_to
    from states_compared
    where is_first or is_changed
)

select * from roles
