select
    natural_key,
    company_id,
    company_name,
    industry,
    country_name,
    employees,
    is_deleted,
    created_at,
    updated_at,
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
        accounts.id as natural_key,
        accounts.id as company_id,
        {{ parse_word('accounts.account_name') }} as company_name,
        {{ parse_word('accounts.industry') }} as industry,
        coalesce(
            {{ parse_word('accounts.billing_country_code') | indent(4) }},
            {{ parse_word('accounts.billing_country') | indent(4) }}
        ) as country_name,
        {{ parse_number('accounts.number_of_employees', 'bigint') }} as employees,
        {{ is_deleted_in_salesforce('accounts') }} as is_deleted,
        {{ parse_timestamp('accounts.created_date') }} as created_at,
        {{ updated_in_salesforce('accounts') }} as updated_at,
        {{ lineage('accounts') | indent(4) }}
    from {{ source('salesforce', 'accounts') }} as accounts
    {{ join_frozen_loads('accounts') | indent(4) }}
) as source
