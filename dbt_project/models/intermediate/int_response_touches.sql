{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_response_links.response_id') }} as responses
    union
    -- touches came, went or changed on a day to which the answer looks back
    select links.response_id
    from (
        select
            cast(split_part(key, ':', 1) as uuid) as customer_key,
            cast(split_part(key, ':', 2) as date) as occurred_date
        from {{ dirty('fct_touchpoints.customer_day') }} as customer_days
    ) as touched
    inner join {{ ref('int_response_links') }} as links
        on links.customer_key = touched.customer_key
        and touched.occurred_date
            between links.looks_back_from_date and links.looks_back_to_date
{% endraw %}{% endset %}

{{ config(
    unique_key='response_id',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['response_id']}],
) }}

with

links as (
    select *
    from {{ ref('int_response_links') }}
    where looks_back_from is not null
        and {{ to_rebuild('response_id') }}
),

-- Touches before the invitation; of the registered stage, where there is one.
touches_ranked as (
    select
        links.response_id,
        touches.event_id,
        touches.touchpoint,
        touches.journey_stage,
        touches.channel,
        touches.environment,
        touches.owner_area,
        touches.product,
        touches.occurred_at,
        rank() over (
            partition by links.response_id order by touches.occurred_at desc
        ) as touch_rank
    from links
    inner join {{ ref('fct_touchpoints') }} as touches
        on touches.customer_key = links.customer_key
        and touches.occurred_at >= links.looks_back_from
        and touches.occurred_at < links.sent_at
    where touches.advances_stage
        and touches.journey_stage = coalesce(links.registered_stage, touches.journey_stage)
),

-- Of several at the same time, what they share is known.
last_touches as (
    select
        response_id,
        {{ only_value('event_id') }} as event_id,
        {{ only_value('touchpoint') }} as touchpoint,
        {{ only_value('journey_stage') }} as journey_stage,
        {{ only_value('channel') }} as channel,
        {{ only_value('environment') }} as environment,
        {{ only_value('owner_area') }} as owner_area,
        {{ only_value('product') }} as product,
        max(occurred_at) as occurred_at
    from touches_ranked
    where touch_rank = 1
    group by response_id
)

select * from last_touches
