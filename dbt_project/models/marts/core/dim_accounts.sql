{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_companies.account_key') }} as companies
    union
    select key from {{ dirty('int_organizations.account_key') }} as organizations
{% endraw %}{% endset %}

{{ config(
    unique_key='account_key',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['account_key']}],
) }}

with

companies as (
    select *
    from {{ ref('int_companies') }}
    where {{ to_rebuild('account_key', 'uuid') }}
),

-- Several organizations may stand for one company.
organizations as (
    select
        account_key,
        cast(count(*) as integer) as organizations,
        min(organization_name collate "C") as organization_name
    from {{ ref('int_organizations') }}
    where {{ to_rebuild('account_key', 'uuid') }}
    group by account_key
),

-- A CRM may write codes instead of names.
country_codes as (
    select distinct country from {{ ref('countries') }}
),

accounts as (
    select
        coalesce(companies.account_key, organizations.account_key) as account_key,
        coalesce(companies.company_name, organizations.organization_name) as account_name,
        companies.industry,
        coalesce(countries.country, country_codes.country) as country,
        companies.employees,
        coalesce(organizations.organizations, 0) as organizations,
        companies.account_key is not null as is_in_crm,
        coalesce(companies.is_deleted, false) as is_deleted_in_crm,
        companies.created_at
    from companies
    full join organizations
        on organizations.account_key = companies.account_key
    left join {{ ref('countries') }} as countries
        on countries.country_name = companies.country_name
    left join country_codes
        on country_codes.country = upper(companies.country_name)
)

select * from accounts
