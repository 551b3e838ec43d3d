{% set rebuild_when %}{% raw %}
    select cast(actions.action_id as text)
    from {{ ref('improvement_actions') }} as actions
    where exists (
        select 1
        from (
            select cast(key as date) as date_day from {{ dirty('fct_comments.theme_day') }} as commented
            union all
            select cast(key as date) from {{ dirty('fct_survey_responses.scored_day') }} as scored
        ) as days
        where days.date_day between actions.opened_date - 28 and actions.opened_date - 1
            or days.date_day between actions.done_date + 1 and actions.done_date + 28
    )
    union
    -- what is not settled shows another as-of day
    select cast(actions.action_id as text)
    from {{ this }} as actions
    where {{ as_of_may_have_moved_before("coalesce(actions.settles_on, cast('infinity' as date))") }}
{% endraw %}{% endset %}

{{ config(
    unique_key='action_id',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['action_id']}],
) }}

with

actions as (
    select
        *,
        done_date + 28 as matures_on,
        -- From then on nothing about it depends on the day.
        greatest(due_date + 1, done_date + 28) as settles_on,
        {{ as_of_date() }} as last_day
    from {{ ref('improvement_actions') }}
    where {{ to_rebuild('action_id', 'integer') }}
),

windows as (
    select
        actions.action_id,
        actions.theme,
        actions.metric,
        actions.survey_kind,
        actions.journey_stage,
        sides.side,
        sides.first_day,
        sides.first_day + 27 as last_day
    from actions
    cross join lateral (
        values
            ('before', actions.opened_date - 28),
            ('after', actions.done_date + 1)
    ) as sides (side, first_day)
    where sides.first_day is not null
),

comments_counted as (
    select
        windows.action_id,
        windows.side,
        count(*) as comments,
        count(*) filter (
            where windows.theme = any(string_to_array(comments.themes, ', '))
        ) as mentions
    from windows
    inner join {{ ref('fct_comments') }} as comments
        on comments.commented_date between windows.first_day and windows.last_day
    where comments.is_counted
        and not comments.is_confidential
        and comments.theme_status <> 'no_rules'
    group by windows.action_id, windows.side
),

answers_counted as (
    select
        windows.action_id,
        windows.side,
        count(*) as responses,
        case min(windows.metric)
            when 'nps' then {{ cx('nps') }}(
                count(*) filter (where answers.score >= 9),
                count(*) filter (where answers.score in (7, 8)),
                count(*) filter (where answers.score <= 6)
            )
            when 'csat' then {{ cx('share_percent') }}(
                count(*) filter (where answers.is_top_box), count(*)
            )
            else {{ cx('ces') }}(sum(answers.score), count(*))
        end as score
    from windows
    inner join {{ ref('fct_survey_responses') }} as answers
        on answers.answered_date between windows.first_day and windows.last_day
        and answers.metric = windows.metric
        and answers.survey_kind = windows.survey_kind
        and coalesce(answers.journey_stage, '') = coalesce(
            windows.journey_stage, answers.journey_stage, ''
        )
    where answers.is_counted
        and not answers.is_confidential
    group by windows.action_id, windows.side
),

windows_counted as (
    select
        actions.action_id,
        coalesce(max(comments.mentions) filter (where windows.side = 'before'), 0)
            as mentions_before,
        coalesce(max(comments.comments) filter (where windows.side = 'before'), 0)
            as comments_before,
        coalesce(max(comments.mentions) filter (where windows.side = 'after'), 0) as mentions_after,
        coalesce(max(comments.comments) filter (where windows.side = 'after'), 0) as comments_after,
        coalesce(max(answers.responses) filter (where windows.side = 'before'), 0)
            as responses_before,
        max(answers.score) filter (where windows.side = 'before') as score_before,
        coalesce(max(answers.responses) filter (where windows.side = 'after'), 0)
            as responses_after,
        max(answers.score) filter (where windows.side = 'after') as score_after
    from actions
    inner join windows
        on windows.action_id = actions.action_id
    left join comments_counted as comments
        on comments.action_id = windows.action_id
        and comments.side = windows.side
    left join answers_counted as answers
        on answers.action_id = windows.action_id
        and answers.side = windows.side
    group by actions.action_id
),

-- An unfinished window says nothing yet.
actions_measured as (
    select
        actions.action_id,
        actions.theme,
        actions.action_name,
        actions.owner_area,
        actions.metric,
        actions.survey_kind,
        actions.journey_stage,
        counted.mentions_before,
        counted.comments_before,
        {{ cx('share_percent') }}(counted.mentions_before, counted.comments_before)
            as mention_share_before_percent,
        case when actions.matures_on <= actions.last_day then counted.mentions_after end
            as mentions_after,
        case when actions.matures_on <= actions.last_day then counted.comments_after end
            as comments_after,
        case
            when actions.matures_on <= actions.last_day
                then {{ cx('share_percent') }}(counted.mentions_after, counted.comments_after)
        end as mention_share_after_percent,
        case
            when actions.matures_on <= actions.last_day
                then {{ cx('share_change_p_value') }}(
                    counted.mentions_before, counted.comments_before,
                    counted.mentions_after, counted.comments_after
                )
        end as mention_p_value,
        counted.responses_before,
        counted.score_before,
        case when actions.matures_on <= actions.last_day then counted.responses_after end
            as responses_after,
        case when actions.matures_on <= actions.last_day then counted.score_after end
            as score_after,
        case when actions.matures_on <= actions.last_day then counted.score_after end
            - counted.score_before as score_change,
        coalesce(actions.done_date <= actions.last_day, false) as is_done,
        coalesce(
            actions.due_date < actions.last_day
            and coalesce(actions.done_date > actions.last_day, true),
            false
        ) as is_overdue,
        coalesce(actions.done_date > actions.due_date, false) as was_done_late,
        coalesce(actions.matures_on <= actions.last_day, false) as is_mature,
        actions.opened_date,
        actions.due_date,
        actions.done_date,
        actions.matures_on,
        actions.settles_on,
        case when actions.last_day is not null then least(actions.last_day, actions.settles_on) end
            as as_of_date
    from actions
    inner join windows_counted as counted
        on counted.action_id = actions.action_id
)

select * from actions_measured
