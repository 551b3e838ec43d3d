{% set rebuild_when %}{% raw %}
    -- whether an invitation came too soon depends on the customer's other invitations
    select cast(identities.customer_key as text)
    from {{ ref('int_identities') }} as identities
    where identities.identity_id in (
        select key from {{ dirty('int_survey_invitations.identity_id') }} as invited
        union
        select invitations.identity_id
        from {{ ref('int_survey_invitations') }} as invitations
        where invitations.invitation_id in (
            select key from {{ dirty('int_survey_answers.invitation_id') }} as answered
        )
    )
    union
    select key from {{ dirty('int_identities.customer_key') }} as identities
    union
    select key from {{ dirty('dim_customers.customer_key') }} as customers
{% endraw %}{% endset %}

{{ config(
    unique_key='invitation_id',
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'marks': ['invitation_id', 'sent_date'],
        'publish_where': 'not is_confidential',
    },
    indexes=[
        {'columns': ['invitation_id']},
        {'columns': ['customer_key']},
        {'columns': ['sent_date']},
    ],
) }}

with

invited as (
    select
        identity_id,
        customer_key,
        identity_method
    from {{ ref('int_identities') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
),

-- A mailing that does not tell when the survey was finished: the response tells.
finished_responses as (
    select
        invitation_id,
        min(recorded_at) as finished_at
    from {{ ref('int_survey_answers') }}
    where invitation_id is not null
        and coalesce(exclusion_reason, '') not in ('test', 'preview', 'spam', 'unfinished')
    group by invitation_id
),

invitations as (
    select
        invitations.invitation_id,
        invitations.survey_id,
        invited.customer_key,
        surveys.survey_kind,
        invitations.trigger_event_id,
        invitations.invitation_channel,
        invitations.invitation_status,
        invited.identity_method,
        surveys.anonymity = 'confidential' as is_confidential,
        invitations.invitation_status not in ('other', 'failed', 'bounced') as is_delivered,
        invitations.invitation_status = 'sent' and invitations.delivered_at is null
            as delivery_is_assumed,
        {{ reporting_date('invitations.sent_at') }} as sent_date,
        invitations.sent_at,
        invitations.delivered_at,
        invitations.opened_at,
        invitations.started_at,
        coalesce(invitations.finished_at, finished_responses.finished_at) as finished_at
    from invited
    inner join {{ ref('int_survey_invitations') }} as invitations
        on invitations.identity_id = invited.identity_id
    inner join {{ ref('surveys') }} as surveys
        on surveys.survey_id = invitations.survey_id
    left join finished_responses
        on finished_responses.invitation_id = invitations.invitation_id
),

-- Confidential surveys apart: a day since such an invitation would tell of it.
invitations_spaced as (
    select
        *,
        sent_date - max(sent_date) filter (where is_delivered) over earlier_invitations
            as days_since_previous_invitation
    from invitations
    window earlier_invitations as (
        partition by customer_key, survey_kind, is_confidential
        order by sent_at, invitation_id collate "C"
        rows between unbounded preceding and 1 preceding
    )
),

survey_invitations as (
    select
        invitations_spaced.invitation_id,
        invitations_spaced.survey_id,
        invitations_spaced.customer_key,
        customers.customer_version_key,
        invitations_spaced.trigger_event_id,
        invitations_spaced.survey_kind,
        invitations_spaced.invitation_channel,
        invitations_spaced.invitation_status,
        customers.segment,
        customers.country,
        invitations_spaced.identity_method,
        invitations_spaced.days_since_previous_invitation,
        invitations_spaced.is_confidential,
        invitations_spaced.is_delivered,
        invitations_spaced.delivery_is_assumed,
        invitations_spaced.is_delivered
            and coalesce(
                invitations_spaced.opened_at,
                invitations_spaced.started_at,
                invitations_spaced.finished_at
            ) is not null as is_opened,
        invitations_spaced.is_delivered
            and coalesce(invitations_spaced.started_at, invitations_spaced.finished_at)
            is not null as is_started,
        -- 28 days are elapsed hours, whatever the clocks do in between.
        coalesce(
            invitations_spaced.is_delivered
            and invitations_spaced.finished_at < invitations_spaced.sent_at + interval '672 hours',
            false
        ) as is_finished_in_time,
        coalesce(
            invitations_spaced.is_delivered
            and invitations_spaced.finished_at >= invitations_spaced.sent_at + interval '672 hours',
            false
        ) as is_finished_late,
        coalesce(
            invitations_spaced.is_delivered
            and invitations_spaced.days_since_previous_invitation
            < case invitations_spaced.survey_kind when 'relational' then 180 else 90 end,
            false
        ) as is_fatigue_breach,
        invitations_spaced.sent_date,
        invitations_spaced.sent_date + 28 as matures_on,
        invitations_spaced.sent_at,
        invitations_spaced.delivered_at,
        invitations_spaced.opened_at,
        invitations_spaced.started_at,
        invitations_spaced.finished_at
    from invitations_spaced
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = invitations_spaced.customer_key
        and invitations_spaced.sent_date >= customers.valid_from
        and invitations_spaced.sent_date < customers.valid_to
)

select * from survey_invitations
