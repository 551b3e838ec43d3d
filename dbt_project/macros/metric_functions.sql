{#
    A function of the project, by schema and name. dbt's own function() writes the
    database's name too, and a body that carries it breaks when the database is copied,
    restored or renamed.
#}
{% macro cx(name) -%}
    {%- do function(name) -%}
    {{ return('cx.' ~ name) }}
{%- endmacro %}
