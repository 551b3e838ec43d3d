-- One row per lead that was won: it is the seller that it became.
select
    natural_key,
    contact_id,
    merged_contact_id,
    business_segment,
    lead_type,
    business_type,
    declared_monthly_revenue,
    has_company,
    -- Which of the two dates is wrong nobody can tell: the deal counts as it stands.
    exists (
        select 1
        from {{ ref('stg_olist__marketing_qualified_leads') }} as leads
        where leads.natural_key = source.natural_key
            and leads._source_name = source._source_name
            and leads.first_contact_date
                > cast(source.won_at at time zone '{{ declared('olist', 'time_zone') }}' as date)
    ) as is_won_before_first_contact,
    won_at,
    {{ quarantine_columns([
            ['merged_contact_id', 'merged_contact_id'],
            ['contact_id', 'contact_id'],
            ['sent_won', 'won_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        deals.mql_id as natural_key,
        deals.seller_id as contact_id,
        deals.mql_id as merged_contact_id,
        {{ parse_word('deals.business_segment') }} as business_segment,
        {{ parse_word('deals.lead_type') }} as lead_type,
        {{ parse_word('deals.business_type') }} as business_type,
        {{ parse_amount('deals.declared_monthly_revenue') }} as declared_monthly_revenue,
        {{ parse_boolean('deals.has_company') }} as has_company,
        deals.won_date as sent_won,
        {{ parse_export_timestamp(
            'deals.won_date', declared('olist', 'date_order'), declared('olist', 'time_zone')
        ) }} as won_at,
        {{ lineage('deals') | indent(4) }}
    from {{ source('olist', 'closed_deals') }} as deals
    {{ join_frozen_loads('deals') | indent(4) }}
) as source
