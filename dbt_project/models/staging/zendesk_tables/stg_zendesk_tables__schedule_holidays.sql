select
    natural_key,
    holiday_id,
    schedule_id,
    holiday_name,
    is_deleted,
    first_date,
    last_date,
    {{ quarantine_columns([
            ['natural_key', 'holiday_id'],
            ['schedule_id', 'schedule_id'],
            ['sent_start', 'first_date'],
            ['sent_end', 'last_date'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        schedule_holidays.id as natural_key,
        {{ parse_record_number('schedule_holidays.id') }} as holiday_id,
        {{ parse_record_number('schedule_holidays.schedule_id') }} as schedule_id,
        {{ parse_word('schedule_holidays.name') }} as holiday_name,
        {{ parse_boolean('schedule_holidays.fivetran_deleted') }} as is_deleted,
        schedule_holidays.start_date as sent_start,
        {{ parse_day('schedule_holidays.start_date') }} as first_date,
        schedule_holidays.end_date as sent_end,
        {{ parse_day('schedule_holidays.end_date') }} as last_date,
        {{ lineage('schedule_holidays') | indent(8) }}
    from {{ source('zendesk_tables', 'schedule_holidays') }} as schedule_holidays
    {{ join_frozen_loads('schedule_holidays') | indent(4) }}
) as source
