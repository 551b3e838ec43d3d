{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_orders.product_line') }} as product_lines
{% endraw %}{% endset %}

{{ config(
    unique_key='product',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['product']}],
) }}

with

registered_products as (
    select *
    from {{ ref('products') }}
    where {{ to_rebuild('product') }}
),

candidates as (
    select product
    from registered_products

    union

    {% if is_incremental() -%}
    select key as product
    from {{ dirty('dim_products') }} as changed_products
    {%- else -%}
    select distinct product_line as product
    from {{ ref('int_orders') }}
    where product_line is not null
    {%- endif %}
),

-- Whether a product was ever ordered is looked up by index, not by reading all orders.
candidates_with_orders as (
    select
        candidates.product,
        exists (
            select 1
            from {{ ref('int_orders') }} as orders
            where orders.product_line = candidates.product
        ) as is_ordered
    from candidates
),

products as (
    select
        candidates_with_orders.product,
        coalesce(registered_products.product_name, candidates_with_orders.product)
            as product_name,
        registered_products.product_family,
        registered_products.product is not null as is_registered,
        candidates_with_orders.is_ordered
    from candidates_with_orders
    left join registered_products
        on registered_products.product = candidates_with_orders.product
    where registered_products.product is not null
        or candidates_with_orders.is_ordered
)

select * from products
