{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_ticket_events.ticket_id') }} as tickets_with_events
    union
    select key from {{ dirty('int_tickets.ticket_id') }} as tickets_flagged
    union
    -- a ticket that comes, goes or is about something else may be another one's repeat
    select tickets.ticket_id
    from {{ ref('fct_tickets') }} as tickets
    where tickets.customer_key = any(array(
            select cast(key as uuid) from {{ dirty('fct_tickets.asker') }} as customers
        ))
    union
    select key from {{ dirty('fct_tickets.ticket_id') }} as changed_tickets
    union
    select key from {{ dirty('fct_survey_responses.answered_ticket') }} as tickets_judged
{% endraw %}{% endset %}

{{ config(
    unique_key='ticket_id',
    meta={
        'rebuild_when': rebuild_when,
        'marks': [
            {'resolution_day': {
                'key': 'created_date',
                'of': 'ticket_id, is_flagged_first_contact, is_customer_confirmed, repeated_at, '
                    ~ 'matures_on',
            }},
        ],
    },
    indexes=[{'columns': ['ticket_id']}, {'columns': ['customer_key']}, {'columns': ['created_date']}],
    pre_hook=join_by_hash(),
) }}

with

tickets as (
    select *
    from {{ ref('fct_tickets') }}
    where {{ to_rebuild('ticket_id', by_index=true) }}
        and not is_deleted
),

-- A ticket that was merged into another before is no case of its own: the other one is solved.
solves as (
    select
        ticket_events.ticket_id,
        min(ticket_events.occurred_at) filter (where ticket_events.event_type = 'solved')
            as first_solved_at,
        min(ticket_events.occurred_at) filter (where ticket_events.event_type = 'merged')
            as first_merged_at
    from {{ ref('fct_ticket_events') }} as ticket_events
    inner join tickets
        on tickets.ticket_id = ticket_events.ticket_id
        and tickets.customer_key = ticket_events.customer_key
    where ticket_events.event_type in ('solved', 'merged')
        {{ only_of('ticket_events.ticket_id', 'tickets') }}
    group by ticket_events.ticket_id
),

cases as (
    select
        tickets.ticket_id,
        tickets.customer_key,
        tickets.topic,
        tickets.created_date,
        tickets.created_at,
        solves.first_solved_at,
        solves.first_solved_at + interval '168 hours' as repeats_until
    from tickets
    inner join solves
        on solves.ticket_id = tickets.ticket_id
    where solves.first_solved_at <= coalesce(solves.first_merged_at, solves.first_solved_at)
),

repeats as (
    select
        cases.ticket_id,
        'reopened' as repeat_kind,
        cases.ticket_id as repeat_ticket_id,
        ticket_events.occurred_at as repeated_at
    from cases
    inner join {{ ref('fct_ticket_events') }} as ticket_events
        on ticket_events.ticket_id = cases.ticket_id
        and ticket_events.customer_key = cases.customer_key
        and ticket_events.event_type = 'reopened'
        and ticket_events.occurred_at <= cases.repeats_until
        {{ only_of('ticket_events.ticket_id', 'cases') }}

    union all

    -- Tickets without a topic are about the same: nobody can tell them apart.
    select
        cases.ticket_id,
        'another_ticket' as repeat_kind,
        other_tickets.ticket_id as repeat_ticket_id,
        other_tickets.created_at as repeated_at
    from cases
    inner join {{ ref('fct_tickets') }} as other_tickets
        on other_tickets.customer_key = cases.customer_key
        and coalesce(other_tickets.topic, '') = coalesce(cases.topic, '')
        and other_tickets.created_at > cases.created_at
        and other_tickets.created_at <= cases.repeats_until
        and not other_tickets.is_deleted
        {{ only_of('other_tickets.customer_key', 'cases') }}
),

repeats_ranked as (
    select
        *,
        row_number() over (
            partition by ticket_id
            order by repeated_at, repeat_kind collate "C", repeat_ticket_id collate "C"
        ) as repeat_rank
    from repeats
),

-- What its customer says, last, of what can be told of by ticket: nothing in confidence.
answers_ranked as (
    select
        cases.ticket_id,
        responses.score >= resolution_questions.confirms_from as is_customer_confirmed,
        responses.answered_at,
        row_number() over (
            partition by cases.ticket_id
            order by
                responses.answered_at desc,
                responses.response_id collate "C" desc,
                responses.question_id collate "C"
        ) as answer_rank
    from cases
    inner join {{ ref('fct_survey_responses') }} as responses
        on responses.customer_key = cases.customer_key
        and responses.touch_event_id = 'ticket:' || cases.ticket_id
    inner join {{ ref('resolution_questions') }} as resolution_questions
        on resolution_questions.survey_id = responses.survey_id
        and resolution_questions.question_id = responses.question_id
    where responses.is_counted
        and not responses.is_confidential
        and responses.attribution_method in ('explicit_id', 'invitation_trigger')
        {{ only_of('responses.customer_key', 'cases') }}
),

ticket_resolutions as (
    select
        cases.ticket_id,
        cases.customer_key,
        cases.topic,
        repeats_ranked.repeat_kind,
        repeats_ranked.repeat_ticket_id,
        int_tickets.is_flagged_first_contact,
        answers_ranked.is_customer_confirmed,
        cases.created_date,
        {{ reporting_date('cases.first_solved_at') }} as first_solved_date,
        -- The day at whose end the week is over.
        {{ reporting_date("(cases.repeats_until - interval '1 microsecond')") }} as matures_on,
        cases.first_solved_at,
        cases.repeats_until,
        repeats_ranked.repeated_at,
        answers_ranked.answered_at as customer_answered_at
    from cases
    inner join {{ ref('int_tickets') }} as int_tickets
        on int_tickets.ticket_id = cases.ticket_id
        {{ only_of('int_tickets.ticket_id', 'cases') }}
    left join repeats_ranked
        on repeats_ranked.ticket_id = cases.ticket_id
        and repeats_ranked.repeat_rank = 1
    left join answers_ranked
        on answers_ranked.ticket_id = cases.ticket_id
        and answers_ranked.answer_rank = 1
)

select * from ticket_resolutions
