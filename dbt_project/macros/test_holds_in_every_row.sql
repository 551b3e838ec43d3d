{# A condition that every row meets. A row for which it is null (no interval, say) passes. #}
{% test holds_in_every_row(model, condition) %}
select *
from {{ model }}
where not coalesce({{ condition }}, true)
{% endtest %}
