{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_comments.comment_id') }} as changed_comments
{% endraw %}{% endset %}

{{ config(
    unique_key=['comment_id', 'theme'],
    meta={'rebuild_when': rebuild_when, 'publish_where': 'not is_confidential'},
    indexes=[
        {'columns': ['comment_id']},
        {'columns': ['customer_key']},
        {'columns': ['theme', 'commented_date']},
    ],
) }}

with

theme_mentions as (
    select
        comments.comment_id,
        mentioned.theme,
        comments.customer_key,
        comments.comment_source,
        comments.survey_kind,
        comments.metric,
        comments.journey_stage,
        comments.segment,
        comments.country,
        comments.language,
        comments.sentiment,
        comments.score,
        mentioned.place = 1 as is_main_theme,
        comments.is_confidential,
        comments.commented_date
    from {{ ref('fct_comments') }} as comments
    cross join lateral unnest(string_to_array(comments.themes, ', '))
        with ordinality as mentioned (theme, place)
    where {{ to_rebuild('comments.comment_id') }}
        and comments.is_counted
)

select * from theme_mentions
