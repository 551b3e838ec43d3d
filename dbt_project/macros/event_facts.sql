{#
    Facts of the events whose number begins with the prefix (`order:`): which to
    rebuild because the event, whose it is, or a version of the customer changed. The
    event says who the customer is and what it was about, in one place for all facts.
#}
{% macro event_facts_to_rebuild(prefix, key, event_date) %}
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
    {{ facts_of_other_versions(key, event_date) }}
{% endmacro %}

{#
    Facts to rebuild because a version of their customer changed: those that would join
    another version now, or take something else from it. Most of a customer's facts lie
    before a new version and stay as they are.
#}
{% macro facts_of_other_versions(
    key, event_date, columns=['customer_version_key', 'segment', 'country']
) %}
    select facts.{{ key }}
    from {{ this }} as facts
    left join {{ ref('dim_customers') }} as customers
        on customers.customer_key = facts.customer_key
        and {{ event_date }} >= customers.valid_from
        and {{ event_date }} < customers.valid_to
    where facts.customer_key = any(array(
            select cast(key as uuid) from {{ dirty('dim_customers.customer_key') }} as changed_customers
        ))
        and (facts.{{ columns | join(', facts.') }})
            is distinct from (customers.{{ columns | join(', customers.') }})
{% endmacro %}

{# The day of a delivery whose version of the customer it joins. #}
{% macro delivery_event_date(shipped_date) %}
    coalesce(
        delivered_date, {{ shipped_date }}, ordered_date, promised_date, cast('1900-01-01' as date)
    )
{%- endmacro %}

{# Whether somebody won a deal, or a company of theirs did: the touchpoint says so. #}
{% macro has_won_a_deal(identity_id) -%}
exists (
    select 1
    from {{ ref('int_touchpoint_events') }} as won_deals
    where won_deals.identity_id = {{ identity_id }}
        and won_deals.touchpoint = 'deal_won'
        and won_deals.occurred_at is not null
        and not won_deals.is_deleted
)
{%- endmacro %}
