select
    natural_key,
    company_id,
    company_name,
    industry,
    country_name,
    employees,
    {{ not_sent('companies', ['is_deleted', 'updated_at']) | indent(4) }},
    created_at,
    {{ quarantine_columns([
            ['company_id', 'company_id'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        companies.record_id as natural_key,
        companies.record_id as company_id,
        {{ parse_word('companies.company_name') }} as company_name,
        {{ parse_word('companies.industry') }} as industry,
        companies.country_region as country_name,
        {{ parse_number('companies.number_of_employees', 'bigint') }} as employees,
        {{ parse_timestamp('companies.create_date') }} as created_at,
        {{ lineage('snapshots') | indent(4) }}
    from {{ source('hubspot', 'companies') }} as companies
    inner join {{ snapshots_of('hubspot', 'companies') }} as snapshots
        on snapshots._row_id = companies._row_id
    {{ join_frozen_loads('snapshots') | indent(4) }}
) as source
