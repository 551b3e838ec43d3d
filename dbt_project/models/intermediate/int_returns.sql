{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('returns') }} as changed_returns
{% endraw %}{% endset %}

{{ config(
    unique_key='return_id',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['return_id']}, {'columns': ['order_id']}],
) }}

with

returns_versions as (
    select
        *,
        {{ version_rank() }} as version_rank
    from {{ staged('returns') }} as staged
),

latest_returns as (
    select
        return_id,
        order_id,
        contact_id,
        return_reason,
        currency,
        refund_amount,
        returned_at
    from returns_versions
    where version_rank = 1
)

select * from latest_returns
