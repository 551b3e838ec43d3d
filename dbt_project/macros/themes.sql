{# A comment whose themes are counted, by its part and its customer; others have none. #}
{% macro themed_comment() -%}
case
    when is_counted and not is_confidential
        then {{ repeat_part('commented_date', 'customer_key') }} || ':' || customer_key
end
{%- endmacro %}

{# The parts and the customers of comments that came, changed or went. #}
{% macro changed_comments() -%}
select distinct
            cast(split_part(key, ':', 1) as integer) as theme_part,
            cast(split_part(key, ':', 2) as uuid) as customer_key
        from {{ dirty('fct_comments.themed_comment') }} as comments
{%- endmacro %}
