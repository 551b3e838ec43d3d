{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_survey_invitations.funnel_day') }} as days
    union
    -- cohorts that have come nearer to maturity
    select cast(cohorts.sent_date as text)
    from {{ this }} as cohorts
    where {{ as_of_may_have_moved_before('cohorts.matures_on') }}
{% endraw %}{% endset %}

{{ config(
    unique_key='funnel_key',
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'sent_date',
        'published_indexes': [['sent_date']],
    },
    indexes=[{'columns': ['sent_date']}, {'columns': ['matures_on']}],
) }}

with

invitations as (
    select
        *,
        coalesce(invitation_channel, '(unknown)') as known_channel
    from {{ ref('fct_survey_invitations') }}
    where not is_confidential
        {%- if is_incremental() %}
        and sent_date in (
            select cast(key as date) from {{ dirty('fct_survey_invitations.funnel_day') }} as days
        )
        {%- endif %}
),

cohorts_counted as (
    select
        concat_ws('|', sent_date, survey_id, known_channel) as funnel_key,
        survey_kind,
        survey_id,
        known_channel as invitation_channel,
        count(*) as invited,
        count(*) filter (where is_delivered) as delivered,
        count(*) filter (where delivery_is_assumed) as delivery_assumed,
        count(*) filter (where is_opened) as opened,
        count(*) filter (where is_started) as started,
        count(*) filter (where is_finished_in_time) as finished,
        count(*) filter (where is_finished_late) as finished_late,
        count(*) filter (where is_fatigue_breach) as fatigue_breaches,
        sent_date,
        matures_on
    from invitations
    group by sent_date, matures_on, survey_kind, survey_id, known_channel
    {%- if is_incremental() %}

    union all

    -- Cohorts to which nothing has happened but time: as they were counted.
    select
        cohorts.funnel_key,
        cohorts.survey_kind,
        cohorts.survey_id,
        cohorts.invitation_channel,
        cohorts.invited,
        cohorts.delivered,
        cohorts.delivery_assumed,
        cohorts.opened,
        cohorts.started,
        cohorts.finished,
        cohorts.finished_late,
        cohorts.fatigue_breaches,
        cohorts.sent_date,
        cohorts.matures_on
    from {{ this }} as cohorts
    where {{ to_rebuild('cohorts.sent_date', 'date') }}
        and not exists (
            select from {{ dirty('fct_survey_invitations.funnel_day') }} as days
            where cast(days.key as date) = cohorts.sent_date
        )
    {%- endif %}
),

cohorts_dated as (
    select
        *,
        case
            when {{ as_of_date() }} >= matures_on then matures_on
            else {{ as_of_date() }}
        end as as_of_date
    from cohorts_counted
),

response_funnel as (
    select
        funnel_key,
        survey_kind,
        survey_id,
        invitation_channel,
        invited,
        delivered,
        delivery_assumed,
        opened,
        started,
        finished,
        finished_late,
        fatigue_breaches,
        round(cast(finished as numeric) / nullif(delivered, 0), 6) as response_rate,
        coalesce(as_of_date >= matures_on, false) as is_mature,
        sent_date,
        matures_on,
        as_of_date
    from cohorts_dated
)

select * from response_funnel
