{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_identities.customer_key') }} as identities
    union
    select cast(identities.customer_key as text)
    from {{ ref('int_identities') }} as identities
    where identities.identity_id in (
        select 'contact:' || key
        from {{ dirty('int_contact_versions.contact_id') }} as versions
        union
        select 'contact:' || key from {{ dirty('int_contacts.contact_id') }} as contacts
        union
        -- the account may be known, or another one, since
        select 'contact:' || contacts_of_companies.contact_id
        from {{ ref('int_contacts') }} as contacts_of_companies
        where contacts_of_companies.company_id in (
            select key from {{ dirty('int_companies.company_id') }} as companies
        )
        union
        select 'user:' || key from {{ dirty('int_users.user_id') }} as users
        union
        select 'user:' || users_of_organizations.user_id
        from {{ ref('int_users') }} as users_of_organizations
        where users_of_organizations.organization_id in (
            select key from {{ dirty('int_organizations.organization_id') }} as organizations
        )
        union
        select 'company:' || key from {{ dirty('int_companies.company_id') }} as named_companies
        union
        -- who won a deal, and whose company did
        select key from {{ dirty('int_touchpoint_events.winner') }} as winners
        union
        select 'contact:' || contacts_of_winners.contact_id
        from {{ ref('int_contacts') }} as contacts_of_winners
        where contacts_of_winners.company_id in (
            select substring(key from 9)
            from {{ dirty('int_touchpoint_events.winner') }} as winning_companies
            where starts_with(key, 'company:')
        )
    )
{% endraw %}{% endset %}

{{ config(
    unique_key=['customer_key', 'valid_from'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'customer_key'},
    indexes=[{'columns': ['customer_key']}],
) }}

with

identities as (
    select
        *,
        case
            when starts_with(identity_id, 'user:') then substring(identity_id from 6)
        end as user_id,
        case
            when starts_with(identity_id, 'company:') then substring(identity_id from 9)
        end as company_id,
        case
            when starts_with(identity_id, 'contact:') then substring(identity_id from 9)
        end as own_contact_id
    from {{ ref('int_identities') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
),

customers as (
    select
        identities.customer_key,
        max(identities.contact_id) as contact_id,
        bool_and(starts_with(identities.identity_id, 'visitor:')) as is_visitor,
        max(companies.company_id) as company_id,
        min(cast(organizations.account_key as text)) as organization_account,
        -- Of several contacts that are one, the one that is left, else the first.
        (array_agg(
            contacts.original_source
            order by contacts.contact_id = identities.contact_id desc, contacts.created_at, contacts.contact_id
        ) filter (where contacts.original_source is not null))[1] as original_source,
        bool_or({{ has_won_a_deal('identities.identity_id') | indent(8) }}) as has_won
    from identities
    left join {{ ref('int_users') }} as users
        on users.user_id = identities.user_id
    left join {{ ref('int_organizations') }} as organizations
        on organizations.organization_id = users.organization_id
    left join {{ ref('int_companies') }} as companies
        on companies.company_id = identities.company_id
    left join {{ ref('int_contacts') }} as contacts
        on contacts.contact_id = identities.own_contact_id
    group by identities.customer_key
),

-- A CRM may write codes instead of names.
country_codes as (
    select distinct country from {{ ref('countries') }}
),

versions as (
    select
        {{ cx('keyed_hash') }}(
            customers.customer_key || ':'
            || coalesce(contact_versions.valid_from, cast('1900-01-01' as date))
        ) as customer_version_key,
        customers.customer_key,
        -- The company that the CRM names; else what the ticket system says.
        coalesce(companies.account_key, cast(customers.organization_account as uuid))
            as account_key,
        case
            when customers.contact_id is null and customers.is_visitor then 'visitor'
            when lifecycle_stages.lifecycle <> 'prospect' then lifecycle_stages.lifecycle
            when customers.has_won
                or {{ has_won_a_deal("'company:' || contacts.company_id") | indent(16) }}
                then 'customer'
            when coalesce(customers.contact_id, customers.company_id) is null then 'unknown'
            when lifecycle_stages.lifecycle is null and contacts.became_customer_at is not null
                then 'customer'
            else 'prospect'
        end as lifecycle,
        contact_versions.lifecycle_stage,
        contact_versions.segment,
        coalesce(countries.country, country_codes.country) as country,
        contact_versions.language,
        contact_versions.preferred_channel,
        {{ parse_word('customers.original_source') }} as original_source,
        coalesce(customers.contact_id, customers.company_id) is not null as is_in_crm,
        coalesce(
            case when customers.contact_id is null then companies.is_deleted else contacts.is_deleted end,
            false
        ) as is_deleted_in_crm,
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
    left join {{ ref('int_companies') }} as companies
        on companies.company_id = coalesce(contacts.company_id, customers.company_id)
    left join {{ ref('lifecycle_stages') }} as lifecycle_stages
        on lifecycle_stages.lifecycle_stage = lower(contact_versions.lifecycle_stage)
    left join {{ ref('countries') }} as countries
        on countries.country_name = contact_versions.country_name
    left join country_codes
        on country_codes.country = upper(contact_versions.country_name)
)

select * from versions
