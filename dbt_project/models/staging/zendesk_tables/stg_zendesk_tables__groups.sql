select
    natural_key,
    group_id,
    group_name,
    is_deleted,
    updated_at,
    {{ quarantine_columns([
            ['natural_key', 'group_id'],
            ['sent_updated', 'updated_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        groups.id as natural_key,
        {{ parse_record_number('groups.id') }} as group_id,
        {{ parse_word('groups.name') }} as group_name,
        {{ parse_boolean('groups.fivetran_deleted') }} as is_deleted,
        groups.updated_at as sent_updated,
        {{ parse_timestamp(with_two_digit_hour('groups.updated_at')) | indent(8) }} as updated_at,
        {{ lineage('groups') | indent(8) }}
    from {{ source('zendesk_tables', 'groups') }} as groups
    {{ join_frozen_loads('groups') | indent(4) }}
) as source
