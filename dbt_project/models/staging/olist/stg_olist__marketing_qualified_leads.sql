select
    natural_key,
    contact_id,
    landing_page_id,
    original_source,
    country_name,
    lifecycle_stage,
    {{ not_sent('contacts', [
        'company_id', 'merged_into_id', 'email', 'language', 'segment', 'preferred_channel',
        'merged_object_ids', 'is_unsubscribed', 'is_survey_opt_out', 'is_deleted',
        'became_customer_at', 'updated_at',
    ]) | indent(4) }},
    first_contact_date,
    {{ start_of_reporting_date('first_contact_date') }} as created_at,
    {{ quarantine_columns([
            ['contact_id', 'contact_id'],
            ['sent_first_contact', 'first_contact_date'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        leads.mql_id as natural_key,
        leads.mql_id as contact_id,
        leads.landing_page_id,
        -- No origin and the origin 'unknown' are two things: nobody wrote, nobody knows.
        {{ parse_word('leads.origin') }} as original_source,
        'Brazil' as country_name,
        'marketingqualifiedlead' as lifecycle_stage,
        leads.first_contact_date as sent_first_contact,
        coalesce(
            {{ parse_day('leads.first_contact_date') | indent(4) }},
            {{ parse_local_date('leads.first_contact_date', declared('olist', 'date_order')) | indent(4) }}
        ) as first_contact_date,
        {{ lineage('leads') | indent(4) }}
    from {{ source('olist', 'marketing_qualified_leads') }} as leads
    {{ join_frozen_loads('leads') | indent(4) }}
) as source
