{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_survey_responses.recommending_customer') }} as who_answered
    union
    -- Of those whom somebody reached, those who had been unhappy.
    select cast(cases.customer_key as text)
    from {{ this }} as cases
    where cases.customer_key = any(array(
            select cast(key as uuid)
            from {{ dirty('fct_touchpoints.customer_reached') }} as called
            union
            select cast(key as uuid)
            from {{ dirty('fct_ticket_events.customer_reached') }} as written_to
            union
            select cast(key as uuid) from {{ dirty('dim_customers.customer_key') }} as customers
        ))
{% endraw %}{% endset %}

{{ config(
    unique_key=['customer_key', 'closed_loop_case_id'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'marks': ['closed_loop_case_id', 'opened_date'],
        'published_indexes': [['customer_key'], ['closed_loop_case_id'], ['opened_date']],
    },
    indexes=[
        {'columns': ['customer_key']},
        {'columns': ['closed_loop_case_id']},
        {'columns': ['opened_date']},
        {'columns': ['matures_on']},
    ],
    pre_hook=join_by_hash(),
) }}

with recursive

recommendations as materialized (
    select *
    from {{ ref('fct_survey_responses') }}
    where {{ is_recommendation() }}
        and {{ to_rebuild('customer_key', 'uuid', by_index=true) }}
),

detractors as (
    select
        *,
        row_number() over (
            partition by customer_key order by answered_at, answer_id collate "C"
        ) as answer_number
    from recommendations
    where score <= 6
),

-- Whenever a person of ours turned to one of them: a call, a personal message, a reply.
contacts as (
    select
        touches.customer_key,
        touches.touchpoint as contact_touchpoint,
        touches.occurred_at
    from {{ ref('fct_touchpoints') }} as touches
    where touches.is_outreach
        and touches.customer_key = any(array(select detractors.customer_key from detractors))

    union all

    select
        replies.customer_key,
        'ticket_reply' as contact_touchpoint,
        replies.occurred_at
    from {{ ref('fct_ticket_events') }} as replies
    where {{ is_reply_of_ours() }}
        and replies.customer_key = any(array(select detractors.customer_key from detractors))
),

contacts_after_answers as (
    select
        detractors.customer_key,
        detractors.answer_number,
        contacts.contact_touchpoint,
        contacts.occurred_at,
        row_number() over (
            partition by detractors.customer_key, detractors.answer_number
            order by contacts.occurred_at, contacts.contact_touchpoint collate "C"
        ) as contact_rank
    from detractors
    inner join contacts
        on contacts.customer_key = detractors.customer_key
        and contacts.occurred_at > detractors.answered_at
),

answers_contacted as materialized (
    select
        detractors.*,
        first_contacts.contact_touchpoint,
        first_contacts.occurred_at as first_contact_at
    from detractors
    left join contacts_after_answers as first_contacts
        on first_contacts.customer_key = detractors.customer_key
        and first_contacts.answer_number = detractors.answer_number
        and first_contacts.contact_rank = 1
),

-- Of each answer, should it open a case: the first one that would not join it.
answers_followed as (
    select
        answers.customer_key,
        answers.answer_number,
        min(later.answer_number) as next_case_number
    from answers_contacted as answers
    left join answers_contacted as later
        on later.customer_key = answers.customer_key
        and later.answer_number > answers.answer_number
        and (
            later.answered_at > answers.answered_at + interval '48 hours'
            or later.answered_at >= answers.first_contact_at
        )
    group by answers.customer_key, answers.answer_number
),

-- Whether an answer opens a case depends on the case before: from one to the next.
openings as (
    select customer_key, answer_number, next_case_number
    from answers_followed
    where answer_number = 1

    union all

    select
        answers_followed.customer_key,
        answers_followed.answer_number,
        answers_followed.next_case_number
    from openings
    inner join answers_followed
        on answers_followed.customer_key = openings.customer_key
        and answers_followed.answer_number = openings.next_case_number
),

answers_of_customers as (
    select customer_key, count(*) as answers
    from detractors
    group by customer_key
),

cases as (
    select
        answers.*,
        coalesce(openings.next_case_number, answers_of_customers.answers + 1)
            - openings.answer_number - 1 as joined_answers,
        answers.answered_at + interval '48 hours' as due_at
    from answers_contacted as answers
    inner join openings
        on openings.customer_key = answers.customer_key
        and openings.answer_number = answers.answer_number
    inner join answers_of_customers
        on answers_of_customers.customer_key = answers.customer_key
),

-- The same question again, from 7 to 180 days later.
next_answers as (
    select
        cases.customer_key,
        cases.answer_id,
        recommendations.answered_at as next_answer_at,
        recommendations.score as next_score,
        row_number() over (
            partition by cases.customer_key, cases.answer_id
            order by recommendations.answered_at, recommendations.answer_id collate "C"
        ) as answer_rank
    from cases
    inner join recommendations
        on recommendations.customer_key = cases.customer_key
        and recommendations.survey_question_key = cases.survey_question_key
        and recommendations.answered_at
        between cases.answered_at + interval '168 hours'
        and cases.answered_at + interval '4320 hours'
),

closed_loop_cases as (
    select
        cases.answer_id as closed_loop_case_id,
        cases.customer_key,
        cases.customer_version_key,
        cases.survey_question_key,
        cases.survey_id,
        cases.survey_kind,
        cases.journey_stage,
        cases.touchpoint,
        cases.owner_area,
        cases.segment,
        cases.country,
        case
            when cases.identity_method = 'unmatched' then 'not_identified'
            when not customers.may_be_contacted then 'do_not_contact'
            else 'contactable'
        end as contactability,
        cases.contact_touchpoint as first_contact_touchpoint,
        case
            when next_answers.answer_id is null then null
            when cases.first_contact_at <= cases.answered_at + interval '168 hours'
                then 'within_7_days'
            when cases.first_contact_at < next_answers.next_answer_at then 'later'
            else 'none'
        end as contact_before_next_answer,
        cases.score,
        next_answers.next_score,
        cast(cases.joined_answers as integer) as joined_answers,
        {{ minutes_between('cases.answered_at', 'cases.first_contact_at') }} as contact_minutes,
        coalesce(cases.first_contact_at <= cases.due_at, false) as is_contacted_in_time,
        next_answers.next_score > 6 as is_recovered,
        cases.answered_date as opened_date,
        -- The day with whose end it is due: due at midnight, the day before.
        {{ reporting_date("(cases.due_at - interval '1 microsecond')") }} as matures_on,
        cases.answered_at as finished_at,
        cases.due_at,
        cases.first_contact_at,
        next_answers.next_answer_at
    from cases
    left join {{ ref('dim_customers') }} as customers
        on customers.customer_version_key = cases.customer_version_key
        and customers.customer_key = cases.customer_key
    left join next_answers
        on next_answers.customer_key = cases.customer_key
        and next_answers.answer_id = cases.answer_id
        and next_answers.answer_rank = 1
)

select * from closed_loop_cases
