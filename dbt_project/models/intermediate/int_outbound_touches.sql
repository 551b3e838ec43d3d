{#
    What follows a touch is looked for in a few weeks after it: a night rebuilds a customer's
    touches from as long before the first change on.
#}
{% set rebuild_when %}{% raw %}
    with

    days_changed as (
        select key from {{ dirty('fct_touchpoints.customer_day') }} as touches
        union all
        select key from {{ dirty('fct_survey_responses.customer_day') }} as answers
    ),

    changes as (
        -- A day more, for the hour by which summer time moves.
        select
            cast(left(key, 36) as uuid) as customer_key,
            cast(substring(key from 38) as date) - {{ touch_outcome_days() }} - 1
                as rebuilt_from
        from days_changed
        union all
        -- those whose 30 days are over, or are not, since as-of moved
        select touches.customer_key, touches.touch_date
        from {{ this }} as touches
        inner join (
            select min(low_date) as low_date, max(high_date) as high_date
            from {{ source('audit', 'as_of') }}
        ) as moves
            on moves.low_date < moves.high_date
            and touches.matures_on > moves.low_date
            and touches.matures_on <= moves.high_date
    ),

    cuts as (
        select customer_key, min(rebuilt_from) as rebuilt_from
        from changes
        group by customer_key
    )

    select 'from:' || customer_key || ':' || rebuilt_from from cuts
    union all
    select touches.event_id
    from cuts
    inner join {{ this }} as touches
        on touches.customer_key = cuts.customer_key
        and touches.touch_date >= cuts.rebuilt_from
{% endraw %}{% endset %}

{{ config(
    unique_key=['customer_key', 'event_id'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'customer_key',
        'rebuild_rows_by': 'event_id',
        'marks': [
            {'touched_day': {
                'key': 'touch_date',
                'of': 'event_id, touch_kind, channel, segment, country, is_mature, is_answered, '
                    ~ 'is_followed_by_purchase, next_nps',
            }},
        ],
    },
    indexes=[
        {'columns': ['event_id']},
        {'columns': ['customer_key', 'touch_date']},
        {'columns': ['touch_date']},
        {'columns': ['matures_on']},
    ],
) }}

with

as_of as (
    select {{ as_of_date() }} as as_of_date
),
{%- if is_incremental() %}

cuts as (
    select
        cast(substring(key from 6 for 36) as uuid) as customer_key,
        min(cast(substring(key from 43) as date)) as rebuilt_from
    from {{ source('audit', 'dirty_keys') }}
    where place = '{{ this.identifier }}' and starts_with(key, 'from:')
    group by customer_key
),
{%- endif %}

touches as (
    select
        touches.event_id,
        touches.customer_key,
        touches.channel,
        touches.approach,
        touches.segment,
        touches.country,
        touches.is_purchase,
        touches.occurred_date,
        touches.occurred_at,
        -- Messages alone: a parcel is handed over in person, too.
        case
            when touches.channel in ('e-mail', 'SMS', 'phone', 'WhatsApp', 'chat', 'app', 'social')
                then case touches.approach
                    when 'outbound_personal' then 'personal'
                    when 'outbound_mass' then 'mass'
                end
        end as touch_kind
    from {{ ref('fct_touchpoints') }} as touches
    {%- if is_incremental() %}
    inner join cuts
        on cuts.customer_key = touches.customer_key
        and touches.occurred_date >= cuts.rebuilt_from
    {%- endif %}
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

    select
        answers.customer_key,
        null,
        answers.answered_at,
        null,
        null,
        answers.answered_at,
        min(answers.score)
    from {{ ref('fct_survey_responses') }} as answers
    {%- if is_incremental() %}
    inner join cuts
        on cuts.customer_key = answers.customer_key
        and answers.answered_date >= cuts.rebuilt_from
    {%- endif %}
    where answers.is_counted
        and not answers.is_confidential
        and answers.metric = 'nps'
    group by answers.customer_key, answers.answered_at
),

moments_followed as (
    select
        *,
        min(came_at) over afterwards as next_came_at,
        min(bought_at) over afterwards as next_bought_at,
        min(answered_at) over afterwards as next_answered_at
    from moments
    -- Backwards: a frame that only grows is not read again for each row.
    window afterwards as (
        partition by customer_key
        order by moment desc
        range between unbounded preceding and interval '1 microsecond' preceding
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
