select
    natural_key,
    organization_id,
    company_reference,
    organization_name,
    updated_at,
    {{ quarantine_columns([
            ['natural_key', 'organization_id'],
            ['sent_updated', 'updated_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        organizations.id as natural_key,
        {{ parse_record_number('organizations.id') }} as organization_id,
        organizations.external_id as company_reference,
        organizations.name as organization_name,
        organizations.updated_at as sent_updated,
        {{ parse_timestamp(with_two_digit_hour('organizations.updated_at')) | indent(8) }} as updated_at,
        {{ lineage('organizations') | indent(8) }}
    from {{ source('zendesk_tables', 'organizations') }} as organizations
    {{ join_frozen_loads('organizations') | indent(4) }}
) as source
