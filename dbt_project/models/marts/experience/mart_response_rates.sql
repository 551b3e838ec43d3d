{% set rebuild_when %}{% raw %}
    select cast(date_trunc('month', cast(key as date)) as date)
    from {{ dirty('mart_response_funnel.sent_date') }} as cohorts
{% endraw %}{% endset %}

{{ config(
    unique_key='response_rate_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'month_start'},
    indexes=[{'columns': ['month_start']}],
) }}

with

months as (
    select distinct
        month_start,
        cast(month_start + interval '1 month' as date) as next_month_start
    from {{ ref('dim_dates') }}
    where {{ to_rebuild('month_start', 'date') }}
),

mature_cohorts as (
    select
        cohorts.*,
        months.month_start
    from months
    inner join {{ ref('mart_response_funnel') }} as cohorts
        on cohorts.sent_date >= months.month_start
        and cohorts.sent_date < months.next_month_start
    where cohorts.is_mature
),

response_rates as (
    select
        concat_ws('|', month_start, survey_id) as response_rate_key,
        survey_kind,
        survey_id,
        to_char(month_start, 'YYYY-MM') as month_label,
        cast(sum(invited) as bigint) as invited,
        cast(sum(delivered) as bigint) as delivered,
        cast(sum(finished) as bigint) as finished,
        cast(sum(finished_late) as bigint) as finished_late,
        round(cast(sum(finished) as numeric) / nullif(sum(delivered), 0), 6) as response_rate,
        month_start,
        max(sent_date) as last_mature_sent_date
    from mature_cohorts
    group by month_start, survey_kind, survey_id
)

select * from response_rates
