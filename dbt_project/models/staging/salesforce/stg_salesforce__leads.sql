-- A lead is a prospect; one that was converted is the contact that it became.
select
    natural_key,
    contact_id,
    company_id,
    merged_into_id,
    email,
    country_name,
    lifecycle_stage,
    original_source,
    {{ not_sent('contacts', [
        'language', 'segment', 'preferred_channel', 'merged_object_ids', 'is_survey_opt_out',
        'became_customer_at',
    ]) | indent(4) }},
    is_unsubscribed,
    is_converted,
    is_deleted,
    created_at,
    converted_at,
    updated_at,
    {{ quarantine_columns([
            ['contact_id', 'contact_id'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        leads.id as natural_key,
        leads.id as contact_id,
        leads.converted_account_id as company_id,
        coalesce(leads.converted_contact_id, leads.master_record_id) as merged_into_id,
        lower(trim(leads.email)) as email,
        coalesce(
            {{ parse_word('leads.country_code') | indent(4) }},
            {{ parse_word('leads.country') | indent(4) }}
        ) as country_name,
        'lead' as lifecycle_stage,
        {{ parse_word('leads.lead_source') }} as original_source,
        {{ parse_boolean('leads.has_opted_out_of_email') }} as is_unsubscribed,
        coalesce({{ parse_boolean('leads.is_converted') }}, leads.converted_contact_id is not null)
            as is_converted,
        {{ is_deleted_in_salesforce('leads') }} as is_deleted,
        {{ parse_timestamp('leads.created_date') }} as created_at,
        coalesce(
            {{ parse_timestamp('leads.converted_date') | indent(4) }},
            {{ start_of_reporting_date(parse_day('leads.converted_date')) | indent(4) }}
        ) as converted_at,
        {{ updated_in_salesforce('leads') }} as updated_at,
        {{ lineage('leads') | indent(4) }}
    from {{ source('salesforce', 'leads') }} as leads
    {{ join_frozen_loads('leads') | indent(4) }}
) as source
