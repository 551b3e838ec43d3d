{% set rebuild_when %}{% raw %}
    select key from {{ dirty('hubspot.companies') }} as changed_companies
{% endraw %}{% endset %}

{{ config(
    unique_key='company_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['account_key']},
    indexes=[{'columns': ['company_id']}, {'columns': ['account_key']}],
) }}

with

company_states as (
    select
        *,
        {{ version_rank() }} as version_rank
    from {{ ref('stg_hubspot__companies') }}
    where not is_quarantined
        and {{ to_rebuild('natural_key') }}
),

last_snapshot as (
    select max(batch_date) as batch_date
    from {{ source('audit', 'build_loads') }}
    where feed = 'hubspot.companies' and is_current
),

latest_companies as (
    select
        company_states.company_id,
        {{ cx('keyed_hash') }}('hubspot:company:' || company_states.company_id) as account_key,
        company_states.company_name,
        company_states.industry,
        company_states.country_name,
        company_states.employees,
        company_states._batch_date < last_snapshot.batch_date as is_deleted,
        company_states.created_at
    from company_states
    cross join last_snapshot
    where company_states.version_rank = 1
)

select * from latest_companies
