{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_deliveries.customer_key') }} as customers_of_deliveries
    union
    select key from {{ dirty('fct_ticket_service.customer_key') }} as customers_served
    union
    -- whose segment or country at the ticket was another
    select key from {{ dirty('fct_tickets.customer_key') }} as customers_of_tickets
    union
    -- Of those who answered or bought, those whom something had gone wrong for.
    select cast(failures.customer_key as text)
    from {{ this }} as failures
    where failures.customer_key = any(array(
            select cast(key as uuid)
            from {{ dirty('fct_survey_responses.recommending_customer') }} as who_answered
            union
            select cast(key as uuid) from {{ dirty('fct_purchases.customer_key') }} as who_bought
        ))
{% endraw %}{% endset %}

{{ config(
    unique_key=['customer_key', 'failure_id'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'marks': ['failed_date'],
    },
    indexes=[
        {'columns': ['customer_key']},
        {'columns': ['failure_id']},
        {'columns': ['failed_date']},
    ],
    pre_hook=join_by_hash(),
) }}

with

-- A parcel fails its customer when the promised day is over; it is put right when it comes.
late_deliveries as (
    select
        'delivery:' || delivery_id as failure_id,
        customer_key,
        'late_delivery' as failure_kind,
        segment,
        country,
        {{ end_of_reporting_date('promised_date') }} as failed_at,
        delivered_at as fixed_at
    from {{ ref('fct_deliveries') }}
    where not is_on_time
        and promised_date is not null
        and {{ to_rebuild('customer_key', 'uuid', by_index=true) }}
),

-- A ticket tells of something that went wrong; it is put right when it is solved for good.
-- What was reopened was not, the first time: it fails anew then.
tickets as (
    select
        'ticket:' || service.ticket_id as failure_id,
        service.customer_key,
        case when service.reopens > 0 then 'reopened_ticket' else 'ticket' end as failure_kind,
        tickets.segment,
        tickets.country,
        case when service.reopens > 0 then service.first_solved_at else tickets.created_at end
            as failed_at,
        service.solved_at as fixed_at
    from {{ ref('fct_ticket_service') }} as service
    inner join {{ ref('fct_tickets') }} as tickets
        on tickets.ticket_id = service.ticket_id
        and tickets.customer_key = service.customer_key
    where {{ to_rebuild('service.customer_key', 'uuid', by_index=true) }}
        and {{ to_rebuild('tickets.customer_key', 'uuid', by_index=true) }}
),

-- Judged at one moment for all, three days after: what comes later is an outcome.
failures as (
    select
        failures_told.*,
        failures_told.failed_at + interval '72 hours' as judged_at,
        failures_told.failed_at + interval '2232 hours' as outcome_until,
        case
            when failures_told.fixed_at <= failures_told.failed_at + interval '24 hours'
                then 'within_1_day'
            when failures_told.fixed_at <= failures_told.failed_at + interval '72 hours'
                then 'within_3_days'
            else 'not_within_3_days'
        end as fix_speed
    from (
        select * from late_deliveries
        union all
        select * from tickets
    ) as failures_told
    where failures_told.failed_at is not null
),

next_answers as (
    select
        failures.failure_id,
        answers.score as next_score,
        answers.answered_at as next_answer_at,
        row_number() over (
            partition by failures.failure_id
            order by answers.answered_at, answers.answer_id collate "C"
        ) as answer_rank
    from failures
    inner join {{ ref('fct_survey_responses') }} as answers
        on answers.customer_key = failures.customer_key
        and answers.answered_at > failures.judged_at
        and answers.answered_at <= failures.outcome_until
    where {{ is_recommendation() }}
        and answers.survey_kind = 'transactional'
        and answers.customer_key = any(array(select who.customer_key from failures as who))
),

next_purchases as (
    select
        failures.failure_id,
        min(purchases.ordered_at) as next_purchase_at
    from failures
    inner join {{ ref('fct_purchases') }} as purchases
        on purchases.customer_key = failures.customer_key
        and purchases.ordered_at > failures.judged_at
        and purchases.ordered_at <= failures.outcome_until
    where not purchases.is_cancelled
        and purchases.customer_key = any(array(select who.customer_key from failures as who))
    group by failures.failure_id
),

service_failures as (
    select
        failures.failure_id,
        failures.customer_key,
        failures.failure_kind,
        failures.fix_speed,
        failures.segment,
        failures.country,
        next_answers.next_score,
        {{ minutes_between('failures.failed_at', 'failures.fixed_at') }} as fix_minutes,
        next_purchases.next_purchase_at is not null as has_bought_again,
        {{ reporting_date('failures.failed_at') }} as failed_date,
        -- The day with whose end the outcomes are known.
        {{ reporting_date("(failures.outcome_until - interval '1 microsecond')") }} as matures_on,
        failures.failed_at,
        failures.fixed_at,
        next_answers.next_answer_at,
        next_purchases.next_purchase_at
    from failures
    left join next_answers
        on next_answers.failure_id = failures.failure_id
        and next_answers.answer_rank = 1
    left join next_purchases
        on next_purchases.failure_id = failures.failure_id
)

select * from service_failures
