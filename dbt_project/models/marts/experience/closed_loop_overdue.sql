{% set rebuild_when %}{% raw %}
    select key from {{ dirty('fct_closed_loop_cases.closed_loop_case_id') }} as changed_cases
    union
    -- The cases of a month, when time has moved on: their hours, and who comes and goes.
    select cases.closed_loop_case_id
    from {{ ref('fct_closed_loop_cases') }} as cases
    inner join (
        select min(low_date) as low_date, max(high_date) as high_date
        from {{ source('audit', 'as_of') }}
    ) as moves
        on moves.low_date < moves.high_date
        and cases.matures_on between moves.low_date - 30 and moves.high_date
    union
    select cases_of_customers.closed_loop_case_id
    from {{ ref('fct_closed_loop_cases') }} as cases_of_customers
    where cases_of_customers.customer_key = any(array(
            select cast(key as uuid) from {{ dirty('customer_records.customer_key') }} as records
            union
            select cast(key as uuid) from {{ dirty('dim_customers.customer_key') }} as customers
        ))
{% endraw %}{% endset %}

{{ config(
    unique_key='closed_loop_case_id',
    meta={'rebuild_when': rebuild_when},
    indexes=[{'columns': ['closed_loop_case_id']}, {'columns': ['customer_key']}],
) }}

with

as_of as (
    select
        as_of_date,
        {{ end_of_reporting_date('as_of_date') }} as as_of_end
    from (select {{ as_of_date() }} as as_of_date) as dates
),

-- Who has unsubscribed since is not called any more.
overdue_cases as (
    select
        cases.*,
        as_of.as_of_date,
        as_of.as_of_end
    from {{ ref('fct_closed_loop_cases') }} as cases
    inner join {{ ref('dim_customers') }} as customers
        on customers.customer_key = cases.customer_key
        and customers.is_current
        and customers.may_be_contacted is not false
    inner join as_of
        on cases.matures_on between as_of.as_of_date - 29 and as_of.as_of_date
    where cases.contactability = 'contactable'
        and cases.first_contact_at is null
        and {{ to_rebuild('cases.closed_loop_case_id') }}
),

-- The CRM's page before the ticket system's.
records_ranked as (
    select
        records.*,
        row_number() over (
            partition by records.customer_key
            order by
                records.record_kind collate "C",
                records.record_url is null,
                records.source_system collate "C",
                length(records.record_id),
                records.record_id collate "C"
        ) as record_rank
    from {{ ref('customer_records') }} as records
    where records.customer_key in (select overdue_cases.customer_key from overdue_cases)
),

closed_loop_overdue as (
    select
        cases.closed_loop_case_id,
        cases.customer_key,
        records.source_system,
        records.record_kind,
        records.record_id,
        records.record_url,
        cases.survey_id,
        cases.journey_stage,
        cases.touchpoint,
        cases.owner_area,
        cases.score,
        trim_scale(
            round(extract(epoch from cases.as_of_end - cases.due_at) / 3600, 2)
        ) as overdue_hours,
        cases.as_of_date,
        cases.finished_at,
        cases.due_at
    from overdue_cases as cases
    left join records_ranked as records
        on records.customer_key = cases.customer_key
        and records.record_rank = 1
)

select * from closed_loop_overdue
