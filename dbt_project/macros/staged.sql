{#
    How models read the inputs of the star (star_inputs.sql): all sources of an input as one,
    with the record numbers that the star knows.
#}

{# The sources that are switched on, in the order of the setting: hubspot, zendesk@acme. #}
{% macro sources_on() -%}
    {{ return(env_var('CX_SOURCES', 'hubspot,qualtrics,zendesk').split(',')) }}
{%- endmacro %}

{# What stands before the record numbers of a source; nothing in the home source of a role. #}
{% macro record_prefix(source_name) -%}
    {%- set homes = env_var('CX_DBT_HOME_SOURCES', 'hubspot,qualtrics,zendesk').split(',') -%}
    {{ return('' if source_name in homes else source_name ~ '/') }}
{%- endmacro %}

{# What stands before the numbers of a role's records to which a source refers. #}
{% macro related_prefix(source_name, role) -%}
    {%- set known = namespace(prefix='') -%}
    {%- for related in env_var('CX_DBT_RELATED_SOURCES', '').split(',') -%}
        {%- if related.startswith(source_name ~ '/' ~ role ~ '=') -%}
            {%- set known.prefix = record_prefix(related.split('=')[1]) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(known.prefix) }}
{%- endmacro %}

{# A column of an input, as the star has it; `role` where it refers to another source. #}
{% macro refer_to_source(column, type, source_name, role=none) -%}
    {%- set crm = related_prefix(source_name, 'crm') -%}
    {%- set ticket = related_prefix(source_name, 'ticket') -%}
    {%- if role == 'any' and (crm or ticket) -%}
split_part({{ column }}, ':', 1) || ':'
            || case split_part({{ column }}, ':', 1) when 'ticket' then '{{ ticket }}' else '{{ crm }}' end
            || substr({{ column }}, strpos({{ column }}, ':') + 1)
    {%- elif role in ('crm', 'survey', 'ticket') and related_prefix(source_name, role) -%}
'{{ related_prefix(source_name, role) }}' || {{ column }}
    {%- else -%}
cast({{ column }} as {{ type }})
    {%- endif -%}
{%- endmacro %}

{# The feeds of one input that are switched on: whose, which view, what before its numbers. #}
{% macro feeds_of(input) -%}
    {%- set feeds = [] -%}
    {%- set systems = [] -%}
    {%- for source_name in sources_on() -%}
        {%- do systems.append(source_name.split('@')[0]) -%}
    {%- endfor -%}
    {%- for source_name in sources_on() -%}
        {%- set system = source_name.split('@')[0] -%}
        {%- set its_views = star_inputs()[input]['from'].get(system, {}) -%}
        {%- if its_views is string -%}{%- set its_views = {its_views: its_views} -%}{%- endif -%}
        {%- for view, feed in its_views.items() -%}
            {%- do feeds.append({
                'source_name': source_name,
                'system': system,
                'name': source_name ~ '.' ~ feed,
                'view': 'stg_' ~ system ~ '__' ~ view,
                'prefix': record_prefix(source_name),
                'has_siblings': systems.count(system) > 1,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(feeds) }}
{%- endmacro %}

{# The natural keys that changed in an input, as the star writes them. #}
{% macro dirty_input(input) -%}
(
        {%- for feed in feeds_of(input) %}
        select {% if feed.prefix %}'{{ feed.prefix }}' || {% endif %}key as key
        from {{ dirty(feed.name) }} as changed
        {%- if not loop.last %} union all {% endif %}
        {%- else %}
        select cast(null as text) as key where false
        {%- endfor %}
    )
{%- endmacro %}

{# The dates of the last lists, by feed, of the systems that send whole lists of an input. #}
{% macro last_lists(input) -%}
select
        build_loads.feed as _feed,
        max(build_loads.batch_date) as batch_date
    from {{ source('audit', 'build_loads') }} as build_loads
    where build_loads.is_current
        and build_loads.feed in (
            ''
            {%- for feed in feeds_of(input) if feed.system in star_inputs()[input].whole_lists %},
            '{{ feed.name }}'
            {%- endfor %}
        )
    group by build_loads.feed
{%- endmacro %}

{#
    The versions of an input's records that the model rebuilds, from all sources that are on:
    the sound rows of their staging views, of the same columns and types; none where no
    source is on. In a model that reads several inputs, `kind` stands before the keys that it
    rebuilds: `review:`.
#}
{% macro staged(input, kind='') -%}
    {%- set shape = star_inputs()[input] -%}
(
        {%- for feed in feeds_of(input) %}
        select
            {% if feed.prefix %}'{{ feed.prefix }}' || {% endif %}natural_key as natural_key,
            {%- for column, type in shape.numbers.items() %}
            {% if feed.prefix %}'{{ feed.prefix }}' || {% endif %}{{ column }} as {{ column }},
            {%- endfor %}
            {%- for column, type in shape['columns'].items() %}
            {{ refer_to_source(
                column, type, feed.source_name, shape.get('references', {}).get(column)
            ) }} as {{ column }},
            {%- endfor %}
            '{{ feed.source_name }}' as source_name,
            '{{ feed.name }}' as _feed,
            _batch_date,
            _file_no,
            _row_number
        from {{ ref(feed.view) }}
        where not is_quarantined
            and {{ to_rebuild(
                'natural_key', prefix=kind ~ feed.prefix, by_index=feed.view in shape.get('gathered', [])
            ) | indent(8) }}
            {%- if feed.has_siblings %}
            and _source_name = '{{ feed.source_name }}'
            {%- endif %}
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- else %}
        select
            cast(null as text) as natural_key,
            {%- for column, type in (shape.numbers.items() | list) + (shape['columns'].items() | list) %}
            cast(null as {{ type }}) as {{ column }},
            {%- endfor %}
            cast(null as text) as source_name,
            cast(null as text) as _feed,
            cast(null as date) as _batch_date,
            cast(null as integer) as _file_no,
            cast(null as bigint) as _row_number
        where false
        {%- endfor %}
    )
{%- endmacro %}

{# Columns of an input that a staging view's source does not send: nulls of their types. #}
{% macro not_sent(input, columns) -%}
    {%- set shape = star_inputs()[input] -%}
    {%- for column in columns -%}
cast(null as {{ shape['columns'].get(column) or shape.numbers[column] }}) as {{ column }}
        {%- if not loop.last %},
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{# The source that a record's number belongs to: the one before it, else the home source. #}
{% macro source_of_number(number, input) -%}
    {%- set home = feeds_of(input) | rejectattr('prefix') | map(attribute='source_name') | first -%}
case
        {%- for feed in feeds_of(input) | selectattr('prefix') %}
        when starts_with({{ number }}, '{{ feed.prefix }}') then '{{ feed.source_name }}'
        {%- endfor %}
        when {{ number }} is not null then '{{ home }}'
    end
{%- endmacro %}

{# What stands before the numbers of the same source as this record's. #}
{% macro prefix_of_number(number, input) -%}
    {%- set prefixed = feeds_of(input) | selectattr('prefix') | list -%}
    {%- if prefixed -%}
case
        {%- for feed in prefixed %}
        when starts_with({{ number }}, '{{ feed.prefix }}') then '{{ feed.prefix }}'
        {%- endfor %}
        else ''
    end
    {%- else -%}
''
    {%- endif -%}
{%- endmacro %}
