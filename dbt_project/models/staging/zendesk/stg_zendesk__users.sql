select
    natural_key,
    user_id,
    contact_reference,
    email,
    organization_id,
    default_group_id,
    user_role,
    locale,
    is_active,
    updated_at,
    {{ quarantine_columns([
            ['user_id', 'user_id'],
            ['sent_updated', 'updated_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        users.record ->> 'id' as natural_key,
        users.record ->> 'id' as user_id,
        users.record ->> 'external_id' as contact_reference,
        lower(trim(users.record ->> 'email')) as email,
        users.record ->> 'organization_id' as organization_id,
        users.record ->> 'default_group_id' as default_group_id,
        users.record ->> 'role' as user_role,
        users.record ->> 'locale' as locale,
        {{ parse_boolean("users.record ->> 'active'") }} as is_active,
        users.record ->> 'updated_at' as sent_updated,
        {{ parse_timestamp("(users.record ->> 'updated_at')") }} as updated_at,
        {{ lineage('users') | indent(4) }}
    from {{ source('zendesk', 'users') }} as users
    {{ join_frozen_loads('users') | indent(4) }}
) as source
