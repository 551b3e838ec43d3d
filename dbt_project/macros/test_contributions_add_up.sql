{# The contributions of a dimension to a change are the change, to the last digit. #}
{% test contributions_add_up(model) %}
select metric, survey_kind, period_key, dimension
from {{ model }}
group by metric, survey_kind, period_key, dimension
having sum(contribution_points) <> max(score_change)
    or min(score_change) <> max(score_change)
    or num_nulls(max(score_change), max(contribution_rank)) = 1
{% endtest %}
