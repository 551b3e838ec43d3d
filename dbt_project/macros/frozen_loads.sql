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
    {{ alias }}._row_number,
    split_part(build_loads.feed, '.', 1) as _source_name
{%- endmacro %}

{# A natural key of several columns, spelled as its index is (include/loading/raw_tables.py). #}
{% macro natural_key(columns) -%}
{% for column in columns %}coalesce({{ column }}, ''){% if not loop.last %} || '|' || {% endif %}{% endfor %}
{%- endmacro %}

{#
    Rank of a row among the versions of its natural key: 1 is the one that holds. By the
    time of the change, where it is told, and of changes at the same time by the vendor's
    own count of them. Where an export may lose the column with the time, the later batch is
    the later version, and the time decides between rows of one batch (`stamp_in_batch`).
#}
{% macro version_rank(version_stamp=none, revision=none, stamp_in_batch=none) -%}
row_number() over (
            partition by natural_key
            order by
                {% if version_stamp %}{{ version_stamp }} desc nulls last,{% endif %}
                {% if revision %}{{ revision }} desc nulls last,{% endif %}
                _batch_date desc,
                {% if stamp_in_batch %}{{ stamp_in_batch }} desc nulls last,{% endif %}
                _file_no desc,
                _row_number desc
        )
{%- endmacro %}

{# The last day that every source has delivered without a gap. #}
{% macro as_of_date() -%}
(select min(as_of.as_of_date) from {{ source('audit', 'as_of') }} as as_of)
{%- endmacro %}

{# The first day from which on every source has delivered. #}
{% macro first_date() -%}
(select max(as_of.first_date) from {{ source('audit', 'as_of') }} as as_of)
{%- endmacro %}

{#
    Whether a period [start, end] may have become complete, or incomplete, since the last
    complete build: an end that as-of has passed, or a start that the first day has.
#}
{% macro completeness_may_have_changed(period_start, period_end) -%}
exists (
            select 1
            from (
                select
                    min(low_date) as low_date,
                    max(high_date) as high_date,
                    min(first_low_date) as first_low_date,
                    max(first_high_date) as first_high_date
                from {{ source('audit', 'as_of') }}
            ) as moves
            where {{ period_end }} > moves.low_date and {{ period_end }} <= moves.high_date
                or moves.first_low_date < moves.first_high_date
                and {{ period_start }} between moves.first_low_date and moves.first_high_date
        )
{%- endmacro %}

{# Which rows of a snapshot feed each load holds; the loader keeps every row once. #}
{% macro snapshots_of(system, feed) -%}
    {%- set rows = source(system, feed) -%}
    {{ return(rows.incorporate(path={'identifier': feed ~ '__snapshots'})) }}
{%- endmacro %}
