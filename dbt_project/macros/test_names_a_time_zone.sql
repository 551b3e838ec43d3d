{#
    A time zone of the IANA list. PostgreSQL alone would take Madrid3 for a POSIX zone and
    count wrong hours without a word.
#}
{% test names_a_time_zone(model, column_name) %}
select zones.{{ column_name }}
from (select {{ column_name }} from {{ model }}) as zones
left join pg_timezone_names
    on pg_timezone_names.name = zones.{{ column_name }}
where pg_timezone_names.name is null
{% endtest %}
