{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('activities') }} as changed_activities
{% endraw %}{% endset %}

{{ config(
    unique_key='activity_id',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'natural_key', 'marks': ['activity_id']},
    indexes=[{'columns': ['activity_id']}, {'columns': ['natural_key']}],
) }}

with

-- A record may tell of several activities: its latest version says which.
activities_versions as (
    select
        *,
        rank() over (
            partition by _feed, natural_key
            order by _batch_date desc, _file_no desc, _row_number desc
        ) as version_rank
    from {{ staged('activities') }} as staged
),

latest_activities as (
    select
        activity_id,
        natural_key,
        contact_id,
        company_id,
        visitor_id,
        activity_type,
        event,
        direction,
        store,
        coalesce(is_deleted, false) as is_deleted,
        occurred_at
    from activities_versions
    where version_rank = 1
)

select * from latest_activities
