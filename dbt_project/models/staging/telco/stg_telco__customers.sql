select
    natural_key,
    contact_id,
    country_name,
    segment,
    lifecycle_stage,
    churn_reason,
    {{ not_sent('contacts', [
        'company_id', 'merged_into_id', 'email', 'language', 'preferred_channel',
        'original_source', 'merged_object_ids', 'is_unsubscribed', 'is_survey_opt_out',
        'is_deleted', 'created_at', 'became_customer_at', 'updated_at',
    ]) | indent(4) }},
    tenure_months,
    monthly_charges,
    total_charges,
    cltv,
    has_churned,
    is_dated_by_export,
    {{ quarantine_columns([
            ['contact_id', 'contact_id'],
            ['segment', 'segment'],
            ['sent_churn', 'has_churned'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        *,
        case when has_churned then 'churned' else 'customer' end as lifecycle_stage
    from (
        select
            customers.customer_id as natural_key,
            customers.customer_id as contact_id,
            customers.country as country_name,
            {{ parse_word('customers.contract') }} as segment,
            {{ parse_word('customers.churn_reason') }} as churn_reason,
            {{ parse_number('customers.tenure_months') }} as tenure_months,
            {{ parse_number('customers.monthly_charges') }} as monthly_charges,
            -- Blank in the first month: nothing was charged yet.
            {{ parse_number('customers.total_charges') }} as total_charges,
            {{ parse_number('customers.cltv') }} as cltv,
            coalesce(customers.churn_label, customers.churn_value) as sent_churn,
            -- Both columns say it; where they differ nobody knows.
            case
                when {{ parse_boolean('customers.churn_label') | indent(16) }}
                    <> {{ parse_boolean('customers.churn_value') | indent(16) }}
                    then null
                when customers.churn_label is null
                    then {{ parse_boolean('customers.churn_value') | indent(16) }}
                else {{ parse_boolean('customers.churn_label') | indent(16) }}
            end as has_churned,
            true as is_dated_by_export,
            {{ lineage('snapshots') | indent(8) }}
        from {{ source('telco', 'customers') }} as customers
        inner join {{ snapshots_of('telco', 'customers') }} as snapshots
            on snapshots._row_id = customers._row_id
        {{ join_frozen_loads('snapshots') | indent(8) }}
    ) as parsed
) as source
