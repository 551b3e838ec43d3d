{# A change that is taken apart is the one that is published. #}
{% test changes_are_those_of_the_scores(model) %}
with

movers as (
    select *
    from {{ model }}
)

select movers.mover_key
from movers
left join {{ ref('experience_scores') }} as scores
    on scores.score_period_key
        = concat_ws('|', movers.metric, movers.survey_kind, movers.period_key, 'total', '(all)')
where movers.score_change is distinct from scores.score_change
{% endtest %}
