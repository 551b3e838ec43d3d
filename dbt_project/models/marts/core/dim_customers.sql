{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_identities.customer_key') }} as identities
    union
    select cast(identities.customer_key as text)
    from {{ ref('int_identities') }} as identities
    where identities.identity_id in (
        select 'hubspot:contact:' || key
        from {{ dirty('int_contact_versions.contact_id') }} as versions
        union
        select 'hubspot:contact:' || key from {{ dirty('int_contacts.contact_id') }} as contacts
    )
{% endraw %}{% endset %}

{{ config(
    unique_key=['customer_key', 'valid_from'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'customer_key'},
    indexes=[{'columns': ['customer_key']}],
) }}

with

customers as (
    select
        customer_key,
        max(contact_id) as contact_id
    from {{ ref('int_identities') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
    group by customer_key
),

versions as (
    select
        {{ cx('keyed_hash') }}(
            customers.customer_key || ':'
            || coalesce(contact_versions.valid_from, cast('1900-01-01' as date))
        ) as customer_version_key,
        customers.customer_key,
        contact_versions.lifecycle_stage,
        contact_versions.segment,
        countries.country,
        contact_versions.language,
        contact_versions.preferred_channel,
        customers.contact_id is not null as is_in_crm,
        coalesce(contacts.is_deleted, false) as is_deleted_in_crm,
        contact_versions.may_be_contacted,
        contact_versions.may_be_surveyed,
        coalesce(contact_versions.valid_to, cast('9999-12-31' as date))
            = cast('9999-12-31' as date) as is_current,
        coalesce(contact_versions.valid_from, cast('1900-01-01' as date)) as valid_from,
        coalesce(contact_versions.valid_to, cast('9999-12-31' as date)) as valid_to
    from customers
    left join {{ ref('int_contact_versions') }} as contact_versions
        on contact_versions.contact_id = customers.contact_id
    left join {{ ref('int_contacts') }} as contacts
        on contacts.contact_id = customers.contact_id
    left join {{ ref('countries') }} as countries
        on countries.country_name = contact_versions.country_name
)

select * from versions
