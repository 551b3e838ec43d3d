{{ config(materialized='view', meta={'row_key': ['comment_id']}) }}

select
    comments.comment_id,
    comments.customer_key,
    comments.comment_source,
    comments.source_system,
    comments.survey_id,
    comments.survey_kind,
    comments.metric,
    comments.touchpoint,
    comments.journey_stage,
    comments.channel,
    comments.environment,
    comments.owner_area,
    comments.product,
    comments.site,
    comments.segment,
    comments.country,
    comments.language,
    comments.sentiment,
    comments.sentiment_status,
    main_themes.theme as main_theme,
    main_themes.theme_name as main_theme_name,
    main_themes.owner_area as main_theme_owner_area,
    comments.themes,
    comments.theme_status,
    comments.comment_text,
    comments.score,
    comments.sentiment_score,
    comments.commented_date,
    comments.commented_at
from {{ ref('fct_comments') }} as comments
left join {{ ref('dim_complaint_themes') }} as main_themes
    on main_themes.theme = split_part(comments.themes, ', ', 1)
where comments.is_counted
    and not comments.is_confidential
