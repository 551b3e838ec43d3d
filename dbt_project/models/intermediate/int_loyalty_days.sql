{% set rebuild_when %}{% raw %}
    select 'order_return:' || key from {{ dirty('fct_order_values.ordered_date') }} as days_of_orders
    union
    select 'repeat_purchase:' || key
    from {{ dirty('fct_customer_values.first_purchase_day') }} as days_of_first_purchases
    union
    select metrics.metric || ':' || days_of_contacts.key
    from {{ dirty('fct_interaction_outcomes.outcome_day') }} as days_of_contacts
    cross join (
        values
            ('churn_after_bad_contact'),
            ('churn_after_good_contact'),
            ('repurchase_after_bad_contact'),
            ('repurchase_after_good_contact')
    ) as metrics (metric)
    union
    select metrics.metric || ':' || days_of_touches.key
    from {{ dirty('int_outbound_touches.touched_day') }} as days_of_touches
    cross join (
        values
            ('answer_to_personal_touch'),
            ('answer_to_mass_touch'),
            ('purchase_after_personal_touch'),
            ('purchase_after_mass_touch'),
            ('promoter_after_personal_touch'),
            ('promoter_after_mass_touch')
    ) as metrics (metric)
{% endraw %}{% endset %}

{{ config(
    unique_key=['metric_day', 'breakdown', 'breakdown_value'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'metric_day', 'marks': ['metric_month']},
    indexes=[{'columns': ['metric_day']}, {'columns': ['metric_month']}],
) }}

with

measured as (
    select
        'order_return' as metric,
        ordered_date as loyalty_date,
        segment,
        country,
        product,
        cast(null as text) as relationship_band,
        cast(null as text) as channel,
        is_returned_in_time as is_event,
        kept_value as base_value,
        returned_value as event_value,
        not is_converted as is_unconverted
    from {{ ref('fct_order_values') }}
    where {{ to_rebuild('ordered_date', 'date', 'order_return:') }}

    union all

    select
        'repeat_purchase',
        first_purchase_date,
        segment,
        country,
        null,
        null,
        null,
        has_repeated_in_time,
        null,
        null,
        false
    from {{ ref('fct_customer_values') }}
    where {{ to_rebuild('first_purchase_date', 'date', 'repeat_purchase:') }}
        and is_known_from_first_purchase

    union all

    -- The four metrics of a day are always rebuilt together.
    select
        metrics.metric || '_after_' || outcomes.judgement || '_contact',
        outcomes.interaction_date,
        outcomes.segment,
        outcomes.country,
        null,
        outcomes.relationship_band,
        null,
        coalesce(
            case metrics.metric
                when 'churn' then outcomes.is_lost
                else outcomes.has_bought_again
            end,
            false
        ),
        null,
        null,
        false
    from {{ ref('fct_interaction_outcomes') }} as outcomes
    cross join (values ('churn'), ('repurchase')) as metrics (metric)
    where {{ to_rebuild('outcomes.interaction_date', 'date', 'churn_after_bad_contact:') }}

    union all

    -- The six metrics of a day, too. A score that followed is a row of its own base.
    select
        metrics.metric || '_' || touches.touch_kind || '_touch',
        touches.touch_date,
        touches.segment,
        touches.country,
        null,
        null,
        touches.channel,
        coalesce(
            case metrics.metric
                when 'answer_to' then touches.is_answered
                when 'purchase_after' then touches.is_followed_by_purchase
                else touches.next_nps >= 9
            end,
            false
        ),
        null,
        null,
        false
    from {{ ref('int_outbound_touches') }} as touches
    cross join (
        values ('answer_to'), ('purchase_after'), ('promoter_after')
    ) as metrics (metric)
    where {{ to_rebuild('touches.touch_date', 'date', 'answer_to_personal_touch:') }}
        and (metrics.metric <> 'promoter_after' or touches.next_nps is not null)
),

loyalty_days as (
    select
        measured.metric || ':' || measured.loyalty_date as metric_day,
        cuts.breakdown,
        cuts.breakdown_value,
        measured.metric
        || ':' || cast(date_trunc('month', cast(measured.loyalty_date as timestamp)) as date)
            as metric_month,
        count(*) as base_count,
        count(*) filter (where measured.is_event) as event_count,
        sum(measured.base_value) as base_value,
        sum(measured.event_value) as event_value,
        count(*) filter (where measured.is_unconverted) as currency_unconverted_orders
    from measured
    cross join lateral (
        values
            ('total', 'all'),
            ('segment', coalesce(measured.segment, '(unknown)')),
            ('country', coalesce(measured.country, '(unknown)')),
            (
                case when measured.metric = 'order_return' then 'product' end,
                coalesce(measured.product, '(unknown)')
            ),
            (
                case when measured.relationship_band is not null then 'relationship_band' end,
                measured.relationship_band
            ),
            (
                case when measured.channel is not null then 'channel' end,
                measured.channel
            )
    ) as cuts (breakdown, breakdown_value)
    where cuts.breakdown is not null
    group by measured.metric, measured.loyalty_date, cuts.breakdown, cuts.breakdown_value
)

select * from loyalty_days
