{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('contacts') }} as changed_contacts
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
    from {{ staged('contacts') }} as staged
),

states_ranked as (
    select
        *,
        {{ version_rank(stamp_in_batch='updated_at') }} as version_rank
    from contact_states
),

last_lists as (
    {{ last_lists('contacts') }}
),

latest_states as (
    select
        states_ranked.contact_id,
        states_ranked.company_id,
        {{ email_key('states_ranked.email') }} as email_key,
        states_ranked.merged_object_ids,
        states_ranked.merged_into_id,
        states_ranked.original_source,
        coalesce(
            states_ranked.is_deleted, states_ranked._batch_date < last_lists.batch_date, false
        ) as is_deleted,
        states_ranked.created_at,
        states_ranked.became_customer_at
    from states_ranked
    left join last_lists
        on last_lists._feed = states_ranked._feed
    where states_ranked.version_rank = 1
)

select * from latest_states
