{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('organizations') }} as changed_organizations
    union
    -- a company that the CRM shows later than its organization
    select organizations.organization_id
    from {{ this }} as organizations
    where organizations.company_reference in (
        select key from {{ dirty('int_companies.company_id') }} as companies
    )
{% endraw %}{% endset %}

{{ config(
    unique_key='organization_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['account_key']},
    indexes=[
        {'columns': ['organization_id']},
        {'columns': ['company_reference']},
        {'columns': ['account_key']},
    ],
) }}

with

organization_versions as (
    select
        *,
        {{ version_rank('updated_at') }} as version_rank
    from {{ staged('organizations') }} as staged
),

latest_organizations as (
    select
        organization_versions.organization_id,
        organization_versions.company_reference,
        coalesce(
            companies.account_key,
            {{ cx('keyed_hash') }}(
                'organization:' || organization_versions.organization_id
            )
        ) as account_key,
        organization_versions.organization_name,
        companies.company_id is not null as is_matched
    from organization_versions
    left join {{ ref('int_companies') }} as companies
        on companies.company_id = organization_versions.company_reference
    where organization_versions.version_rank = 1
)

select * from latest_organizations
