{{ config(materialized='table', meta={'row_key': ['theme']}) }}

select
    theme,
    theme_name,
    owner_area,
    journey_stage,
    description,
    priority,
    true as is_theme
from {{ ref('complaint_themes') }}

union all

select
    without_theme.theme,
    without_theme.theme_name,
    null,
    null,
    without_theme.description,
    null,
    false
from (
    values
        ('(none)', 'No theme found', 'No rule of its language fits the comment'),
        ('(unread)', 'Not read', 'Its language is not known, or has no rules')
) as without_theme (theme, theme_name, description)
