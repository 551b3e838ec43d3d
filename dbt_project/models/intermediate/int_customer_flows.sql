{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_customer_lifespans.entered_month') }} as months_entered
    union
    select key from {{ dirty('int_customer_lifespans.lost_month') }} as months_lost
{% endraw %}{% endset %}

{{ config(
    unique_key=['flow_month', 'breakdown', 'breakdown_value'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'flow_month'},
    indexes=[{'columns': ['flow_month']}],
) }}

with

flows as (
    select entered_month as flow_month, entry_kind as flow, churn_kind, segment, country
    from {{ ref('int_customer_lifespans') }}
    where {{ to_rebuild('entered_month', 'date') }}

    union all

    select lost_month, 'lost', churn_kind, segment, country
    from {{ ref('int_customer_lifespans') }}
    where {{ to_rebuild('lost_month', 'date') }}
),

customer_flows as (
    select
        flows.flow_month,
        cuts.breakdown,
        cuts.breakdown_value,
        count(*) filter (where flows.flow = 'new') as new_customers,
        count(*) filter (where flows.flow = 'reactivated') as reactivated_customers,
        count(*) filter (where flows.flow = 'first_seen') as first_seen_customers,
        count(*) filter (where flows.flow = 'lost') as lost_customers
    from flows
    cross join lateral (
        values
            ('total', 'all'),
            ('segment', coalesce(flows.segment, '(unknown)')),
            ('country', coalesce(flows.country, '(unknown)')),
            ('churn_kind', flows.churn_kind)
    ) as cuts (breakdown, breakdown_value)
    group by flows.flow_month, cuts.breakdown, cuts.breakdown_value
)

select * from customer_flows
