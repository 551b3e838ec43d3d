{# All rows say the same in a column. #}
{% test only_value_of_column(model, column) %}
select min({{ column }}) as lowest, max({{ column }}) as highest
from {{ model }}
having min({{ column }}) <> max({{ column }})
{% endtest %}
