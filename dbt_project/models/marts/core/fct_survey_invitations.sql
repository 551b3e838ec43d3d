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
        {'columns': ['trigger_event_id']},
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
        invitations.finished_at
    from invited
    inner join {{ ref('int_survey_invitations') }} as invitations
        on invitations.identity_id = invited.identity_id
    inner join {{ ref('surveys') }} as surveys
        on surveys.survey_id = invitations.survey_id
),

-- Where the mailing does not tell when the survey was finished, the answers do.
finished_by_answers as (
    select
        invitation_id,
        min(recorded_at) as finished_at
    from {{ ref('int_survey_answers') }}
    where coalesce(exclusion_reason, '') not in ('test', 'preview', 'spam', 'unfinished')
        and invitation_id in (
            select invitations.invitation_id
            from invitations
            where invitations.finished_at is null
        )
    group by invitation_id
),

invitations_finished as (
    select
        invitations.invitation_id,
        invitations.survey_id,
        invitations.customer_key,
        invitations.survey_kind,
        invitations.trigger_event_id,
        invitations.invitation_channel,
        invitations.invitation_status,
        invitations.identity_method,
        invitations.is_confidential,
        invitations.is_delivered,
        invitations.delivery_is_assumed,
        invitations.sent_date,
        invitations.sent_at,
        invitations.delivered_at,
        invitations.opened_at,
        invitations.started_at,
        coalesce(invitations.finished_at, finished_by_answers.finished_at) as finished_at,
        -- 28 days are elapsed hours, whatever the clocks do in between.
        invitations.sent_at + interval '672 hours' as in_time_before
    from invitations
    left join finished_by_answers
        on finished_by_answers.invitation_id = invitations.invitation_id
),

-- Confidential surveys apart: the days since such an invitation would tell of it.
invitations_spaced as (
    select
        *,
        sent_date - max(sent_date) filter (where is_delivered) over earlier_invitations
            as days_since_previous_invitation
    from invitations_finished
    window earlier_invitations as (
        partition by customer_key, survey_kind, is_confidential
        order by sent_at, invitation_id collate "C"
        rows between unbounded preceding and 1 preceding
    )
),

invitations_judged as (
    select
        *,
        is_delivered and coalesce(opened_at, started_at, finished_at) is not null as is_opened,
        is_delivered and coalesce(started_at, finished_at) is not null as is_started,
        coalesce(is_delivered and finished_at < in_time_before, false) as is_finished_in_time,
        coalesce(is_delivered and finished_at >= in_time_before, false) as is_finished_late,
        coalesce(
            is_delivered
            and days_since_previous_invitation
            < case survey_kind when 'relational' then 180 else 90 end,
            false
        ) as is_fatigue_breach
    from invitations_spaced
),

survey_invitations as (
    select
        invitations_judged.invitation_id,
        invitations_judged.survey_id,
        invitations_judged.customer_key,
        customers.customer_version_key,
        invitations_judged.trigger_event_id,
        invitations_judged.survey_kind,
        invitations_judged.invitation_channel,
        invitations_judged.invitation_status,
        customers.segment,
        customers.country,
        invitations_judged.identity_method,
        invitations_judged.days_since_previous_invitation,
        invitations_judged.is_confidential,
        invitations_judged.is_delivered,
        invitations_judged.delivery_is_assumed,
        invitations_judged.is_opened,
        invitations_judged.is_started,
        invitations_judged.is_finished_in_time,
        invitations_judged.is_finished_late,
        invitations_judged.is_fatigue_breach,
        invitations_judged.sent_date,
        invitations_judged.sent_date + 28 as matures_on,
        invitations_judged.sent_at,
        invitations_judged.delivered_at,
        invitations_judged.opened_at,
        invitations_judged.started_at,
        invitations_judged.finished_at
    from invitations_judged
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = invitations_judged.customer_key
        and invitations_judged.sent_date >= customers.valid_from
        and invitations_judged.sent_date < customers.valid_to
)

select * from survey_invitations
