-- One row per number of a customer; a person may have several.
select
    natural_key,
    contact_id,
    merged_contact_id,
    state,
    country_name,
    lifecycle_stage,
    {{ not_sent('contacts', [
        'company_id', 'merged_into_id', 'email', 'language', 'segment', 'preferred_channel',
        'original_source', 'merged_object_ids', 'is_unsubscribed', 'is_survey_opt_out',
        'is_deleted', 'created_at', 'became_customer_at', 'updated_at',
    ]) | indent(4) }},
    is_dated_by_export,
    {{ quarantine_columns([
            ['contact_id', 'contact_id'],
            ['merged_contact_id', 'merged_contact_id'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        customers.customer_unique_id as natural_key,
        customers.customer_unique_id as contact_id,
        customers.customer_id as merged_contact_id,
        {{ parse_word('upper(customers.customer_state)') }} as state,
        'Brazil' as country_name,
        'customer' as lifecycle_stage,
        true as is_dated_by_export,
        {{ lineage('customers') | indent(4) }}
    from {{ source('olist', 'customers') }} as customers
    {{ join_frozen_loads('customers') | indent(4) }}
) as source
