{#
    Facts of the events whose number begins with the prefix (`hubspot:order:`): which to
    rebuild because the event, whose it is, or a version of the customer changed. The
    event says who the customer is and what it was about, in one place for all facts.
#}
{% macro event_facts_to_rebuild(prefix, key) %}
    select substring(key from {{ prefix | length + 1 }})
    from {{ dirty('int_touchpoint_events.event_id') }} as changed_events
    where starts_with(key, '{{ prefix }}')
    union
    select substring(events.event_id from {{ prefix | length + 1 }})
    from {{ ref('int_touchpoint_events') }} as events
    where starts_with(events.event_id, '{{ prefix }}')
        and events.identity_id in (
            select key from {{ dirty('int_identities.identity_id') }} as identities
        )
    union
    select facts.{{ key }}
    from {{ this }} as facts
    where facts.customer_key in (
        select cast(key as uuid) from {{ dirty('dim_customers.customer_key') }} as customers
    )
{% endmacro %}
