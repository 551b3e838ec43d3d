{% set rebuild_when %}{% raw %}
    with
    changed as (
        select key as invitation_id
        from {{ dirty('int_survey_invitations.invitation_id') }} as sent
        union
        select key from {{ dirty('int_survey_answers.invitation_id') }} as answered
        union
        select invitations.invitation_id
        from {{ ref('int_identities') }} as identities
        inner join {{ ref('int_survey_invitations') }} as invitations
            on invitations.identity_id = identities.identity_id
        where identities.identity_id in (
            select key from {{ dirty('int_identities.identity_id') }} as identities_changed
        )
        union
        {{ facts_of_other_versions('invitation_id', 'sent_date') }}
    ),
    -- where they were, and where they will be, among the invitations of a customer
    places as (
        select invitations.customer_key, invitations.survey_kind, invitations.is_confidential,
            invitations.sent_at
        from {{ this }} as invitations
        where invitations.invitation_id in (select invitation_id from changed)
        union
        select identities.customer_key, surveys.survey_kind,
            surveys.anonymity = 'confidential', invitations.sent_at
        from {{ ref('int_survey_invitations') }} as invitations
        inner join {{ ref('int_identities') }} as identities
            on identities.identity_id = invitations.identity_id
        inner join {{ ref('surveys') }} as surveys
            on surveys.survey_id = invitations.survey_id
        where invitations.invitation_id in (select invitation_id from changed)
    ),
    -- whether an invitation came too soon depends on the delivered one before it
    later_invitations as (
        select
            invitations.invitation_id,
            invitations.sent_at,
            min(invitations.sent_at)
                filter (where invitations.is_delivered and invitations.sent_at > places.sent_at)
                over (
                    partition by
                        places.customer_key, places.survey_kind, places.is_confidential,
                        places.sent_at
                ) as next_delivered_at
        from places
        inner join {{ this }} as invitations
            on invitations.customer_key = places.customer_key
            and invitations.survey_kind = places.survey_kind
            and invitations.is_confidential = places.is_confidential
            and invitations.sent_at >= places.sent_at
    )
    select invitation_id from changed
    union
    select invitation_id
    from later_invitations
    where sent_at <= coalesce(next_delivered_at, cast('infinity' as timestamptz))
{% endraw %}{% endset %}

{{ config(
    unique_key='invitation_id',
    meta={
        'rebuild_when': rebuild_when,
        'marks': [
            {'listened_day': {
                'key': 'sent_date',
                'of': 'invitation_id, trigger_event_id, is_delivered, is_confidential',
            }},
            {'funnel_day': {
                'key': 'sent_date',
                'of': 'survey_id, survey_kind, invitation_channel, is_confidential, is_delivered, '
                    ~ 'delivery_is_assumed, is_opened, is_started, is_finished_in_time, '
                    ~ 'is_finished_late, is_fatigue_breach',
            }},
            {'invited': {'key': 'invitation_id', 'of': 'is_confidential'}},
        ],
        'publish_where': 'not is_confidential',
        'published_indexes': [['invitation_id'], ['customer_key', 'sent_at'], ['sent_date']],
    },
    indexes=[
        {'columns': ['invitation_id']},
        {'columns': ['customer_key', 'sent_at']},
        {'columns': ['sent_date']},
        {'columns': ['trigger_event_id', 'sent_date']},
    ],
) }}

with

invitations as (
    select
        invitations.invitation_id,
        invitations.survey_id,
        identities.customer_key,
        surveys.survey_kind,
        invitations.trigger_event_id,
        invitations.invitation_channel,
        invitations.invitation_status,
        identities.identity_method,
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
    from {{ ref('int_survey_invitations') }} as invitations
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = invitations.identity_id
    inner join {{ ref('surveys') }} as surveys
        on surveys.survey_id = invitations.survey_id
    where {{ to_rebuild('invitations.invitation_id') }}
),

{% if is_incremental() -%}
customers as (
    select
        customer_key,
        survey_kind,
        is_confidential,
        min(sent_at) as first_sent_at,
        max(sent_at) as last_sent_at
    from invitations
    group by customer_key, survey_kind, is_confidential
),

-- What stays as it is matters from the last delivered one before on.
customers_read as (
    select
        customers.*,
        coalesce(delivered_before.sent_at, customers.first_sent_at) as read_from
    from customers
    left join lateral (
        select others.sent_at
        from {{ this }} as others
        where others.customer_key = customers.customer_key
            and others.survey_kind = customers.survey_kind
            and others.is_confidential = customers.is_confidential
            and others.sent_at < customers.first_sent_at
            and others.is_delivered
            and not exists (
                select from {{ dirty('fct_survey_invitations') }} as rebuilt
                where rebuilt.key = others.invitation_id
            )
        order by others.sent_at desc
        limit 1
    ) as delivered_before
        on true
),

{% endif -%}
invitations_of_customers as (
    select * from invitations
    {%- if is_incremental() %}
    union all
    -- What the same customers were sent, and stays as it is.
    select
        others.invitation_id,
        others.survey_id,
        others.customer_key,
        others.survey_kind,
        others.trigger_event_id,
        others.invitation_channel,
        others.invitation_status,
        others.identity_method,
        others.is_confidential,
        others.is_delivered,
        others.delivery_is_assumed,
        others.sent_date,
        others.sent_at,
        others.delivered_at,
        others.opened_at,
        others.started_at,
        others.finished_at
    from customers_read as customers
    inner join {{ this }} as others
        on others.customer_key = customers.customer_key
        and others.survey_kind = customers.survey_kind
        and others.is_confidential = customers.is_confidential
        and others.sent_at between customers.read_from and customers.last_sent_at
    where not exists (
            select from {{ dirty('fct_survey_invitations') }} as rebuilt
            where rebuilt.key = others.invitation_id
        )
    {%- endif %}
),

-- Confidential surveys apart: the days since such an invitation would tell of it.
invitations_spaced as (
    select
        *,
        sent_date - max(sent_date) filter (where is_delivered) over earlier_invitations
            as days_since_previous_invitation
    from invitations_of_customers
    window earlier_invitations as (
        partition by customer_key, survey_kind, is_confidential
        order by sent_at, invitation_id collate "C"
        rows between unbounded preceding and 1 preceding
    )
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
        invitations.days_since_previous_invitation,
        invitations.sent_date,
        invitations.sent_at,
        invitations.delivered_at,
        invitations.opened_at,
        invitations.started_at,
        coalesce(invitations.finished_at, finished_by_answers.finished_at) as finished_at,
        -- 28 days are elapsed hours, whatever the clocks do in between.
        invitations.sent_at + interval '672 hours' as in_time_before
    from invitations_spaced as invitations
    left join finished_by_answers
        on finished_by_answers.invitation_id = invitations.invitation_id
    where {{ to_rebuild('invitations.invitation_id') }}
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
    from invitations_finished
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
