{% set rebuild_when %}{% raw %}
    select 'contact:' || key from {{ dirty('int_contacts.contact_id') }} as contacts
    union
    select 'contact:' || key
    from {{ dirty('int_contact_merges.merged_contact_id') }} as merged_contacts
    union
    select 'user:' || key from {{ dirty('int_users.user_id') }} as users
    union
    select key from {{ dirty('int_touchpoint_events.identity_id') }} as events
    union
    select key from {{ dirty('int_survey_answers.identity_id') }} as answers
    union
    select key from {{ dirty('int_reviews.identity_id') }} as reviews
    union
    select key from {{ dirty('int_survey_invitations.identity_id') }} as invitations
{% endraw %}{% endset %}

{{ config(
    unique_key='identity_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['email_key']},
    indexes=[
        {'columns': ['identity_id']},
        {'columns': ['contact_reference']},
        {'columns': ['email_key']},
    ],
) }}

with

contacts as (
    select
        'contact:' || contact_id as identity_id,
        contact_id as contact_reference,
        cast(null as uuid) as email_key
    from {{ ref('int_contacts') }}
    where {{ to_rebuild('contact_id', prefix='contact:') }}
),

merged_contacts as (
    select
        'contact:' || merged_contact_id as identity_id,
        merged_contact_id as contact_reference,
        cast(null as uuid) as email_key
    from {{ ref('int_contact_merges') }}
    where {{ to_rebuild('merged_contact_id', prefix='contact:') }}
),

users as (
    select
        'user:' || user_id as identity_id,
        contact_reference,
        email_key
    from {{ ref('int_users') }}
    where {{ to_rebuild('user_id', prefix='user:') }}
),

respondents as (
    select
        identity_id,
        contact_reference,
        email_key
    from {{ ref('int_survey_answers') }}
    where {{ to_rebuild('identity_id') }}
),

invited as (
    select
        identity_id,
        contact_reference,
        email_key
    from {{ ref('int_survey_invitations') }}
    where {{ to_rebuild('identity_id') }}
),

-- Whoever an event names and no list of people shows: visitors, unknown contacts, companies
-- where no person is named. What only deleted records name is nobody.
named_by_events as (
    select
        identity_id,
        case
            when starts_with(identity_id, 'contact:')
                then substring(identity_id from 9)
        end as contact_reference,
        cast(null as uuid) as email_key
    from {{ ref('int_touchpoint_events') }}
    where {{ to_rebuild('identity_id') }}
        and not starts_with(identity_id, 'user:')
        and not (source_object = 'activity' and is_deleted)
),

named_by_tickets as (
    select
        events.identity_id,
        cast(null as text) as contact_reference,
        cast(null as uuid) as email_key
    from {{ ref('int_touchpoint_events') }} as events
    left join {{ ref('int_users') }} as users
        on users.user_id = substring(events.identity_id from 6)
    where {{ to_rebuild('events.identity_id') }}
        and starts_with(events.identity_id, 'user:')
        and users.user_id is null
),

-- Whoever reviews without naming a known order; the others are in the events.
reviewers as (
    select
        identity_id,
        cast(null as text) as contact_reference,
        cast(null as uuid) as email_key
    from {{ ref('int_reviews') }}
    where {{ to_rebuild('identity_id') }}
        and starts_with(identity_id, 'review:')
),

people as (
    select * from contacts
    union
    select * from reviewers
    union
    select * from merged_contacts
    union
    select * from users
    union
    select * from respondents
    union
    select * from invited
    union
    select * from named_by_events
    union
    select * from named_by_tickets
)

select * from people
