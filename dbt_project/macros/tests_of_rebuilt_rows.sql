{#
    Data tests follow the night. A row that was not rebuilt has passed its tests before,
    so in an incremental build a test of an incremental model reads the rows whose keys the
    model rebuilt (audit.dirty_keys). It reads all rows when the
    model was made anew in this build, or in one that has not succeeded since; a test
    that is new in the project therefore reads all rows with the model's next full build.

    What a row cannot show alone is completed here:
    - uniqueness: equal values that share a rebuild key are in the same rows; where the
      tested columns are others, every row that equals a rebuilt one is read too;
    - relationships: rows that were not rebuilt and whose parent has gone. They are found by
      the column that the parent marks, where they have it (facts: the customer).
#}

{# dbt calls this for the rows of every generic test; each names them as it likes. #}
{% macro get_where_subquery(relation) -%}
    {%- set conditions = [] -%}
    {%- if config.get('where') -%}
        {%- do conditions.append('(' ~ config.get('where') ~ ')') -%}
    {%- endif -%}
    {%- if are_tests_restricted(find_model(relation.identifier)) -%}
        {%- do conditions.append(is_rebuilt_row(find_model(relation.identifier))) -%}
    {%- endif -%}
    {%- if not conditions -%}
        {{ return(relation) }}
    {%- endif -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ conditions | join(' and ') ~ ')') }}
{%- endmacro %}

{% macro find_model(name) -%}
    {%- if execute -%}
        {{ return(graph.nodes.get('model.' ~ project_name ~ '.' ~ name)) }}
    {%- endif -%}
{%- endmacro %}

{# The column whose values are the keys that the model rebuilds. #}
{% macro find_rebuild_column(node) -%}
    {{ return(node.config.meta.get('rebuild_rows_by') or find_marked_column(node)) }}
{%- endmacro %}

{# The column whose values the model marks where its rows change. #}
{% macro find_marked_column(node) -%}
    {%- set row_key = node.config.unique_key -%}
    {{ return(
        node.config.meta.get('rebuild_by', row_key if row_key is string else row_key[0])
    ) }}
{%- endmacro %}

{# Whether the model was built by keys in this build (include/building/dbt.py tells). #}
{% macro are_tests_restricted(node) -%}
    {{ return(
        node and node.config.materialized == 'incremental' and 'tested_whole' not in node.tags
    ) }}
{%- endmacro %}

{% macro find_column_type(node, column) -%}
    {%- set declared = node.columns.get(column, {}).get('data_type') -%}
    {%- if declared -%}
        {{ return(declared) }}
    {%- endif -%}
    {%- set relation = api.Relation.create(
        database=node.database, schema=node.schema, identifier=node.alias
    ) -%}
    {%- for found in adapter.get_columns_in_relation(relation) if found.name == column -%}
        {{ return(found.data_type) }}
    {%- endfor -%}
{%- endmacro %}

{% macro is_rebuilt_row(node) -%}
    {%- set column = find_rebuild_column(node) -%}
{{ column }} in (
        select cast(key as {{ find_column_type(node, column) }})
        from audit.dirty_keys where place = '{{ node.name }}'
    )
{%- endmacro %}

{# The model that the running test belongs to: `model` is the test here. #}
{% macro find_tested_model() -%}
    {%- if execute -%}
        {{ return(graph.nodes.get(model.attached_node)) }}
    {%- endif -%}
{%- endmacro %}

{# All rows that share the values of `columns` with a row under test. #}
{% macro rows_that_may_be_equal(rows, columns) -%}
    {%- set node = find_tested_model() -%}
    {%- if not are_tests_restricted(node)
        or find_rebuild_column(node) in columns
        or config.get('where') -%}
        {{ return(rows) }}
    {%- endif -%}
    {%- set names = columns | join(', ') -%}
    {{ return(
        '(select * from ' ~ node.relation_name ~ ' where (' ~ names ~ ') in (select '
        ~ names ~ ' from ' ~ rows ~ '))'
    ) }}
{%- endmacro %}

{% test unique(model, column_name) %}
select
    {{ column_name }} as unique_field,
    count(*) as n_records
from {{ rows_that_may_be_equal(model, [column_name]) }}
where {{ column_name }} is not null
group by {{ column_name }}
having count(*) > 1
{% endtest %}

{# No two rows share the values of all these columns. #}
{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}
from {{ rows_that_may_be_equal(model, columns) }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{% test relationships(model, column_name, to, field) %}
{%- set child = find_tested_model() -%}
{%- set parent = find_model(to.identifier) -%}
select children.{{ column_name }} as from_field
from (select {{ column_name }} from {{ model }}) as children
where children.{{ column_name }} is not null
    and not exists (
        select from {{ to }} as parents where parents.{{ field }} = children.{{ column_name }}
    )
{%- if are_tests_restricted(child) and are_tests_restricted(parent) and not config.get('where') %}

union all

select children.{{ column_name }} as from_field
from {{ child.relation_name }} as children
    {%- set shared = find_marked_column(parent) %}
    {%- if shared != field and shared in child.columns %}
where children.{{ shared }} = any(array(
        select cast(key as {{ find_column_type(child, shared) }})
        from audit.dirty_keys where place = '{{ parent.name }}.{{ shared }}'
    ))
    and children.{{ column_name }} is not null
    and not exists (
        select from {{ to }} as parents where parents.{{ field }} = children.{{ column_name }}
    )
    {%- else %}
where children.{{ column_name }} in (
        select cast(gone.key as {{ find_column_type(child, column_name) }})
        from audit.dirty_keys as gone
        where gone.place = '{{ parent.name }}.{{ field }}'
            and not exists (
                select from {{ to }} as parents
                where parents.{{ field }}
                    = cast(gone.key as {{ find_column_type(parent, field) }})
            )
    )
    {%- endif %}
{%- endif %}
{% endtest %}
