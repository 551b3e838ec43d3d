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
            ['natural_key', 'user_id'],
            ['sent_updated', 'updated_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        users.id as natural_key,
        {{ parse_record_number('users.id') }} as user_id,
        users.external_id as contact_reference,
        lower(trim(users.email)) as email,
        {{ parse_record_number('users.organization_id') }} as organization_id,
        {{ parse_record_number('users.default_group_id') }} as default_group_id,
        users.role as user_role,
        users.locale,
        {{ parse_boolean('users.active') }} as is_active,
        users.updated_at as sent_updated,
        {{ parse_timestamp(with_two_digit_hour('users.updated_at')) | indent(8) }} as updated_at,
        {{ lineage('users') | indent(8) }}
    from {{ source('zendesk_tables', 'users') }} as users
    {{ join_frozen_loads('users') | indent(4) }}
) as source
