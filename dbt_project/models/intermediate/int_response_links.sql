{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_survey_answers.response_id') }} as responses
    union
    select answers.response_id
    from {{ ref('int_survey_answers') }} as answers
    where answers.invitation_id in (
        select key from {{ dirty('int_survey_invitations.invitation_id') }} as invitations
    )
    union
    -- what caused an invitation may arrive, or change, after it
    select answers.response_id
    from {{ ref('int_survey_invitations') }} as invitations
    inner join {{ ref('int_survey_answers') }} as answers
        on answers.invitation_id = invitations.invitation_id
    where invitations.trigger_event_id in (
        select key from {{ dirty('int_touchpoint_events.event_id') }} as events
    )
    union
    -- and so may what an answer names
    select answers.response_id
    from {{ ref('int_survey_answers') }} as answers
    where answers.about_event_id in (
        select key from {{ dirty('int_touchpoint_events.event_id') }} as events
    )
    union
    -- who answered, and whose the thing is that the answer names
    select answers.response_id
    from {{ ref('int_survey_answers') }} as answers
    where answers.identity_id in (
        select key from {{ dirty('int_identities.identity_id') }} as identities
    )
    union
    select links.response_id
    from {{ this }} as links
    where links.event_id in (
        select events.event_id
        from {{ ref('int_touchpoint_events') }} as events
        where events.identity_id in (
            select key from {{ dirty('int_identities.identity_id') }} as identities
        )
    )
{% endraw %}{% endset %}

{{ config(
    unique_key='response_id',
    meta={'rebuild_when': rebuild_when},
    indexes=[
        {'columns': ['response_id']},
        {'columns': ['customer_key', 'looks_back_to_date', 'link_method', 'sent_at']},
        {'columns': ['event_id']},
    ],
) }}

with

responses as (
    select distinct
        response_id,
        survey_kind,
        registered_stage,
        look_back_days,
        identity_id,
        contact_reference is not null or email_key is not null as is_somebody,
        invitation_id,
        about_event_id,
        touchpoint_parameter
    from {{ ref('int_survey_answers') }}
    where {{ to_rebuild('response_id') }}
),

-- The first rule that has anything to go by, of those that need no look at the touches.
responses_invited as (
    select
        responses.*,
        case
            when responses.survey_kind = 'relational' then 'relational'
            when responses.about_event_id is not null then 'explicit_id'
            when responses.touchpoint_parameter is not null then 'link_parameter'
            when invitations.trigger_event_id is not null then 'invitation_trigger'
        end as named_by,
        invitations.trigger_event_id,
        invitations.sent_at
    from responses
    left join {{ ref('int_survey_invitations') }} as invitations
        on invitations.invitation_id = responses.invitation_id
),

responses_naming as (
    select
        *,
        case named_by
            when 'explicit_id' then about_event_id
            when 'invitation_trigger' then trigger_event_id
        end as named_event_id
    from responses_invited
),

-- An answer that says itself what it is about is never taken to be about anything else.
responses_linked as (
    select
        responses_naming.*,
        case
            when responses_naming.named_by = 'relational' then 'relational'
            when touchpoints.touchpoint is not null then responses_naming.named_by
            when responses_naming.named_by in ('explicit_id', 'link_parameter')
                then 'unattributed'
        end as link_method,
        touchpoints.touchpoint,
        events.event_id,
        events.identity_id as owner_identity_id,
        events.product,
        events.occurred_at
    from responses_naming
    left join {{ ref('int_touchpoint_events') }} as events
        on events.event_id = responses_naming.named_event_id
    left join {{ ref('dim_touchpoints') }} as touchpoints
        on touchpoints.touchpoint = case responses_naming.named_by
            when 'link_parameter' then responses_naming.touchpoint_parameter
            else events.touchpoint
        end
        and touchpoints.journey_stage is not null
),

links as (
    select
        responses_linked.response_id,
        identities.customer_key,
        responses_linked.event_id,
        responses_linked.link_method,
        responses_linked.touchpoint,
        responses_linked.registered_stage,
        responses_linked.product,
        identities.identity_method,
        -- Who names nobody contradicts nobody, and a thing can be nobody's.
        coalesce(
            responses_linked.touchpoint is not null
            and responses_linked.is_somebody
            and responses_linked.owner_identity_id <> responses_linked.event_id
            and owners.customer_key <> identities.customer_key,
            false
        ) as is_identity_conflict,
        case when responses_linked.link_method is null then
            {{ reporting_date('responses_linked.sent_at') }} - responses_linked.look_back_days - 1
        end as looks_back_from_date,
        case when responses_linked.link_method is null then
            {{ reporting_date('responses_linked.sent_at') }}
        end as looks_back_to_date,
        case when responses_linked.link_method is null then
            responses_linked.sent_at - responses_linked.look_back_days * interval '24 hours'
        end as looks_back_from,
        responses_linked.sent_at,
        responses_linked.occurred_at
    from responses_linked
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = responses_linked.identity_id
    left join {{ ref('int_identities') }} as owners
        on owners.identity_id = responses_linked.owner_identity_id
)

select * from links
