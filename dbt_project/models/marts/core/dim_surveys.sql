{{ config(materialized='table', meta={'row_key': ['survey_question_key']}) }}

select
    survey_questions.survey_id || ':' || survey_questions.question_id as survey_question_key,
    surveys.survey_id,
    survey_questions.question_id,
    surveys.survey_name,
    surveys.survey_kind,
    surveys.anonymity,
    surveys.registered_stage,
    surveys.eligible_for,
    surveys.languages,
    survey_questions.metric,
    survey_questions.driver,
    survey_questions.polarity,
    survey_questions.scale_min,
    survey_questions.scale_max,
    survey_questions.top_box_from,
    surveys.look_back_days,
    surveys.valid_from,
    surveys.valid_to
from {{ ref('survey_questions') }} as survey_questions
inner join {{ ref('surveys') }} as surveys
    on surveys.survey_id = survey_questions.survey_id
