{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_touchpoints.customer_key') }} as touched
    union
    select key from {{ dirty('fct_survey_responses.customer_key') }} as asked
    union
    -- those whose 30 days are over, or are not, since as-of moved
    select cast(touches.customer_key as text)
    from {{ this }} as touches
    inner join (
        select min(low_date) as low_date, max(high_date) as high_date
        from {{ source('audit', 'as_of') }}
    ) as moves
        on moves.low_date < moves.high_date
        and touches.matures_on > moves.low_date
        and touches.matures_on <= moves.high_date
{% endraw %}{% endset %}

{{ config(
    unique_key=['customer_key', 'event_id'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'marks': [
            {'touched_day': {
                'key': 'touch_date',
                'of': 'event_id, touch_kind, channel, segment, country, is_mature, is_answered, '
                    ~ 'is_followed_by_purchase, next_nps',
            }},
        ],
    },
    indexes=[
        {'columns': ['customer_key']},
        {'columns': ['touch_date']},
        {'columns': ['matures_on']},
    ],
) }}

with

as_of as (
    select {{ as_of_date() }} as as_of_date
),

touches as (
    select
        *,
        -- Messages alone: a parcel is handed over in person, too.
        case
            when channel in ('e-mail', 'SMS', 'phone', 'WhatsApp', 'chat', 'app', 'social')
                then case approach
                    when 'outbound_personal' then 'personal'
                    when 'outbound_mass' then 'mass'
                end
        end as touch_kind
    from {{ ref('fct_touchpoints') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
),

-- Of several answers at one moment, the one that is lowest.
moments as (
    select
        customer_key,
        event_id,
        occurred_at as moment,
        case when approach like 'inbound%' then occurred_at end as came_at,
        case when is_purchase then occurred_at end as bought_at,
        cast(null as timestamp with time zone) as answered_at,
        cast(null as integer) as nps
    from touches

    union all

    select customer_key, null, answered_at, null, null, answered_at, min(score)
    from {{ ref('fct_survey_responses') }}
    where {{ to_rebuild('customer_key', 'uuid') }}
        and is_counted
        and not is_confidential
        and metric = 'nps'
    group by customer_key, answered_at
),

moments_followed as (
    select
        *,
        min(came_at) over afterwards as next_came_at,
        min(bought_at) over afterwards as next_bought_at,
        min(answered_at) over afterwards as next_answered_at
    from moments
    window afterwards as (
        partition by customer_key
        order by moment
        range between interval '1 microsecond' following and unbounded following
    )
),

answers as (
    select customer_key, answered_at, nps
    from moments
    where answered_at is not null
),

outbound_touches as (
    select
        touches.event_id,
        touches.customer_key,
        touches.touch_kind,
        touches.channel,
        touches.segment,
        touches.country,
        coalesce(touches.occurred_date + {{ touch_outcome_days() }} <= as_of.as_of_date, false)
            as is_mature,
        case when touches.occurred_date + {{ touch_outcome_days() }} <= as_of.as_of_date
            then coalesce(
                followed.next_came_at <= touches.occurred_at + interval '168 hours', false
            ) end as is_answered,
        case when touches.occurred_date + {{ touch_outcome_days() }} <= as_of.as_of_date
            then coalesce(
                followed.next_bought_at
                <= touches.occurred_at + interval '24 hours' * {{ touch_outcome_days() }},
                false
            ) end as is_followed_by_purchase,
        case when touches.occurred_date + {{ touch_outcome_days() }} <= as_of.as_of_date
            and followed.next_answered_at
            <= touches.occurred_at + interval '24 hours' * {{ touch_outcome_days() }}
            then answers.nps end as next_nps,
        touches.occurred_date as touch_date,
        touches.occurred_date + {{ touch_outcome_days() }} as matures_on
    from touches
    cross join as_of
    inner join moments_followed as followed
        on followed.customer_key = touches.customer_key
        and followed.event_id = touches.event_id
    left join answers
        on answers.customer_key = followed.customer_key
        and answers.answered_at = followed.next_answered_at
    where touches.touch_kind is not null
)

select * from outbound_touches
