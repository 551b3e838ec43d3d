{#
    What the three metrics share: their counted answers in daily marts; in score tables,
    which periods to rebuild, and the counts of a period beside those of the one before.
#}

{# Answers of one metric that count, on the days that the daily mart rebuilds. #}
{% macro counted_answers(metric) -%}
select
        answered_date,
        survey_kind,
        survey_id,
        coalesce(journey_stage, '(unknown)') as journey_stage,
        coalesce(experience_channel, '(unknown)') as experience_channel,
        coalesce(segment, '(unknown)') as segment,
        coalesce(country, '(unknown)') as country,
        score,
        is_top_box
    from {{ ref('fct_survey_responses') }}
    where is_counted
        and metric = '{{ metric }}'
        and {{ to_rebuild('answered_date', 'date') }}
{%- endmacro %}

{# Periods whose counts, or whose previous period's counts, changed; periods that as-of
   has completed since. #}
{% macro score_periods_to_rebuild() -%}
    select key from {{ dirty('int_score_periods.period_key') }} as changed_periods
    union
    select
        split_part(key, ':', 1) || ':' || cast(
            cast(split_part(key, ':', 2) as date)
            + case split_part(key, ':', 1)
                when 'week' then interval '7 days'
                when 'month' then interval '1 month'
                else interval '3 months'
            end as date
        )
    from {{ dirty('int_score_periods.period_key') }} as previous_periods
    union
    select completed.period_key
    from {{ ref('int_score_periods') }} as completed
    where {{ completeness_may_have_changed('completed.period_start', 'completed.period_end') }}
{%- endmacro %}

{% macro score_period_columns() -%}
periods.score_period_key,
        periods.period_key,
        periods.survey_kind,
        periods.period_grain,
        case periods.period_grain
            when 'week' then to_char(periods.period_start, 'IYYY-"W"IW')
            when 'month' then to_char(periods.period_start, 'YYYY-MM')
            else to_char(periods.period_start, 'YYYY-"Q"Q')
        end as period_label,
        periods.breakdown,
        periods.breakdown_value
{%- endmacro %}

{# Every source has delivered every day of the period. #}
{% macro is_complete_period() -%}
coalesce(
            periods.period_start >= {{ first_date() }} and periods.period_end <= {{ as_of_date() }},
            false
        )
{%- endmacro %}

{% macro previous_score_period() -%}
left join {{ ref('int_score_periods') }} as previous_periods
        on previous_periods.metric = periods.metric
        and previous_periods.survey_kind = periods.survey_kind
        and previous_periods.breakdown = periods.breakdown
        and previous_periods.breakdown_value = periods.breakdown_value
        and previous_periods.period_key = periods.period_grain || ':' || cast(
            periods.period_start
            - case periods.period_grain
                when 'week' then interval '7 days'
                when 'month' then interval '1 month'
                else interval '3 months'
            end as date
        )
{%- endmacro %}
