-- One row per opportunity and version of it; not every version has another stage.
select
    natural_key,
    opportunity_id,
    company_id,
    contact_id,
    stage_name,
    is_deleted,
    changed_at,
    {{ quarantine_columns([
            ['opportunity_id', 'opportunity_id'],
            ['stage_name', 'stage_name'],
            ['sent_changed', 'changed_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        history.opportunity_id as natural_key,
        history.opportunity_id,
        history.account_id as company_id,
        history.contact_id,
        {{ parse_word('history.stage_name') }} as stage_name,
        coalesce({{ parse_boolean('history.is_deleted') }}, false) as is_deleted,
        history.changed_date as sent_changed,
        {{ parse_timestamp('history.changed_date') }} as changed_at,
        {{ lineage('history') | indent(4) }}
    from {{ source('salesforce', 'opportunity_history') }} as history
    {{ join_frozen_loads('history') | indent(4) }}
) as source
