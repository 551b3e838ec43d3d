{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('deliveries') }} as changed_deliveries
{% endraw %}{% endset %}

{{ config(
    unique_key='delivery_id',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['delivery_id']}, {'columns': ['order_id']}],
) }}

with

deliveries_versions as (
    select
        *,
        {{ version_rank() }} as version_rank
    from {{ staged('deliveries') }} as staged
),

latest_deliveries as (
    select
        delivery_id,
        order_id,
        contact_id,
        delivery_method,
        carrier,
        delivery_status,
        promised_date,
        shipped_at,
        delivered_at
    from deliveries_versions
    where version_rank = 1
)

select * from latest_deliveries
