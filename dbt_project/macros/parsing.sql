{#
    Text from an export to a typed value; null where it cannot be read, so that a staging
    view never fails. The format is checked first: PostgreSQL would take 'now', 'today' and
    other words for times.
#}

{#
    A time: with its own offset (2026-11-19T17:30:00Z) or else in the given zone. One
    pattern for both, and no other to tell them apart: patterns are what costs.
#}
{% macro parse_timestamp(text, time_zone='UTC') -%}
case
        when {{ text }} !~ '^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$'
            then null
        when translate(substr({{ text }}, 17), 'Z+-', '') <> substr({{ text }}, 17)
            then case
                when pg_input_is_valid({{ text }}, 'timestamp with time zone')
                    then cast({{ text }} as timestamp with time zone)
            end
        when pg_input_is_valid({{ text }}, 'timestamp')
            then cast({{ text }} as timestamp) at time zone '{{ time_zone }}'
    end
{%- endmacro %}

{#
    A time or date as a country writes it, its numbers in the order that is said: 'DMY'
    (29/2/2016 01:16, 29.02.2016) or 'MDY' (2/29/2016 1:16 PM). Nothing is guessed: what is
    no date in that order is null.
#}
{% macro parse_local_timestamp(text, order, time_zone='UTC') -%}
    {%- set written = in_iso_order(text, order) -%}
case
        when {{ text }} ~ '^\d{1,2}(/\d{1,2}/|\.\d{1,2}\.|-\d{1,2}-)\d{4}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?)?$'
            and pg_input_is_valid({{ written }}, 'timestamp')
            then cast({{ written }} as timestamp) at time zone '{{ time_zone }}'
    end
{%- endmacro %}

{% macro parse_local_date(text, order) -%}
    {%- set written = in_iso_order(text, order) -%}
case
        when {{ text }} ~ '^\d{1,2}(/\d{1,2}/|\.\d{1,2}\.|-\d{1,2}-)\d{4}$' and pg_input_is_valid({{ written }}, 'date')
            then cast({{ written }} as date)
    end
{%- endmacro %}

{# Split, and not matched: a pattern that remembers what it found costs a hundred times as much. #}
{% macro in_iso_order(text, order) -%}
    {%- set day = "split_part(translate(" ~ text ~ ", 'T', ' '), ' ', 1)" -%}
    {%- set numbers = "translate(" ~ day ~ ", '/.', '--')" -%}
    {%- set month, day_of_month = (2, 1) if order == 'DMY' else (1, 2) -%}
split_part({{ numbers }}, '-', 3) || '-' || split_part({{ numbers }}, '-', {{ month }}) || '-'
                || split_part({{ numbers }}, '-', {{ day_of_month }})
                || substr({{ text }}, length({{ day }}) + 1)
{%- endmacro %}

{#
    A time or date that begins with its year, so that nothing is left to guess:
    2026/11/20 2:03:22 PM GMT-3, 2026-11-20. Without a zone of its own it is in the given
    one; the letters of a zone other than GMT and UTC are no zone that can be relied on.
    GMT itself goes: PostgreSQL takes GMT-3 for a zone east of it.
#}
{% macro parse_year_first_timestamp(text, time_zone='UTC') -%}
    {%- set offset = "regexp_replace(" ~ text ~ ", ' ?(GMT|UTC)$', ' +00')" -%}
    {%- set offset = "regexp_replace(" ~ offset ~ ", ' ?(GMT|UTC)([+-])', ' \\2')" -%}
case
        when {{ text }} !~ '^\d{4}(/\d{1,2}/|\.\d{1,2}\.|-\d{1,2}-)\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?( ?(GMT|UTC)([+-]\d{1,2}(:?\d{2})?)?)?)?$'
            then null
        when {{ text }} ~ '(GMT|UTC)'
            then case
                when pg_input_is_valid({{ offset }}, 'timestamp with time zone')
                    then cast({{ offset }} as timestamp with time zone)
            end
        when pg_input_is_valid({{ text }}, 'timestamp')
            then cast({{ text }} as timestamp) at time zone '{{ time_zone }}'
    end
{%- endmacro %}

{#
    A time as an export may have it: as its program wrote it, or as a spreadsheet did that
    saved it again, in the declared order of day and month.
#}
{% macro parse_export_timestamp(text, order, time_zone='UTC') -%}
coalesce(
        {{ parse_timestamp(text, time_zone) | indent(4) }},
        {{ parse_year_first_timestamp(text, time_zone) | indent(4) }},
        {{ parse_local_timestamp(text, order, time_zone) | indent(4) }}
    )
{%- endmacro %}

{# A number with a decimal comma, perhaps with points between thousands: 1.234,56. #}
{% macro parse_comma_number(text, type='numeric') -%}
case
        when {{ text }} ~ '^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$'
            and pg_input_is_valid(translate({{ text }}, ',.', '.'), '{{ type }}')
            then cast(translate({{ text }}, ',.', '.') as {{ type }})
    end
{%- endmacro %}

{% macro parse_date(text) -%}
case
        when {{ text }} ~ '^\d{4}-\d{2}-\d{2}$' and pg_input_is_valid({{ text }}, 'date')
            then cast({{ text }} as date)
    end
{%- endmacro %}

{# A date, also where an export writes it as a time, at midnight. #}
{% macro parse_day(text) -%}
{{ parse_date("regexp_replace(" ~ text ~ ", '[T ]00:00(:00(\\.0+)?)?(Z|\\+00:?00)?$', '')") }}
{%- endmacro %}

{#
    An amount with a decimal point or a decimal comma, whichever the program that saved the
    file writes, perhaps with the other one between thousands. Null where that cannot be
    told: 1.234 may be a thousand or one.
#}
{% macro parse_amount(text) -%}
case
        when length({{ text }}) > 40 then null
        when {{ text }} ~ '^[+-]?[1-9]\d{0,2}[.,]\d{3}$' then null
        when {{ text }} ~ '^[+-]?\d+([.,]\d+)?$'
            then cast(replace({{ text }}, ',', '.') as numeric)
        when {{ text }} ~ '^[+-]?\d{1,3}(\.\d{3})+,\d+$|^[+-]?\d{1,3}(\.\d{3}){2,}$'
            then cast(translate({{ text }}, ',.', '.') as numeric)
        when {{ text }} ~ '^[+-]?\d{1,3}(,\d{3})+\.\d+$|^[+-]?\d{1,3}(,\d{3}){2,}$'
            then cast(replace({{ text }}, ',', '') as numeric)
    end
{%- endmacro %}

{% macro parse_number(text, type='numeric') -%}
case
        when {{ text }} ~ '^[+-]?\d+(\.\d+)?$' and pg_input_is_valid({{ text }}, '{{ type }}')
            then cast({{ text }} as {{ type }})
    end
{%- endmacro %}

{# A word that people choose or type and readers see, such as a segment or a store: null
   where somebody typed an e-mail address into its field. #}
{% macro parse_word(text) -%}
case
        when strpos({{ text }}, '@') = 0
            or {{ text }} !~ '[[:alnum:]._+-]+@[[:alnum:]-]+[.][[:alpha:]]'
            then {{ text }}
    end
{%- endmacro %}

{# A record's number; null where a spreadsheet rounded it (1.18E+11), so that many records
   have the same. #}
{% macro parse_record_number(text) -%}
case when {{ text }} !~ '^\d([.,]\d+)?[eE][+]\d+$' then {{ text }} end
{%- endmacro %}

{# One to five stars, whole ones: 4, 4.0. #}
{% macro parse_stars(text) -%}
case when {{ text }} ~ '^[1-5](\.0+)?$' then cast(substring({{ text }} from 1 for 1) as integer) end
{%- endmacro %}

{#
    A vendor's words as the star's: {'open': ['In Progress', '2'], …}, whatever their case.
    Null where a word is not in the list.
#}
{% macro parse_listed(text, words) -%}
case lower(trim({{ text }}) collate "pg_c_utf8")
        {%- for word, theirs in words.items() %}
        {%- for sent in theirs %}
        when '{{ sent | lower | replace("'", "''") }}' then '{{ word }}'
        {%- endfor %}
        {%- endfor %}
    end
{%- endmacro %}

{# A time as a spreadsheet may have saved it again: 7:43:30 for 07:43:30. #}
{% macro with_two_digit_hour(text) -%}
regexp_replace({{ text }}, '[T ](\d:\d{2})', ' 0\1')
{%- endmacro %}

{# A time as text that `parse_timestamp` reads. #}
{% macro write_timestamp(timestamp) -%}
to_char({{ timestamp }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
{%- endmacro %}

{# The moment at which a local date of a source begins: what has a date alone happened then. #}
{% macro local_midnight(date, time_zone) -%}
cast({{ date }} as timestamp) at time zone '{{ time_zone }}'
{%- endmacro %}

{#
    A person, as a key: for exports that name people where others number them. The star
    keeps people's numbers, and no names.
#}
{% macro person_key(name) -%}
case when {{ name }} is not null then cast({{ cx('keyed_hash') }}('person:' || {{ name }}) as text) end
{%- endmacro %}

{% macro parse_boolean(text) -%}
case
        when lower({{ text }}) in ('true', '1', 'yes') then true
        when lower({{ text }}) in ('false', '0', 'no') then false
    end
{%- endmacro %}

{#
    Whether and why a row stays out of the models; the reason is null when it is fine.
    required: [[column as sent, column as read], …]; a value that was sent and cannot be
    read, or was not sent at all, is the reason. Models filter by is_quarantined: the
    planner knows how rare a null is, and nothing about the text of a reason.
#}
{% macro quarantine_columns(required) -%}
({% for sent, read in required %}{{ read }} is null{% if not loop.last %} or {% endif %}{% endfor %}) as is_quarantined,
    nullif(concat_ws(
        '; ',
        {%- for sent, read in required %}
        case
            when {{ sent }} is null then '{{ read }} is missing'
            when {{ read }} is null then '{{ read }} cannot be read'
        end
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    ), '') as quarantine_reason
{%- endmacro %}

{# A local date of the reporting time zone. #}
{% macro reporting_date(timestamp) -%}
cast({{ timestamp }} at time zone '{{ env_var("CX_REPORTING_TIME_ZONE", "America/Sao_Paulo") }}' as date)
{%- endmacro %}

{# The moment at which a local date of the reporting time zone begins. #}
{% macro start_of_reporting_date(date) -%}
cast({{ date }} as timestamp) at time zone '{{ env_var("CX_REPORTING_TIME_ZONE", "America/Sao_Paulo") }}'
{%- endmacro %}

{# The moment at which a local date of the reporting time zone is over. #}
{% macro end_of_reporting_date(date) -%}
cast({{ date }} + 1 as timestamp) at time zone '{{ env_var("CX_REPORTING_TIME_ZONE", "America/Sao_Paulo") }}'
{%- endmacro %}

{#
    Keyed hash of an e-mail address, so that addresses stay in raw. It costs microseconds:
    take it of the version that holds, not of every version.
#}
{% macro email_key(email) -%}
case
        when {{ email }} like '%@%' then {{ cx('keyed_hash') }}('e-mail:' || {{ email }})
    end
{%- endmacro %}
