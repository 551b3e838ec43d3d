{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('distributions') }} as changed_invitations
{% endraw %}{% endset %}

{{ config(
    unique_key='invitation_id',
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'natural_key',
        'marks': ['invitation_id', 'identity_id', 'trigger_event_id'],
    },
    indexes=[
        {'columns': ['natural_key']},
        {'columns': ['invitation_id']},
        {'columns': ['identity_id', 'contact_reference', 'email_key']},
        {'columns': ['trigger_event_id', 'invitation_id']},
    ],
) }}

with

history as (
    select
        *,
        -- A message that bounced may have been reported delivered; one that was opened was.
        array_position(
            array['other', 'sent', 'delivered', 'failed', 'bounced', 'opened', 'started', 'finished'],
            invitation_status
        ) as status_rank
    from {{ staged('distributions') }} as staged
),

-- An invitation is sent again each time its status advances, in whatever order it comes.
history_coalesced as (
    select
        natural_key,
        invitation_id,
        {{ last_sent('survey_id') }} as survey_id,
        {{ last_sent('survey_contact_id') }} as survey_contact_id,
        {{ last_sent('contact_reference') }} as contact_reference,
        {{ last_sent('email') }} as email,
        {{ last_sent('invitation_channel') }} as invitation_channel,
        {{ last_sent('trigger_event_id') }} as trigger_event_id,
        {{ last_sent('response_id') }} as response_id,
        (array_agg(invitation_status order by status_rank desc))[1] as invitation_status,
        min(sent_at) as sent_at,
        min(delivered_at) as delivered_at,
        min(opened_at) as opened_at,
        min(started_at) as started_at,
        min(finished_at) as finished_at
    from history
    group by natural_key, invitation_id
),

invitations_hashed as (
    select
        *,
        {{ email_key('email') }} as email_key
    from history_coalesced
),

invitations as (
    select
        invitations_hashed.natural_key,
        invitations_hashed.invitation_id,
        invitations_hashed.survey_id,
        surveys.survey_kind,
        -- As the person is called in answers, so that both are resolved alike.
        case
            when invitations_hashed.contact_reference is not null
                or invitations_hashed.email_key is not null
                then 'respondent:' || coalesce(invitations_hashed.contact_reference, '') || ':'
                    || coalesce(cast(invitations_hashed.email_key as text), '')
            else 'invited:' || invitations_hashed.survey_contact_id
        end as identity_id,
        invitations_hashed.contact_reference,
        invitations_hashed.email_key,
        invitations_hashed.invitation_channel,
        invitations_hashed.trigger_event_id,
        invitations_hashed.response_id,
        invitations_hashed.invitation_status,
        invitations_hashed.sent_at,
        invitations_hashed.delivered_at,
        invitations_hashed.opened_at,
        invitations_hashed.started_at,
        invitations_hashed.finished_at
    from invitations_hashed
    left join {{ ref('surveys') }} as surveys
        on surveys.survey_id = invitations_hashed.survey_id
)

select * from invitations
