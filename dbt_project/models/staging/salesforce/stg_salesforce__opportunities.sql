select
    natural_key,
    opportunity_id,
    company_id,
    contact_id,
    stage_name,
    amount,
    is_closed,
    is_won,
    is_deleted,
    close_date,
    created_at,
    updated_at,
    {{ quarantine_columns([
            ['opportunity_id', 'opportunity_id'],
            ['sent_created', 'created_at'],
            ['sent_close', 'close_date'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        opportunities.id as natural_key,
        opportunities.id as opportunity_id,
        opportunities.account_id as company_id,
        opportunities.contact_id,
        {{ parse_word('opportunities.stage_name') }} as stage_name,
        {{ parse_amount('opportunities.amount') }} as amount,
        coalesce(
            {{ parse_boolean('opportunities.is_closed') | indent(4) }},
            lower(opportunities.stage_name) in ('closed won', 'closed lost'),
            false
        ) as is_closed,
        coalesce(
            {{ parse_boolean('opportunities.is_won') | indent(4) }},
            lower(opportunities.stage_name) = 'closed won',
            false
        ) as is_won,
        {{ is_deleted_in_salesforce('opportunities') }} as is_deleted,
        opportunities.close_date as sent_close,
        {{ parse_day('opportunities.close_date') }} as close_date,
        opportunities.created_date as sent_created,
        {{ parse_timestamp('opportunities.created_date') }} as created_at,
        {{ updated_in_salesforce('opportunities') }} as updated_at,
        {{ lineage('opportunities') | indent(4) }}
    from {{ source('salesforce', 'opportunities') }} as opportunities
    {{ join_frozen_loads('opportunities') | indent(4) }}
) as source
