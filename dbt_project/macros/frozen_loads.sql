{#
    Staging reads only the loads that this build froze (audit.build_loads), so that a load
    accepted while the build runs cannot be half seen.
#}
{% macro join_frozen_loads(alias) -%}
inner join {{ source('audit', 'build_loads') }} as build_loads
    on build_loads.load_id = {{ alias }}._load_id
    and build_loads.is_current
{%- endmacro %}

{# Lineage, in every staging view; the order of versions is decided by it. #}
{% macro lineage(alias) -%}
build_loads.batch_date as _batch_date,
    {{ alias }}._load_id,
    {{ alias }}._file_no,
    {{ alias }}._row_number
{%- endmacro %}

{# Rank of a row among the versions of its natural key: 1 is the one that holds. #}
{% macro version_rank(version_stamp=none) -%}
row_number() over (
            partition by natural_key
            order by
                {% if version_stamp %}{{ version_stamp }} desc nulls last,{% endif %}
                _batch_date desc,
                _file_no desc,
                _row_number desc
        )
{%- endmacro %}

{# The last day that every source has delivered without a gap. #}
{% macro as_of_date() -%}
(select min(as_of.as_of_date) from {{ source('audit', 'as_of') }} as as_of)
{%- endmacro %}

{# As-of moved over (low, high] since the last complete build, in any source. #}
{% macro as_of_low() -%}
(select min(as_of.low_date) from {{ source('audit', 'as_of') }} as as_of)
{%- endmacro %}
{% macro as_of_high() -%}
(select max(as_of.high_date) from {{ source('audit', 'as_of') }} as as_of)
{%- endmacro %}

{# Which rows of a snapshot feed each load holds; the loader keeps every row once. #}
{% macro snapshots_of(system, feed) -%}
    {%- set rows = source(system, feed) -%}
    {{ return(rows.incorporate(path={'identifier': feed ~ '__snapshots'})) }}
{%- endmacro %}
