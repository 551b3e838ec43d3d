{#
    What the scores share: the answers that count, their cuts, the periods that belong to
    one another, and which periods to rebuild.
#}

{# Answers of one metric that count, on the days that the daily mart rebuilds. Those of a
   confidential survey are in no daily mart. #}
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
        and not is_confidential
        and metric = '{{ metric }}'
        and {{ to_rebuild('answered_date', 'date') }}
{%- endmacro %}

{# Answers that are scored together. #}
{% macro score_pool() -%}
measures.measure as metric,
        answers.survey_kind,
        answers.is_confidential
{%- endmacro %}

{# The metrics that an answer is counted in; what is asked about drivers has none. #}
{% macro score_measures() -%}
inner join (
        values ('nps', 'nps'), ('csat', 'csat'), ('ces', 'ces'), ('ces', 'easy_share')
    ) as measures (metric, measure)
        on measures.metric = answers.metric
{%- endmacro %}

{#
    Answers that count, those of a query in an incremental build, one row for each
    metric that they are counted in: a CES answer is one of the mean and one of the easy
    share. test_value is what a test of a change averages: +1, 0, -1 for the NPS, 1 or 0
    for a share, the score itself for the CES.
#}
{% macro score_answers(rebuilt_answers) -%}
select
        {{ score_pool() }},
        answers.customer_key,
        coalesce(answers.journey_stage, '(unknown)') as journey_stage,
        coalesce(answers.touchpoint, '(unknown)') as touchpoint,
        coalesce(answers.experience_channel, '(unknown)') as experience_channel,
        coalesce(answers.environment, '(unknown)') as environment,
        coalesce(answers.owner_area, '(unknown)') as owner_area,
        coalesce(answers.segment, '(unknown)') as segment,
        coalesce(answers.country, '(unknown)') as country,
        coalesce(answers.product, '(unknown)') as product,
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
        answers.answered_date,
        {{ repeat_part('answers.answered_date', 'answers.customer_key') }} as repeat_part
    from {% if is_incremental() -%}
        ({{ rebuilt_answers }})
        {%- else -%}
        {{ ref('fct_survey_responses') }}
        {%- endif %} as answers
    {{ score_measures() }}
    where answers.is_counted
{%- endmacro %}

{#
    Scores are summed in parts, so that an answer that changes costs the sums of its part: a
    day and a share of the customers (by the first bits of their key), as one number. What
    answers have to do with others of their customer is dear to count: a day has 16 parts
    of it (repeat_part). Of the plain sums it has four (score_part).
#}
{% macro repeat_part(answered_date, customer_key) -%}
(({{ answered_date }} - date '2000-01-01') * 16 + get_byte(uuid_send({{ customer_key }}), 0) / 16)
{%- endmacro %}

{% macro date_of_repeat_part(repeat_part) -%}
(date '2000-01-01' + {{ repeat_part }} / 16)
{%- endmacro %}

{% macro score_part(repeat_part) -%}
({{ repeat_part }} / 4)
{%- endmacro %}

{% macro repeat_parts_of(score_part) -%}
{{ score_part }} * 4 + generate_series(0, 3)
{%- endmacro %}

{# An answer that is counted, by its part and its customer; others have none. #}
{% macro scored_answer() -%}
case
    when is_counted and metric <> 'driver'
        then {{ repeat_part('answered_date', 'customer_key') }} || ':' || customer_key
end
{%- endmacro %}

{# The parts and the customers of answers that came, changed or went. #}
{% macro changed_score_answers() -%}
select distinct
            cast(split_part(key, ':', 1) as integer) as repeat_part,
            cast(split_part(key, ':', 2) as uuid) as customer_key
        from {{ dirty('fct_survey_responses.scored_answer') }} as answers
{%- endmacro %}

{# The repeat parts that a model rebuilds, out of its keys, as an array: answers are found
   by it by index. #}
{% macro repeat_parts_to_rebuild(out_of_key='cast(key as integer)') -%}
    {%- if is_incremental() -%}
array(
            select {{ out_of_key }}
            from {{ source('audit', 'dirty_keys') }}
            where place = '{{ this.identifier }}'
        )
    {%- endif -%}
{%- endmacro %}

{# The attributes of an answer by which scores are broken down, beside the total. #}
{% macro score_attributes() -%}
    {{ return([
        'journey_stage', 'touchpoint', 'experience_channel', 'environment', 'owner_area',
        'segment', 'country', 'product', 'language', 'survey',
    ]) }}
{%- endmacro %}

{# What is counted of answers, whoever gave them. #}
{% macro score_counts() -%}
    {{ return([
        'promoters', 'passives', 'detractors', 'top_box', 'score_sum', 'score_sum_squares',
        'responses', 'test_sum',
    ]) }}
{%- endmacro %}

{# What customers with several answers add: S and n are the sum and the number of a
   customer's answers, before and after. #}
{% macro repeat_moments() -%}
    {{ return([
        'respondents_again', 'sums_multiplied', 'sums_before_by_responses_after',
        'responses_before_by_sums_after', 'responses_multiplied',
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
{% macro score_period_key(period_key='period_key') -%}
concat_ws(
            '|',
            metric, survey_kind, case when is_confidential then 'confidential' end,
            {{ period_key }}, breakdown, breakdown_value
        )
{%- endmacro %}

{# The keys of the scores that a day's sums are part of, as marks. #}
{% macro scores_of_day() -%}
    {%- set marks = [] -%}
    {%- for grain in ['week', 'month', 'quarter'] -%}
        {%- set period_key -%}
            '{{ grain }}:' || cast(date_trunc('{{ grain }}', cast(answered_date as timestamp)) as date)
        {%- endset -%}
        {%- do marks.append({grain: score_period_key(period_key)}) -%}
    {%- endfor -%}
    {{ return(marks) }}
{%- endmacro %}

{# The scores that a model rebuilds, out of their keys: a value may hold a bar, too. #}
{% macro scores_to_rebuild() -%}
select
        key_parts[1] as metric,
        key_parts[2] as survey_kind,
        key_parts[3] is not null as is_confidential,
        key_parts[4] as period_key,
        split_part(key_parts[4], ':', 1) as period_grain,
        cast(split_part(key_parts[4], ':', 2) as date) as period_start,
        key_parts[5] as breakdown,
        key_parts[6] as breakdown_value
    from {{ source('audit', 'dirty_keys') }}
    cross join lateral regexp_match(
        key, '^([^|]*)\|([^|]*)\|(confidential)?\|?([a-z]*:[0-9-]*)\|([^|]*)\|(.*)$'
    ) as key_parts
    where place = '{{ this.identifier }}'
{%- endmacro %}

{# The days of the periods. #}
{% macro days_of_periods() -%}
select
        dates.date_day,
        grains.period_grain || ':' || grains.period_start as period_key,
        grains.period_grain,
        grains.period_start
    from {{ ref('dim_dates') }} as dates
    cross join lateral (
        values
            ('week', dates.week_start),
            ('month', dates.month_start),
            ('quarter', dates.quarter_start)
    ) as grains (period_grain, period_start)
{%- endmacro %}

{# The last day of a period. #}
{% macro period_end(periods) -%}
{{ compared_period_start(periods ~ '.period_start', periods ~ '.period_grain', 'previous', '+') }}
            - 1
{%- endmacro %}

{#
    The planner takes the attributes of an answer for independent: it expects as many groups
    as there are answers, and would sort wide text on disk. Hashing is many times as fast.
    For the model's own transaction alone, here and below.
#}
{% macro hash_all_groups() -%}
    {{ return(["set local work_mem = '256MB'", "set local enable_sort = off"]) }}
{%- endmacro %}

{# The planner cannot know how many rows a CTE has, or a night's few periods scores: where it
   expects a handful it loops over all of them for each. #}
{% macro join_by_hash() -%}
    {{ return(["set local enable_nestloop = off"]) }}
{%- endmacro %}

{# The score that a row of counts has, without its interval. #}
{% macro score_of(counts) -%}
case {{ counts }}.metric
            when 'nps' then {{ cx('nps') }}(
                {{ counts }}.promoters, {{ counts }}.passives, {{ counts }}.detractors
            )
            when 'ces' then {{ cx('ces') }}({{ counts }}.score_sum, {{ counts }}.responses)
            else {{ cx('share_percent') }}({{ counts }}.top_box, {{ counts }}.responses)
        end
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

{# Periods, and those that are compared with them: the following, and a year later. #}
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
