select
    natural_key,
    contact_id,
    company_id,
    merged_into_id,
    email,
    country_name,
    original_source,
    {{ not_sent('contacts', [
        'language', 'lifecycle_stage', 'segment', 'preferred_channel', 'merged_object_ids',
        'is_survey_opt_out', 'became_customer_at',
    ]) | indent(4) }},
    is_unsubscribed,
    is_deleted,
    created_at,
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
        contacts.id as natural_key,
        contacts.id as contact_id,
        contacts.account_id as company_id,
        contacts.master_record_id as merged_into_id,
        lower(trim(contacts.email)) as email,
        coalesce(
            {{ parse_word('contacts.mailing_country_code') | indent(4) }},
            {{ parse_word('contacts.mailing_country') | indent(4) }}
        ) as country_name,
        {{ parse_word('contacts.lead_source') }} as original_source,
        {{ parse_boolean('contacts.has_opted_out_of_email') }} as is_unsubscribed,
        {{ is_deleted_in_salesforce('contacts') }} as is_deleted,
        {{ parse_timestamp('contacts.created_date') }} as created_at,
        {{ updated_in_salesforce('contacts') }} as updated_at,
        {{ lineage('contacts') | indent(4) }}
    from {{ source('salesforce', 'contacts') }} as contacts
    {{ join_frozen_loads('contacts') | indent(4) }}
) as source
