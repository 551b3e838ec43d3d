{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_identities.identity_id') }} as identities
{% endraw %}{% endset %}

{{ config(
    unique_key='identity_id',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['identity_id']}, {'columns': ['customer_key']}],
) }}

with

records as (
    select
        identity_id,
        customer_key,
        split_part(identity_id, ':', 1) as source_system,
        split_part(identity_id, ':', 2) as record_kind,
        split_part(identity_id, ':', 3) as record_id
    from {{ ref('int_identities') }}
    where {{ to_rebuild('identity_id') }}
),

-- Only records that a vendor has a page for: a visitor or an answer is nobody to call.
customer_records as (
    select
        records.identity_id,
        records.customer_key,
        records.source_system,
        records.record_kind,
        records.record_id,
        replace(record_links.url_pattern, '{id}', records.record_id) as record_url
    from records
    inner join {{ ref('record_links') }} as record_links
        on record_links.source_system = records.source_system
        and record_links.record_kind = records.record_kind
)

select * from customer_records
