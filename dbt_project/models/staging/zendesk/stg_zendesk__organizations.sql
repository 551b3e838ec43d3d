select
    natural_key,
    organization_id,
    organization_name,
    company_reference,
    updated_at,
    {{ quarantine_columns([
            ['organization_id', 'organization_id'],
            ['sent_updated', 'updated_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        organizations.record ->> 'id' as natural_key,
        organizations.record ->> 'id' as organization_id,
        organizations.record ->> 'name' as organization_name,
        organizations.record ->> 'external_id' as company_reference,
        organizations.record ->> 'updated_at' as sent_updated,
        {{ parse_timestamp("(organizations.record ->> 'updated_at')") }} as updated_at,
        {{ lineage('organizations') | indent(4) }}
    from {{ source('zendesk', 'organizations') }} as organizations
    {{ join_frozen_loads('organizations') | indent(4) }}
) as source
