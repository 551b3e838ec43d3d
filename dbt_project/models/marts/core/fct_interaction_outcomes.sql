{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_interactions.customer_key') }} as customers
    union
    select key from {{ dirty('fct_order_values.customer_key') }} as buyers
    union
    -- those whose 90 days are over, or are not, since as-of moved
    select cast(outcomes.customer_key as text)
    from {{ this }} as outcomes
    inner join (
        select min(low_date) as low_date, max(high_date) as high_date
        from {{ source('audit', 'as_of') }}
    ) as moves
        on moves.low_date < moves.high_date
        and outcomes.matures_on > moves.low_date
        and outcomes.matures_on <= moves.high_date
{% endraw %}{% endset %}

{{ config(
    unique_key=['customer_key', 'interaction_id'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'marks': [
            {'outcome_day': {
                'key': 'interaction_date',
                'of': 'interaction_id, judgement, relationship_band, segment, country, '
                    ~ 'is_mature, is_lost, has_bought_again',
            }},
        ],
        'published_indexes': [['customer_key'], ['interaction_date']],
    },
    indexes=[
        {'columns': ['customer_key']},
        {'columns': ['interaction_date']},
        {'columns': ['matures_on']},
    ],
) }}

with

as_of as (
    select {{ as_of_date() }} as as_of_date
),

interactions as (
    select *
    from {{ ref('fct_interactions') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
),

-- Purchases and interactions of a customer in one order of time.
moments as (
    select
        interaction_id,
        customer_key,
        interaction_at as moment,
        cast(null as timestamp with time zone) as ordered_at
    from interactions

    union all

    select null, customer_key, ordered_at, ordered_at
    from {{ ref('fct_order_values') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
),

moments_between_purchases as (
    select
        *,
        min(ordered_at) over until_then as first_purchase_at,
        max(ordered_at) over until_then as last_purchase_at,
        count(ordered_at) over until_then as orders,
        -- Backwards: a frame that only grows is not read again for each row.
        min(ordered_at) over (
            partition by customer_key
            order by moment desc
            range between unbounded preceding and interval '1 microsecond' preceding
        ) as next_purchase_at
    from moments
    window until_then as (
        partition by customer_key
        order by moment
        range between unbounded preceding and current row
    )
),

-- Only who was active can be lost.
contacts as (
    select
        interactions.interaction_id,
        interactions.customer_key,
        interactions.interaction_rule,
        interactions.judgement,
        interactions.segment,
        interactions.country,
        moments.orders,
        moments.first_purchase_at,
        moments.last_purchase_at,
        moments.next_purchase_at,
        coalesce(
            moments.next_purchase_at
            <= moments.moment + interval '24 hours' * {{ contact_outcome_days() }},
            false
        ) as has_bought_again,
        interactions.interaction_date,
        interactions.interaction_date + {{ contact_outcome_days() }} as matures_on,
        interactions.interaction_at
    from interactions
    inner join moments_between_purchases as moments
        on moments.interaction_id = interactions.interaction_id
        and moments.customer_key = interactions.customer_key
    where moments.last_purchase_at > moments.moment - {{ active_after_purchase() }}
),

contacts_banded as (
    select
        contacts.*,
        bands.relationship_band,
        row_number() over (
            partition by contacts.interaction_id order by bands.band_order
        ) as band_rank
    from contacts
    left join {{ ref('relationship_bands') }} as bands
        on contacts.orders >= bands.orders_from
        and contacts.interaction_at
        >= contacts.first_purchase_at + interval '24 hours' * bands.tenure_days_from
),

interaction_outcomes as (
    select
        contacts.interaction_id,
        contacts.customer_key,
        contacts.interaction_rule,
        contacts.judgement,
        coalesce(contacts.relationship_band, '(none)') as relationship_band,
        contacts.segment,
        contacts.country,
        contacts.orders as orders_before,
        coalesce(contacts.matures_on <= as_of.as_of_date, false) as is_mature,
        -- Nothing is said before the time is over: early failures would come first.
        case
            when contacts.matures_on <= as_of.as_of_date
                then not contacts.has_bought_again
                and contacts.last_purchase_at
                + {{ active_after_purchase() }}
                <= contacts.interaction_at + interval '24 hours' * {{ contact_outcome_days() }}
        end as is_lost,
        case when contacts.matures_on <= as_of.as_of_date then contacts.has_bought_again end
            as has_bought_again,
        contacts.interaction_date,
        contacts.matures_on,
        contacts.interaction_at
    from contacts_banded as contacts
    cross join as_of
    where contacts.band_rank = 1
)

select * from interaction_outcomes
