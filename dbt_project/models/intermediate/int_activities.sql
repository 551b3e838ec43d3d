{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('activities') }} as changed_activities
{% endraw %}{% endset %}

{{ config(
    unique_key='activity_id',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['activity_id']}],
) }}

with

activities_versions as (
    select
        *,
        {{ version_rank() }} as version_rank
    from {{ staged('activities') }} as staged
),

latest_activities as (
    select
        activity_id,
        contact_id,
        visitor_id,
        activity_type,
        event,
        direction,
        store,
        occurred_at
    from activities_versions
    where version_rank = 1
)

select * from latest_activities
