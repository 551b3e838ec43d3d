{# Of what a feed sends several times, the last value that was sent at all. #}
{% macro last_sent(column) -%}
(array_agg({{ column }} order by _batch_date desc, _file_no desc, _row_number desc)
            filter (where {{ column }} is not null))[1]
{%- endmacro %}
