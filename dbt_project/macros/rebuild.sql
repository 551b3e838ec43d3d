{#
    How an incremental model is rebuilt, the same for all of them:

    1. `collect_keys_to_rebuild` writes the keys that the model must rebuild, the answer of its
       `meta.rebuild_when` query, to audit.dirty_keys under the model's name.
    2. The model's SQL selects just those keys: `where {{ to_rebuild('ticket_id') }}`.
    3. `replace_changed_rows` compares their old and new rows, replaces the rows
       that differ, and marks what changed (old place and new place) for the models that
       read this one, all in one transaction. It marks the key, and what `meta.marks`
       lists: a column, or a mapping of a name to an expression over the row. A mapping
       with `key` and `of` marks the key only where the columns of a row named by `of` have
       changed, for a model that reads no others.

    The key is `meta.rebuild_by`, or the first column of the unique key. A model that
    rebuilds less than all rows of a key names them by another column, `meta.rebuild_rows_by`:
    its values are what is collected, and `rebuild_by` is what is marked. Rows that could not be
    named are named when they are there, for their tests. Publish and
    gate 2 find what changed by `rebuild_by` too, or by `meta.publish_by`, a column of which
    fewer rows share a value.

    audit.dirty_keys is cleared when the whole build has succeeded (include/building/builds.py), so
    that a crash between two models loses nothing.
#}

{# The changed keys at a place: a feed (`zendesk.tickets`) or `<model>.<column>`. #}
{% macro dirty(place) -%}
(select key from {{ source('audit', 'dirty_keys') }} where place = '{{ place }}')
{%- endmacro %}

{#
    In a transaction of its own, before the model's: which keys are rebuilt. `meta.rebuild_when`
    of the model is a query for them, kept as raw text so that it is rendered here, when the
    model runs.
#}
{% macro collect_keys_to_rebuild() -%}
{# A few keys are looked up by index, many are hashed. A merge reads an index from end to
   end: the planner, which knows nothing of how keys lie in each other, takes that for cheap. #}
set local enable_mergejoin = off;
insert into audit.dirty_keys (place, key)
select distinct '{{ this.identifier }}', cast(keys.key as text)
from (
{{ render(model.config.meta.rebuild_when) }}
) as keys (key)
where keys.key is not null
on conflict do nothing;

{#
    How many keys there are decides between reading by index and reading all. The lock of
    an analyze lasts as long as its transaction: held through the model, it would make
    all others wait.
#}
analyze audit.dirty_keys;
commit;
begin;
set local enable_mergejoin = off
{%- endmacro %}

{#
    Before a model is made anew. Until a build succeeds, tests of this model read all its
    rows. A null key says: compare the whole model with what is published.
#}
{% macro mark_whole_model() -%}
insert into audit.dirty_keys (place, key)
values ('{{ this.identifier }} (whole)', '')
on conflict do nothing;
commit;
begin
    {%- if (model.config.meta or {}).get('is_published') %};
insert into audit.unpublished_keys (model, key)
values ('{{ this.identifier }}', null)
on conflict do nothing
    {%- endif -%}
{%- endmacro %}

{#
    The condition that selects the keys to rebuild; everything in a full build. With a
    prefix, only the keys that begin with it, without it: the model's key names several
    kinds of object, `order:17`, and the column is the bare number. Days are an array:
    it is taken for short, and they are found by index. So are keys `by_index`, which
    PostgreSQL also looks up within a view that groups or numbers by the column.
#}
{% macro to_rebuild(column, type='text', prefix='', by_index=false) -%}
    {%- if not is_incremental() -%}
true
    {%- elif by_index or type == 'date' -%}
{{ column }} = any(array(
            {{ keys_to_rebuild(type, prefix) }}
        ))
    {%- else -%}
{{ column }} in (
            {{ keys_to_rebuild(type, prefix) }}
        )
    {%- endif -%}
{%- endmacro %}

{#
    A night's keys out of a CTE, in one array: rows of a long past are found by index, and
    joined by hash. Where the planner expects one row of a CTE it holds all against all.
#}
{% macro only_of(column, cte) -%}
    {%- if is_incremental() -%}
and {{ column }} = any(array(select {{ cte }}.{{ column.split('.') | last }} from {{ cte }}))
    {%- endif -%}
{%- endmacro %}

{% macro keys_to_rebuild(type, prefix) -%}
    {%- if prefix -%}
select cast(substring(key from {{ prefix | length + 1 }}) as {{ type }})
            from {{ source('audit', 'dirty_keys') }}
            where place = '{{ this.identifier }}' and starts_with(key, '{{ prefix }}')
    {%- else -%}
select cast(key as {{ type }})
            from {{ source('audit', 'dirty_keys') }}
            where place = '{{ this.identifier }}'
    {%- endif -%}
{%- endmacro %}

{#
    A model is made anew by dbt's own materialization when its code, seeds, macros or
    ancestors changed (include/building/dbt.py tells it so), and rebuilt by keys by this one.
    dbt's asks for the columns of a table four times and has the database describe those of
    the query, each night: here they are those that the model declares, for unchanged code
    was held to them when its table was made.
#}
{% materialization incremental, adapter='postgres' %}
    {%- if not is_incremental() -%}
        {%- call statement() -%} {{ mark_whole_model() }} {%- endcall -%}
        {{ return(dbt.materialization_incremental_default()) }}
    {%- endif -%}
    {# It commits in between, and dbt does not see it: without the `begin` there, each
       statement of the model would be a transaction of its own, and `set local` in vain. #}
    {%- call statement() -%} {{ collect_keys_to_rebuild() }} {%- endcall -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%} {{ replace_changed_rows(sql) }} {%- endcall -%}
    {%- if 'described_otherwise' in model.tags -%}
        {%- do persist_docs(this.incorporate(type='table'), model) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [this]}) }}
{% endmaterialization %}

{% macro replace_changed_rows(sql) %}
    {%- set target = this -%}
    {%- set column_list = model.columns | join(', ') -%}
    {%- set row_key = config.get('unique_key') -%}
    {%- set row_key = [row_key] if row_key is string else row_key -%}
    {%- set meta = config.get('meta') or {} -%}
    {%- set rebuild_by = meta.get('rebuild_by', row_key[0]) -%}
    {%- set marks = {rebuild_by: rebuild_by} -%}
    {%- for mark in meta.get('marks', []) -%}
        {%- do marks.update({mark: mark} if mark is string else mark) -%}
    {%- endfor -%}
    {%- set types = {} -%}
    {%- for column in model.columns.values() -%}
        {%- do types.update({column.name: column.data_type}) -%}
    {%- endfor -%}
    {%- set rebuild_rows_by = meta.get('rebuild_rows_by', rebuild_by) -%}
    {%- set its_keys -%}
        {{ rebuild_rows_by }} in (
            select cast(key as {{ types.get(rebuild_rows_by, 'text') }}) from audit.dirty_keys
            where place = '{{ this.identifier }}'
        )
    {%- endset %}

    create temporary table rows_rebuilt on commit drop as
    {{ sql }};

    analyze rows_rebuilt;

    create temporary table rows_replaced on commit drop as
    select {{ column_list }} from {{ target }} where {{ its_keys }}
    except
    select {{ column_list }} from rows_rebuilt;

    create temporary table rows_new on commit drop as
    select {{ column_list }} from rows_rebuilt
    except
    select {{ column_list }} from {{ target }} where {{ its_keys }};

    {# The rebuild key is indexed, a key of several columns is not. #}
    analyze rows_replaced;

    delete from {{ target }} as target
    using rows_replaced
    where {% for column in row_key -%}
        target.{{ column }} = rows_replaced.{{ column }}
        {%- if not loop.last %} and {% endif %}
    {%- endfor %}
    {%- if rebuild_by in types and rebuild_by not in row_key %}
        and target.{{ rebuild_by }} = rows_replaced.{{ rebuild_by }}
    {%- endif %};

    insert into {{ target }} ({{ column_list }})
    select {{ column_list }} from rows_new;

    {% for place, mark in marks.items() -%}
    {%- set key = mark if mark is string else mark.key -%}
    insert into audit.dirty_keys (place, key)
    select '{{ this.identifier }}.{{ place }}', cast(changed.key as text)
    from (
    {%- if mark is string %}
        select {{ key }} as key from rows_replaced
        union
        select {{ key }} as key from rows_new
    {%- else %}
        select distinct key
        from (
            (
                select {{ key }} as key, {{ mark.of }} from rows_replaced
                except all
                select {{ key }} as key, {{ mark.of }} from rows_new
            )
            union all
            (
                select {{ key }} as key, {{ mark.of }} from rows_new
                except all
                select {{ key }} as key, {{ mark.of }} from rows_replaced
            )
        ) as moved
    {%- endif %}
    ) as changed
    where changed.key is not null
    on conflict do nothing;
    {% endfor %}

    {% if rebuild_rows_by != rebuild_by -%}
    insert into audit.dirty_keys (place, key)
    select distinct '{{ this.identifier }}', cast({{ rebuild_rows_by }} as text)
    from rows_new
    on conflict do nothing;
    {%- endif %}

    {% if meta.get('is_published') -%}
    {%- set publish_by = meta.get('publish_by', rebuild_by) -%}
    insert into audit.unpublished_keys (model, key)
    select '{{ this.identifier }}', cast(changed.key as text)
    from (
        select {{ publish_by }} as key from rows_replaced
        union
        select {{ publish_by }} as key from rows_new
    ) as changed
    on conflict do nothing;
    {%- endif %}

    {# Two models can share a connection, and so a session, within one build. #}
    drop table rows_rebuilt, rows_replaced, rows_new
{% endmacro %}

{#
    In the model's own transaction: from now on it stands on the wanted code. A table that
    has just been made is analysed at once, for the models that read it next: without
    figures the planner takes large tables for tiny ones. (Its row count says nothing:
    creating an index sets it.) Later on PostgreSQL does so by itself.
#}
{% macro record_built() -%}
update audit.models
set built_fingerprint = wanted_fingerprint, built_at = clock_timestamp()
where model = '{{ this.identifier }}';

    {%- if model.config.materialized != 'view' %}
do $$
begin
    if not exists (
        select from pg_stats
        where schemaname = '{{ this.schema }}' and tablename = '{{ this.identifier }}'
    ) then
        analyze {{ this }};
    end if;
end
$$
    {%- endif %}
{%- endmacro %}
