{#
    What the scores share: the answers that count, their cuts, the periods that belong to
    one another, and which periods to rebuild.
#}

{# Answers of one metric that count, on the days that the daily mart rebuilds. Those of a
   confidential survey are in no daily mart. #}
{% macro counted_answers(metric) -%}
select
        answers.answered_date,
        answers.survey_kind,
        answers.survey_id,
        coalesce(answers.journey_stage, '(unknown)') as journey_stage,
        coalesce(answers.experience_channel, '(unknown)') as experience_channel,
        coalesce(answers.segment, '(unknown)') as segment,
        coalesce(answers.country, '(unknown)') as country,
        answers.score,
        answers.is_top_box
    from {{ ref('fct_survey_responses') }} as answers
    inner join {{ ref('surveys') }} as surveys
        on surveys.survey_id = answers.survey_id
        and surveys.anonymity <> 'confidential'
    where answers.is_counted
        and answers.metric = '{{ metric }}'
        and {{ to_rebuild('answers.answered_date', 'date') }}
{%- endmacro %}

{#
    Answers that count, one row for each metric that they are counted in: a CES answer is
    one of the mean and one of the easy share. test_value is what a test of a change
    averages: +1, 0, -1 for the NPS, 1 or 0 for a share, the score itself for the CES.
#}
{% macro score_answers() -%}
select
        measures.measure as metric,
        answers.survey_kind,
        surveys.anonymity = 'confidential' as is_confidential,
        answers.customer_key,
        coalesce(answers.journey_stage, '(unknown)') as journey_stage,
        coalesce(answers.touchpoint, '(unknown)') as touchpoint,
        coalesce(answers.experience_channel, '(unknown)') as experience_channel,
        coalesce(touchpoints.environment, '(unknown)') as environment,
        coalesce(touchpoints.owner_area, '(unknown)') as owner_area,
        coalesce(answers.segment, '(unknown)') as segment,
        coalesce(answers.country, '(unknown)') as country,
        '(unknown)' as product,
        coalesce(answers.language, '(unknown)') as language,
        answers.survey_id as survey,
        answers.score,
        coalesce(answers.is_top_box, false) as is_top_box,
        case measures.measure
            when 'nps'
                then cast(answers.score >= 9 as integer) - cast(answers.score <= 6 as integer)
            when 'ces' then answers.score
            else cast(coalesce(answers.is_top_box, false) as integer)
        end as test_value,
        answers.answered_date
    from {{ ref('fct_survey_responses') }} as answers
    inner join (
        values ('nps', 'nps'), ('csat', 'csat'), ('ces', 'ces'), ('ces', 'easy_share')
    ) as measures (metric, measure)
        on measures.metric = answers.metric
    inner join {{ ref('surveys') }} as surveys
        on surveys.survey_id = answers.survey_id
    left join {{ ref('dim_touchpoints') }} as touchpoints
        on touchpoints.touchpoint = answers.touchpoint
    where answers.is_counted
{%- endmacro %}

{# The attributes of an answer by which scores are broken down, beside the total. #}
{% macro score_attributes() -%}
    {{ return([
        'journey_stage', 'touchpoint', 'experience_channel', 'environment', 'owner_area',
        'segment', 'country', 'product', 'language', 'survey',
    ]) }}
{%- endmacro %}

{# Every row once in each breakdown. #}
{% macro score_cuts(alias) -%}
cross join lateral (
        values
            ('total', '(all)')
            {%- for attribute in score_attributes() %},
            ('{{ attribute }}', {{ alias }}.{{ attribute }})
            {%- endfor %}
    ) as cuts (breakdown, breakdown_value)
{%- endmacro %}

{# The key of a score; a confidential pool's says so. #}
{% macro score_period_key() -%}
concat_ws(
            '|',
            metric, survey_kind, case when is_confidential then 'confidential' end,
            period_key, breakdown, breakdown_value
        )
{%- endmacro %}

{# The first day of the period that a period is compared with, or, with sign '+', of the
   one that is compared with it. An ISO week's last year is 364 days earlier. #}
{% macro compared_period_start(period_start, period_grain, comparison, sign='-') -%}
cast(
            {{ period_start }} {{ sign }} case
                {%- if comparison == 'previous' %}
                when {{ period_grain }} = 'week' then interval '7 days'
                when {{ period_grain }} = 'month' then interval '1 month'
                else interval '3 months'
                {%- else %}
                when {{ period_grain }} = 'week' then interval '364 days'
                else interval '1 year'
                {%- endif %}
            end as date
        )
{%- endmacro %}

{# Days that changed, as the periods that hold them. #}
{% macro periods_of_days(place) -%}
select grains.period_grain || ':' || cast(
            date_trunc(grains.period_grain, cast(days.key as timestamp)) as date
        )
        from {{ dirty(place) }} as days
        cross join (values ('week'), ('month'), ('quarter')) as grains (period_grain)
{%- endmacro %}

{# Periods, and the ones that are compared with them: the following, and a year later. #}
{% macro with_periods_compared(query) -%}
    select changed.period_key
    from (
        {{ query }}
    ) as changed (period_key)
    {%- for comparison in ['previous', 'last_year'] %}
    union
    select split_part(changed.period_key, ':', 1) || ':' || {{ compared_period_start(
            "cast(split_part(changed.period_key, ':', 2) as date)",
            "split_part(changed.period_key, ':', 1)", comparison, '+'
        ) }}
    from (
        {{ query }}
    ) as changed (period_key)
    {%- endfor %}
{%- endmacro %}

{# Every source has delivered every day of the period. #}
{% macro is_complete_period() -%}
coalesce(
            periods.period_start >= {{ first_date() }} and periods.period_end <= {{ as_of_date() }},
            false
        )
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

{% macro previous_score_period() -%}
left join {{ ref('int_score_periods') }} as previous_periods
        on previous_periods.metric = periods.metric
        and not previous_periods.is_confidential
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
