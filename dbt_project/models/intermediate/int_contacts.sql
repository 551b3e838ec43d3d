{% set rebuild_when %}{% raw %}
    select key from {{ dirty('hubspot.contacts') }} as changed_contacts
{% endraw %}{% endset %}

{{ config(
    unique_key='contact_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['email_key', 'merged_object_ids']},
    indexes=[
        {'columns': ['contact_id']},
        {'columns': ['email_key']},
        {'columns': ['company_id']},
    ],
) }}

with

contact_states as (
    select *
    from {{ ref('stg_hubspot__contacts') }}
    where not is_quarantined
        and {{ to_rebuild('natural_key') }}
),

states_ranked as (
    select
        *,
        {{ version_rank() }} as version_rank
    from contact_states
),

last_snapshot as (
    select max(batch_date) as batch_date
    from {{ source('audit', 'build_loads') }}
    where feed = 'hubspot.contacts' and is_current
),

latest_states as (
    select
        states_ranked.contact_id,
        states_ranked.company_id,
        {{ email_key('states_ranked.email') }} as email_key,
        states_ranked.merged_object_ids,
        states_ranked.original_source,
        states_ranked._batch_date < last_snapshot.batch_date as is_deleted,
        states_ranked.created_at,
        states_ranked.became_customer_at
    from states_ranked
    cross join last_snapshot
    where states_ranked.version_rank = 1
)

select * from latest_states
