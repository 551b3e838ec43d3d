{# The value that all rows of a group share; null where they differ. #}
{% macro only_value(column) -%}
case
            when count({{ column }}) = count(*) and min({{ column }}) = max({{ column }})
                then min({{ column }})
        end
{%- endmacro %}
