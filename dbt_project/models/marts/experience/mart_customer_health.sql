{#
    A row says what holds on every as-of day from changed_on until next_change_on: windows of
    365 and 90 days move, and points are given for days without a purchase. So a night rebuilds
    the customers to whom something happened, and those whose next_change_on has come.
#}
{% set rebuild_when %}{% raw %}
    select key from {{ dirty('dim_customers.customer_key') }} as customers
    union
    select key from {{ dirty('fct_touchpoints.customer_key') }} as touched
    union
    select key from {{ dirty('fct_journey_stage_visits.customer_key') }} as on_their_way
    union
    select key from {{ dirty('fct_ticket_service.customer_key') }} as served
    union
    select key from {{ dirty('fct_survey_responses.customer_key') }} as asked
    union
    select key from {{ dirty('fct_interactions.customer_key') }} as judged
    union
    select key from {{ dirty('fct_order_values.customer_key') }} as buyers
    union
    select cast(health.customer_key as text)
    from {{ this }} as health
    inner join (
        select min(low_date) as low_date, max(high_date) as high_date
        from {{ source('audit', 'as_of') }}
    ) as moves
        on moves.low_date < moves.high_date
        and (health.next_change_on <= moves.high_date or health.changed_on > moves.low_date)
{% endraw %}{% endset %}

{{ config(
    unique_key='customer_key',
    meta={'rebuild_when': rebuild_when, 'published_indexes': [['customer_key']]},
    indexes=[
        {'columns': ['customer_key']},
        {'columns': ['next_change_on']},
        {'columns': ['changed_on']},
    ],
) }}

with

-- Before every source has delivered, nothing has happened.
as_of as (
    select coalesce({{ as_of_date() }}, cast('1900-01-01' as date)) as as_of_date
),

orders as (
    select
        orders.*,
        as_of.as_of_date
    from {{ ref('fct_order_values') }} as orders
    cross join as_of
    where {{ to_rebuild('orders.customer_key', 'uuid') }}
),

buyers as (
    select
        customer_key,
        count(*) filter (where ordered_date <= as_of_date) as orders,
        count(*) filter (where ordered_date <= as_of_date and not is_converted)
            as currency_unconverted_orders,
        coalesce(sum(kept_value) filter (where ordered_date <= as_of_date), 0)
            as historical_value,
        coalesce(
            sum(kept_value) filter (
                where ordered_date <= as_of_date and ordered_date > as_of_date - 365
            ),
            0
        ) as value_365_days,
        max(ordered_date) filter (where ordered_date <= as_of_date) as last_purchase_date
    from orders
    group by customer_key
),

-- Whoever only ever answered anonymously, or is known by a cookie alone, is nobody to look after.
customers as (
    select
        customers.*,
        coalesce(buyers.orders, 0) as orders,
        coalesce(buyers.currency_unconverted_orders, 0) as currency_unconverted_orders,
        coalesce(buyers.historical_value, 0) as historical_value,
        coalesce(buyers.value_365_days, 0) as value_365_days,
        buyers.last_purchase_date
    from {{ ref('dim_customers') }} as customers
    left join buyers
        on buyers.customer_key = customers.customer_key
    where {{ to_rebuild('customers.customer_key', 'uuid') }}
        and customers.is_current
        and (customers.is_in_crm or buyers.customer_key is not null)
),

stages as (
    select
        customer_key,
        journey_stage,
        row_number() over (
            partition by customer_key
            order by
                array_position(array['owning', 'support', 'buying'], lane),
                entered_at desc,
                visit_key
        ) as visit_rank
    from {{ ref('fct_journey_stage_visits') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
        and is_open
),

touches as (
    select
        customer_key,
        touchpoint,
        occurred_at,
        row_number() over (
            partition by customer_key order by occurred_at desc, event_id collate "C" desc
        ) as touch_rank
    from {{ ref('fct_touchpoints') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
),

tickets as (
    select
        service.customer_key,
        service.created_date,
        service.solved_date,
        service.created_date <= as_of.as_of_date
        and (service.solved_date is null or service.solved_date > as_of.as_of_date) as is_open
    from {{ ref('fct_ticket_service') }} as service
    cross join as_of
    where {{ to_rebuild('service.customer_key', 'uuid') }}
),

tickets_open as (
    select customer_key, count(*) filter (where is_open) as open_tickets
    from tickets
    group by customer_key
),

-- What confidential surveys say stays theirs.
answers as (
    select
        answers.customer_key,
        answers.metric,
        answers.score,
        round(
            100.0 * (answers.score - answers.scale_min)
            / nullif(answers.scale_max - answers.scale_min, 0),
            6
        ) as score_percent,
        answers.answered_date,
        answers.answered_date <= as_of.as_of_date as has_come,
        row_number() over (
            partition by
                answers.customer_key,
                answers.metric,
                answers.answered_date <= as_of.as_of_date
            order by answers.answered_at desc, answers.answer_id collate "C" desc
        ) as answer_rank
    from {{ ref('fct_survey_responses') }} as answers
    cross join as_of
    where {{ to_rebuild('answers.customer_key', 'uuid') }}
        and answers.is_counted
        and not answers.is_confidential
        and answers.metric in ('nps', 'csat', 'ces')
),

last_answers as (
    select
        customer_key,
        min(score) filter (where metric = 'nps') as last_nps,
        min(score) filter (where metric = 'csat') as last_csat,
        min(score_percent) filter (where metric = 'csat') as last_csat_percent,
        min(score) filter (where metric = 'ces') as last_ces,
        min(answered_date) filter (where metric = 'nps') as last_nps_date,
        min(answered_date) filter (where metric = 'csat') as last_csat_date,
        min(answered_date) filter (where metric = 'ces') as last_ces_date
    from answers
    where has_come and answer_rank = 1
    group by customer_key
),

interactions as (
    select
        interactions.customer_key,
        interactions.judgement,
        interactions.interaction_date,
        interactions.interaction_date <= as_of.as_of_date
        and interactions.interaction_date > as_of.as_of_date - 365 as is_within_365_days
    from {{ ref('fct_interactions') }} as interactions
    cross join as_of
    where {{ to_rebuild('interactions.customer_key', 'uuid') }}
),

interactions_counted as (
    select
        customer_key,
        count(*) filter (where judgement = 'good' and is_within_365_days) as good_interactions,
        count(*) filter (where judgement = 'bad' and is_within_365_days) as bad_interactions
    from interactions
    group by customer_key
),

rules as (
    select * from {{ ref('health_rules') }}
),

-- The days on which the row says, or said, something else.
change_days as (
    select customer_key, ordered_date as change_date from orders
    union all
    select customer_key, ordered_date + 365 from orders
    union all
    select buyers.customer_key, buyers.last_purchase_date + cast(ceil(rules.threshold) as integer)
    from buyers
    cross join rules
    where rules.measure = 'days_since_last_purchase'
    union all
    select customer_key, created_date from tickets
    union all
    select customer_key, solved_date from tickets
    union all
    select customer_key, answered_date from answers
    union all
    select answers.customer_key, answers.answered_date + ages.days
    from answers
    cross join (values (90), (365)) as ages (days)
    where answers.has_come and answers.answer_rank = 1
    union all
    select customer_key, interaction_date from interactions
    union all
    select customer_key, interaction_date + 365 from interactions
),

changes as (
    select
        change_days.customer_key,
        max(change_days.change_date) filter (where change_days.change_date <= as_of.as_of_date)
            as changed_on,
        min(change_days.change_date) filter (where change_days.change_date > as_of.as_of_date)
            as next_change_on
    from change_days
    cross join as_of
    group by change_days.customer_key
),

customers_measured as (
    select
        customers.*,
        stages.journey_stage as current_stage,
        touches.touchpoint as last_touchpoint,
        touches.occurred_at as last_touch_at,
        coalesce(tickets_open.open_tickets, 0) as open_tickets,
        last_answers.last_nps,
        last_answers.last_csat,
        last_answers.last_csat_percent,
        last_answers.last_ces,
        last_answers.last_nps_date,
        last_answers.last_csat_date,
        last_answers.last_ces_date,
        coalesce(interactions_counted.good_interactions, 0) as good_interactions,
        coalesce(interactions_counted.bad_interactions, 0) as bad_interactions,
        as_of.as_of_date - customers.last_purchase_date as days_since_last_purchase,
        coalesce(last_answers.last_nps <= 6 and as_of.as_of_date - last_answers.last_nps_date < 90, false)
        or coalesce(
            last_answers.last_csat_percent <= 25
            and as_of.as_of_date - last_answers.last_csat_date < 90,
            false
        ) as is_unhappy,
        coalesce(as_of.as_of_date - greatest(last_answers.last_nps_date, last_answers.last_csat_date) < 90, false)
            as has_answered_lately,
        as_of.as_of_date,
        changes.changed_on,
        changes.next_change_on
    from customers
    cross join as_of
    left join stages
        on stages.customer_key = customers.customer_key and stages.visit_rank = 1
    left join touches
        on touches.customer_key = customers.customer_key and touches.touch_rank = 1
    left join tickets_open
        on tickets_open.customer_key = customers.customer_key
    left join last_answers
        on last_answers.customer_key = customers.customer_key
    left join interactions_counted
        on interactions_counted.customer_key = customers.customer_key
    left join changes
        on changes.customer_key = customers.customer_key
),

-- Each rule that holds gives its points and its reason; answers over a year old say nothing.
risks as (
    select
        measures.customer_key,
        sum(rules.points) as risk_points,
        string_agg(rules.reason, '; ' order by rules.points desc, rules.rule collate "C") as risk_reasons
    from (
        select
            customers.customer_key,
            measures.measure,
            measures.measured
        from customers_measured as customers
        cross join lateral (
            values
                ('days_since_last_purchase', cast(customers.days_since_last_purchase as numeric)),
                ('bad_interactions', cast(customers.bad_interactions as numeric)),
                (
                    'bad_less_good',
                    cast(customers.bad_interactions - customers.good_interactions as numeric)
                ),
                ('open_tickets', cast(customers.open_tickets as numeric)),
                (
                    'last_nps',
                    case when customers.as_of_date - customers.last_nps_date < 365
                        then cast(customers.last_nps as numeric) end
                ),
                (
                    'last_csat_percent',
                    case when customers.as_of_date - customers.last_csat_date < 365
                        then customers.last_csat_percent end
                ),
                (
                    'last_ces',
                    case when customers.as_of_date - customers.last_ces_date < 365
                        then cast(customers.last_ces as numeric) end
                )
        ) as measures (measure, measured)
    ) as measures
    inner join rules
        on rules.measure = measures.measure
        and case rules.comparison
            when 'at_least' then measures.measured >= rules.threshold
            else measures.measured <= rules.threshold
        end
    group by measures.customer_key
),

customers_at_risk as (
    select
        customers.*,
        case when customers.lifecycle = 'customer' or customers.orders > 0
            then cast(coalesce(risks.risk_points, 0) as integer) end as risk_points,
        case when customers.lifecycle = 'customer' or customers.orders > 0
            then risks.risk_reasons end as risk_reasons
    from customers_measured as customers
    left join risks
        on risks.customer_key = customers.customer_key
),

bands as (
    select
        risk_band,
        points_from,
        lead(points_from) over (order by points_from) as points_below
    from {{ ref('risk_bands') }}
),

customer_health as (
    select
        customers.customer_key,
        customers.lifecycle,
        customers.segment,
        customers.country,
        customers.current_stage,
        customers.last_touchpoint,
        bands.risk_band,
        customers.risk_reasons,
        customers.risk_points,
        customers.open_tickets,
        customers.last_nps,
        customers.last_csat,
        customers.last_ces,
        customers.good_interactions,
        customers.bad_interactions,
        customers.orders,
        customers.currency_unconverted_orders,
        customers.historical_value,
        customers.value_365_days,
        customers.may_be_contacted,
        customers.is_unhappy,
        customers.has_answered_lately,
        customers.last_nps_date,
        customers.last_csat_date,
        customers.last_ces_date,
        customers.last_purchase_date,
        customers.changed_on,
        customers.next_change_on,
        customers.last_touch_at
    from customers_at_risk as customers
    left join bands
        on customers.risk_points >= bands.points_from
        and customers.risk_points < coalesce(bands.points_below, customers.risk_points + 1)
)

select * from customer_health
