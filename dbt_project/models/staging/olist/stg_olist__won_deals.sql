-- The deal that a lead closed, as an activity.
select
    natural_key,
    natural_key || '/won' as activity_id,
    merged_contact_id as contact_id,
    {{ not_sent('activities', ['company_id', 'visitor_id', 'direction', 'store', 'is_deleted']) | indent(4) }},
    'DEAL' as activity_type,
    'deal_won' as event,
    won_at as occurred_at,
    is_quarantined,
    quarantine_reason,
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from {{ ref('stg_olist__closed_deals') }}
