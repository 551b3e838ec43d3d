select
    natural_key,
    contact_id,
    company_id,
    email,
    country_name,
    language,
    lifecycle_stage,
    segment,
    preferred_channel,
    original_source,
    merged_object_ids,
    is_unsubscribed,
    is_survey_opt_out,
    {{ not_sent('contacts', ['merged_into_id', 'is_deleted', 'updated_at']) | indent(4) }},
    created_at,
    became_customer_at,
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
        contacts.record_id as natural_key,
        contacts.record_id as contact_id,
        contacts.associated_company_id as company_id,
        lower(trim(contacts.email)) as email,
        contacts.country_region as country_name,
        {{ parse_word('lower(contacts.preferred_language)') }} as language,
        {{ parse_word('contacts.lifecycle_stage') }} as lifecycle_stage,
        {{ parse_word('contacts.customer_segment') }} as segment,
        {{ parse_word('contacts.preferred_channel') }} as preferred_channel,
        contacts.original_source,
        contacts.merged_object_ids,
        {{ parse_boolean('contacts.unsubscribed_from_all_email') }} as is_unsubscribed,
        {{ parse_boolean('contacts.survey_opt_out') }} as is_survey_opt_out,
        {{ parse_timestamp('contacts.create_date') }} as created_at,
        {{ parse_timestamp('contacts.became_a_customer_date') }} as became_customer_at,
        {{ lineage('snapshots') | indent(4) }}
    from {{ source('hubspot', 'contacts') }} as contacts
    inner join {{ snapshots_of('hubspot', 'contacts') }} as snapshots
        on snapshots._row_id = contacts._row_id
    {{ join_frozen_loads('snapshots') | indent(4) }}
) as source
