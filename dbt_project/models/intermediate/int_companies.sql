{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('companies') }} as changed_companies
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
        {{ version_rank(stamp_in_batch='updated_at') }} as version_rank
    from {{ staged('companies') }} as staged
),

last_lists as (
    {{ last_lists('companies') }}
),

latest_companies as (
    select
        company_states.company_id,
        {{ cx('keyed_hash') }}('company:' || company_states.company_id) as account_key,
        company_states.company_name,
        company_states.industry,
        company_states.country_name,
        company_states.employees,
        coalesce(
            company_states.is_deleted, company_states._batch_date < last_lists.batch_date, false
        ) as is_deleted,
        company_states.created_at
    from company_states
    left join last_lists
        on last_lists._feed = company_states._feed
    where company_states.version_rank = 1
)

select * from latest_companies
