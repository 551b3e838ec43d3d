{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_identities.identity_id') }} as identities
{% endraw %}{% endset %}

{{ config(
    unique_key='identity_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['customer_key']},
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
            own_links.url_pattern,
            '{id}',
            substring(records.record_number from length(records.record_prefix) + 1)
        ) as record_url
    from record_sources as records
    left join {{ ref('record_links') }} as own_links
        on own_links.source_system = records.source_system
        and own_links.record_kind = records.record_kind
    -- Another instance has such pages too, at an address of its own.
    left join {{ ref('record_links') }} as links_of_system
        on links_of_system.source_system = split_part(records.source_system, '@', 1)
        and links_of_system.record_kind = records.record_kind
    where coalesce(own_links.record_kind, links_of_system.record_kind) is not null
)

select * from customer_records
