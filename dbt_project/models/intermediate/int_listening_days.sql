{# Whose a touch, an invitation or an answer is does not matter here. #}
{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_touchpoints.listened_day') }} as touched
    union
    select key from {{ dirty('fct_survey_invitations.listened_day') }} as invited
    union
    select cast(invitations.sent_date as text)
    from {{ ref('fct_survey_invitations') }} as invitations
    where invitations.trigger_event_id in (
        select key from {{ dirty('int_touchpoint_events.event_id') }} as events
    )
    union
    select key from {{ dirty('fct_survey_responses.listened_day') }} as answered
{% endraw %}{% endset %}

{{ config(
    unique_key='listening_day_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'listening_date'},
    indexes=[{'columns': ['listening_date']}],
) }}

with

touches as (
    select
        touchpoint,
        occurred_date as listening_date,
        count(*) as touches,
        0 as invitations,
        0 as responses
    from {{ ref('fct_touchpoints') }}
    where {{ to_rebuild('occurred_date', 'date') }}
    group by touchpoint, occurred_date
),

invitations as (
    select
        events.touchpoint,
        invitations.sent_date as listening_date,
        0 as touches,
        count(*) as invitations,
        0 as responses
    from {{ ref('fct_survey_invitations') }} as invitations
    inner join {{ ref('int_touchpoint_events') }} as events
        on events.event_id = invitations.trigger_event_id
    where invitations.is_delivered
        and not invitations.is_confidential
        and {{ to_rebuild('invitations.sent_date', 'date') }}
    group by events.touchpoint, invitations.sent_date
),

responses as (
    select
        touchpoint,
        answered_date as listening_date,
        0 as touches,
        0 as invitations,
        count(distinct response_id) as responses
    from {{ ref('fct_survey_responses') }}
    where is_counted
        and not is_confidential
        and touchpoint is not null
        and {{ to_rebuild('answered_date', 'date') }}
    group by touchpoint, answered_date
),

counts as (
    select * from touches
    union all
    select * from invitations
    union all
    select * from responses
),

listening_days as (
    select
        listening_date || '|' || touchpoint as listening_day_key,
        touchpoint,
        cast(sum(touches) as bigint) as touches,
        cast(sum(invitations) as bigint) as invitations,
        cast(sum(responses) as bigint) as responses,
        listening_date
    from counts
    group by listening_date, touchpoint
)

select * from listening_days
