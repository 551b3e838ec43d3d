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
        split_part(identity_id, ':', 1) as record_kind,
        substring(identity_id from strpos(identity_id, ':') + 1) as record_number
    from {{ ref('int_identities') }}
    where {{ to_rebuild('identity_id') }}
),

record_sources as (
    select
        *,
        case record_kind
            when 'contact' then {{ source_of_number('record_number', 'contacts') | indent(12) }}
            when 'user' then {{ source_of_number('record_number', 'users') | indent(12) }}
        end as source_system,
        case record_kind
            when 'contact' then {{ prefix_of_number('record_number', 'contacts') | indent(12) }}
            else {{ prefix_of_number('record_number', 'users') | indent(12) }}
        end as record_prefix
    from records
),

-- Only records that a vendor has a page for: a visitor or an answer is nobody to call.
customer_records as (
    select
        records.identity_id,
        records.customer_key,
        records.source_system,
        records.record_kind,
        substring(records.record_number from length(records.record_prefix) + 1) as record_id,
        replace(
            record_links.url_pattern,
            '{id}',
            substring(records.record_number from length(records.record_prefix) + 1)
        ) as record_url
    from record_sources as records
    inner join {{ ref('record_links') }} as record_links
        on record_links.source_system = records.source_system
        and record_links.record_kind = records.record_kind
)

select * from customer_records
