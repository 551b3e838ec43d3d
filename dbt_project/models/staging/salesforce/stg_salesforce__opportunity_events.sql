-- What an opportunity tells of, as activities: it was opened, and perhaps won or lost.
select
    opportunities.natural_key,
    opportunities.natural_key || '/' || events.deed as activity_id,
    opportunities.contact_id,
    opportunities.company_id,
    {{ not_sent('activities', ['visitor_id', 'direction', 'store']) | indent(4) }},
    'DEAL' as activity_type,
    'deal_' || events.deed as event,
    opportunities.is_deleted,
    events.occurred_at,
    opportunities.is_quarantined,
    opportunities.quarantine_reason,
    opportunities._batch_date,
    opportunities._load_id,
    opportunities._file_no,
    opportunities._row_number,
    opportunities._source_name
from {{ ref('stg_salesforce__opportunities') }} as opportunities
cross join lateral (
    values
        (true, 'opened', opportunities.created_at),
        (
            opportunities.is_closed or opportunities.is_won,
            case when opportunities.is_won then 'won' else 'lost' end,
            -- Salesforce keeps the day alone; nothing closes before it was opened.
            greatest(
                {{ start_of_reporting_date('opportunities.close_date') }},
                opportunities.created_at
            )
        )
) as events (has_happened, deed, occurred_at)
where events.has_happened
