{#
    Models that follow a customer read a handful of columns of touches that lie all over the
    table: the index by customer holds these.
#}
{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_touchpoint_events.event_id') }} as events
    union
    select events.event_id
    from {{ ref('int_touchpoint_events') }} as events
    where events.identity_id in (
        select key from {{ dirty('int_identities.identity_id') }} as identities
    )
    union
    {{ facts_of_other_versions('event_id', 'occurred_date') }}
{% endraw %}{% endset %}

{{ config(
    unique_key='event_id',
    meta={
        'rebuild_when': rebuild_when,
        'marks': [
            'customer_key',
            {'customer_day': "customer_key || ':' || occurred_date"},
            {'customer_stage': "customer_key || ':' || journey_stage"},
            {'customer_reached': "case when is_outreach then customer_key end"},
            {'listened_day': {'key': 'occurred_date', 'of': 'event_id, touchpoint'}},
        ],
        'published_indexes': [['event_id'], ['customer_key', 'occurred_at'], ['occurred_date']],
    },
    indexes=[
        {'columns': ['event_id']},
        {'columns': [
            'customer_key', 'journey_stage', 'occurred_at', 'occurred_date', 'event_id', 'case_id',
            'touchpoint', 'channel', 'approach', 'advances_stage', 'is_purchase', 'is_outreach',
            'customer_version_key', 'segment', 'country',
        ]},
        {'columns': ['case_id']},
        {'columns': ['occurred_date']},
        {'columns': ['touchpoint', 'source_system']},
    ],
) }}

with

events as (
    select
        *,
        {{ reporting_date('occurred_at') }} as occurred_date
    from {{ ref('int_touchpoint_events') }}
    where occurred_at is not null
        and not is_deleted
        and {{ to_rebuild('event_id') }}
),

touches as (
    select
        events.event_id,
        identities.customer_key,
        customers.customer_version_key,
        events.source_system,
        events.source_object,
        events.touchpoint,
        touchpoints.journey_stage,
        touchpoints.channel,
        touchpoints.environment,
        touchpoints.owner_area,
        touchpoints.approach,
        customers.segment,
        customers.country,
        identities.identity_method,
        events.product,
        events.case_id,
        touchpoints.advances_stage,
        events.source_object = 'order' as is_purchase,
        events.is_outreach,
        events.occurred_date,
        events.occurred_at
    from events
    inner join {{ ref('int_identities') }} as identities
        on identities.identity_id = events.identity_id
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = identities.customer_key
        and events.occurred_date >= customers.valid_from
        and events.occurred_date < customers.valid_to
    inner join {{ ref('dim_touchpoints') }} as touchpoints
        on touchpoints.touchpoint = events.touchpoint
)

select * from touches
