-- The lead's first contact, on a landing page, as an activity.
select
    natural_key,
    natural_key as activity_id,
    contact_id,
    {{ not_sent('activities', ['company_id', 'visitor_id', 'direction', 'store', 'is_deleted']) | indent(4) }},
    'WEB_VISIT' as activity_type,
    'landing_page_viewed' as event,
    created_at as occurred_at,
    is_quarantined,
    quarantine_reason,
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from {{ ref('stg_olist__marketing_qualified_leads') }}
