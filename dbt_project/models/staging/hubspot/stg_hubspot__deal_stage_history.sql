select
    natural_key,
    deal_id,
    deal_stage,
    change_source,
    entered_at,
    exited_at,
    {{ quarantine_columns([
            ['deal_id', 'deal_id'],
            ['sent_entered', 'entered_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        {{ natural_key(['deal_stage_history.deal_id', 'deal_stage_history.deal_stage', 'deal_stage_history.date_entered']) }} as natural_key,
        deal_stage_history.deal_id,
        deal_stage_history.deal_stage,
        deal_stage_history.change_source,
        deal_stage_history.date_entered as sent_entered,
        {{ parse_timestamp('deal_stage_history.date_entered') }} as entered_at,
        {{ parse_timestamp('deal_stage_history.date_exited') }} as exited_at,
        {{ lineage('deal_stage_history') | indent(4) }}
    from {{ source('hubspot', 'deal_stage_history') }} as deal_stage_history
    {{ join_frozen_loads('deal_stage_history') | indent(4) }}
) as source
