{% set rebuild_when %}{% raw %}
    select 'response:' || key from {{ dirty('fct_survey_responses.response_id') }} as responses
    union
    select 'review:' || key from {{ dirty('fct_reviews.review_id') }} as reviews
    union
    select 'delivery:' || key from {{ dirty('fct_deliveries.delivery_id') }} as deliveries
    union
    select 'return:' || key from {{ dirty('fct_returns.return_id') }} as goods_returned
    union
    select 'ticket:' || key from {{ dirty('fct_ticket_service.ticket_id') }} as tickets_served
    union
    select 'ticket:' || key from {{ dirty('fct_tickets.ticket_id') }} as tickets
{% endraw %}{% endset %}

{{ config(
    unique_key=['record', 'interaction_id'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'record', 'marks': ['customer_key']},
    indexes=[{'columns': ['record']}, {'columns': ['customer_key', 'interaction_at']}],
) }}

with

rules as (
    select * from {{ ref('interaction_rules') }}
),

-- Answers of confidential surveys judge nothing: readers must not learn of them this way.
answers as (
    select
        *,
        cast(score - scale_min as numeric) / nullif(scale_max - scale_min, 0) as scale_position
    from {{ ref('fct_survey_responses') }}
    where {{ to_rebuild('response_id', 'text', 'response:') }}
        and is_counted
        and not is_confidential
        and metric in ('nps', 'csat', 'ces')
),

answers_judged as (
    select
        'response:' || answers.response_id as record,
        'answer:' || answers.answer_id as interaction_id,
        answers.customer_key,
        answers.touchpoint,
        answers.segment,
        answers.country,
        answers.answered_date as interaction_date,
        answers.answered_at as interaction_at,
        rules.priority,
        rules.rule,
        rules.judgement
    from answers
    inner join rules
        on case rules.rule
            when 'nps_low' then answers.metric = 'nps' and answers.score <= rules.threshold
            when 'csat_low'
                then answers.metric = 'csat' and answers.scale_position <= rules.threshold
            when 'ces_low' then answers.metric = 'ces' and answers.score <= rules.threshold
            when 'nps_high' then answers.metric = 'nps' and answers.score >= rules.threshold
            when 'csat_high'
                then answers.metric = 'csat' and answers.scale_position >= rules.threshold
            when 'ces_high' then answers.metric = 'ces' and answers.score >= rules.threshold
        end
),

reviews_judged as (
    select
        'review:' || reviews.review_id as record,
        'review:' || reviews.review_id as interaction_id,
        reviews.customer_key,
        cast(null as text) as touchpoint,
        reviews.segment,
        reviews.country,
        reviews.published_date as interaction_date,
        reviews.published_at as interaction_at,
        rules.priority,
        rules.rule,
        rules.judgement
    from {{ ref('fct_reviews') }} as reviews
    inner join rules
        on case rules.rule
            when 'review_low' then reviews.rating <= rules.threshold
            when 'review_high' then reviews.rating >= rules.threshold
        end
    where {{ to_rebuild('reviews.review_id', 'text', 'review:') }}
),

-- What has not come is late when its promised day is over.
deliveries_judged as (
    select
        'delivery:' || deliveries.delivery_id as record,
        'delivery:' || deliveries.delivery_id as interaction_id,
        deliveries.customer_key,
        cast(null as text) as touchpoint,
        deliveries.segment,
        deliveries.country,
        coalesce(deliveries.delivered_date, deliveries.promised_date + 1) as interaction_date,
        coalesce(
            deliveries.delivered_at, {{ start_of_reporting_date('(deliveries.promised_date + 1)') }}
        ) as interaction_at,
        rules.priority,
        rules.rule,
        rules.judgement
    from {{ ref('fct_deliveries') }} as deliveries
    inner join rules
        on case rules.rule
            when 'delivery_late'
                then not deliveries.is_on_time
                and (not deliveries.is_delivered or deliveries.days_late >= rules.threshold)
            when 'delivery_on_time' then deliveries.is_on_time
        end
    where {{ to_rebuild('deliveries.delivery_id', 'text', 'delivery:') }}
),

returns_judged as (
    select
        'return:' || goods_returned.return_id as record,
        'return:' || goods_returned.return_id as interaction_id,
        goods_returned.customer_key,
        cast(null as text) as touchpoint,
        goods_returned.segment,
        goods_returned.country,
        goods_returned.returned_date as interaction_date,
        goods_returned.returned_at as interaction_at,
        rules.priority,
        rules.rule,
        rules.judgement
    from {{ ref('fct_returns') }} as goods_returned
    inner join rules
        on rules.rule = 'product_returned'
        and goods_returned.return_reason = any(string_to_array(rules.matches, '|'))
    where {{ to_rebuild('goods_returned.return_id', 'text', 'return:') }}
),

-- A ticket counts on the day of its creation, for all that became of it.
tickets_judged as (
    select
        'ticket:' || service.ticket_id as record,
        'ticket:' || service.ticket_id as interaction_id,
        service.customer_key,
        tickets.touchpoint,
        tickets.segment,
        tickets.country,
        service.created_date as interaction_date,
        tickets.created_at as interaction_at,
        rules.priority,
        rules.rule,
        rules.judgement
    from {{ ref('fct_ticket_service') }} as service
    inner join {{ ref('fct_tickets') }} as tickets
        on tickets.ticket_id = service.ticket_id
        and tickets.customer_key = service.customer_key
    inner join rules
        on case rules.rule
            when 'ticket_reopened' then service.reopens >= rules.threshold
            when 'ticket_reply_late' then service.first_reply_minutes > rules.threshold
            when 'ticket_solved_at_once'
                then service.is_solved
                and service.reopens = 0
                and service.full_resolution_minutes <= rules.threshold
        end
    where {{ to_rebuild('service.ticket_id', 'text', 'ticket:') }}
),

judged as (
    select * from answers_judged
    union all
    select * from reviews_judged
    union all
    select * from deliveries_judged
    union all
    select * from returns_judged
    union all
    select * from tickets_judged
),

-- Of several rules that fit, the one that comes first in the seed says what it was.
judged_ranked as (
    select
        *,
        row_number() over (partition by interaction_id order by priority) as rule_rank
    from judged
),

interactions as (
    select
        record,
        interaction_id,
        customer_key,
        rule as interaction_rule,
        judgement,
        touchpoint,
        segment,
        country,
        interaction_date,
        interaction_at
    from judged_ranked
    where rule_rank = 1
)

select * from interactions
