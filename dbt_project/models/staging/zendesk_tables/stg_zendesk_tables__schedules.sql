select
    natural_key,
    schedule_id,
    schedule_name,
    time_zone,
    opens_at_week_minute,
    closes_at_week_minute,
    is_deleted,
    {{ quarantine_columns([
            ['natural_key', 'schedule_id'],
            ['sent_start', 'opens_at_week_minute'],
            ['sent_end', 'closes_at_week_minute'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        {{ natural_key(['schedules.id', 'schedules.start_time']) }} as natural_key,
        {{ parse_record_number('schedules.id') }} as schedule_id,
        {{ parse_word('schedules.name') }} as schedule_name,
        schedules.time_zone,
        schedules.start_time as sent_start,
        {{ parse_number('schedules.start_time', 'integer') }} as opens_at_week_minute,
        schedules.end_time as sent_end,
        {{ parse_number('schedules.end_time', 'integer') }} as closes_at_week_minute,
        {{ parse_boolean('schedules.fivetran_deleted') }} as is_deleted,
        {{ lineage('schedules') | indent(8) }}
    from {{ source('zendesk_tables', 'schedules') }} as schedules
    {{ join_frozen_loads('schedules') | indent(4) }}
) as source
