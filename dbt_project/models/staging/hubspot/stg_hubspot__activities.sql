select
    natural_key,
    activity_id,
    contact_id,
    visitor_id,
    {{ not_sent('activities', ['company_id', 'is_deleted']) }},
    activity_type,
    event,
    direction,
    store,
    occurred_at,
    {{ quarantine_columns([
            ['activity_id', 'activity_id'],
            ['activity_type', 'activity_type'],
            ['sent_occurred', 'occurred_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        activities.record_id as natural_key,
        activities.record_id as activity_id,
        activities.associated_contact_id as contact_id,
        activities.visitor_id,
        activities.activity_type,
        activities.event,
        activities.direction,
        activities.store,
        activities.activity_date as sent_occurred,
        {{ parse_timestamp('activities.activity_date') }} as occurred_at,
        {{ lineage('activities') | indent(4) }}
    from {{ source('hubspot', 'activities') }} as activities
    {{ join_frozen_loads('activities') | indent(4) }}
) as source
