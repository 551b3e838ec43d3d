"""The queries of gate 2: one row per score, per published relation, and of figures.

Each is one select statement for Great Expectations: it begins with `select` and has no
percent sign; its column `row_id` tells a failing row from the others.
"""

from collections.abc import Sequence

# Smaller tables lose 5 % with a handful of rows.
SMALLEST_COMPARED_TABLE = 200
FACTS = ("fct_survey_responses", "fct_tickets", "fct_touchpoints")
# Answers that the counts of a row do not account for.
UNACCOUNTED = {
    "nps": "promoters + passives + detractors - responses",
    "csat": "greatest(top_box - responses, 0) + greatest(-top_box, 0)",
    "ces": "greatest(easy - responses, 0) + greatest(-easy, 0)",
}


def compose_score_query(metric: str) -> str:
    """Compose the query of one score table; its row id is the score's key."""
    easy = ", cast(easy_share as float8) as easy_share" if metric == "ces" else ""
    return f"""select
    score_period_key as row_id,
    cast({metric} as float8) as {metric},
    cast({metric}_low_95 as float8) as {metric}_low_95,
    cast({metric}_high_95 as float8) as {metric}_high_95,
    case when responses >= 2 then
        cast(
            greatest({metric}_low_95 - {metric}, {metric} - {metric}_high_95) as float8
        )
    end as outside_interval,
    cast(responses as float8) as responses,
    case when {metric} is null and responses > 0 then 1 else 0 end as is_score_missing,
    cast({UNACCOUNTED[metric]} as float8) as unaccounted_answers{easy}
from warehouse.{metric}_scores"""


def compose_relation_query(relations: Sequence[str]) -> str:
    """Compose the query of published relations: rows built over rows published."""
    counts = " union all ".join(
        f"select '{name}' as row_id, (select count(*) from warehouse.{name}) as built,"
        f" (select count(*) from marts.{name}) as published"
        for name in relations
    )
    return (
        "select row_id, case when published >= "
        f"{SMALLEST_COMPARED_TABLE} then cast(built as float8) / published end as ratio"
        f" from ({counts}) as relations"
    )


# What a daily mart counts, and the same out of one fact.
MEASURES = {
    "nps": {
        "promoters": "cast(score >= 9 as integer)",
        "passives": "cast(score between 7 and 8 as integer)",
        "detractors": "cast(score <= 6 as integer)",
    },
    "csat": {"top_box": "cast(is_top_box as integer)"},
    "ces": {
        "easy": "cast(is_top_box as integer)",
        "score_sum": "score",
        "score_sum_squares": "score * score",
    },
}


def _compose_metric_figures(metric: str) -> str:
    """Compose the figures that hold the tables of one metric against each other."""
    measures = MEASURES[metric]
    names = ", ".join(["responses", *measures])
    negative = ", ".join(["-responses", *(f"-{name}" for name in measures)])
    of_facts = ", ".join(["-1", *(f"-({count})" for count in measures.values())])
    differ = " or ".join(f"sum({name}) <> 0" for name in ["responses", *measures])
    return f"""
    (
        select count(*) from (
            select answered_date from (
                select answered_date, {names} from warehouse.mart_{metric}_daily
                union all
                -- Confidential answers are in no daily mart.
                select answered_date, {of_facts} from warehouse.fct_survey_responses
                where is_counted and metric = '{metric}' and not is_confidential
            ) as both_sides
            group by answered_date
            having {differ}
        ) as days
    ) as {metric}_differing_days,
    (
        select count(*) from (
            select survey_kind, month from (
                select
                    survey_kind,
                    cast(date_trunc('month', answered_date) as date) as month,
                    {names}
                from warehouse.mart_{metric}_daily
                union all
                select survey_kind, period_start, {negative}
                from warehouse.{metric}_scores
                where period_grain = 'month' and breakdown = 'total'
            ) as both_sides
            group by survey_kind, month
            having {differ}
        ) as months
    ) as {metric}_differing_months,
    (
        select count(*) from (
            select survey_kind, period_key, breakdown, sum(responses) as responses
            from warehouse.{metric}_scores
            group by survey_kind, period_key, breakdown
        ) as parts
        inner join warehouse.{metric}_scores as totals
            on totals.survey_kind = parts.survey_kind
            and totals.period_key = parts.period_key
            and totals.breakdown = 'total'
        where parts.responses <> totals.responses
    ) as {metric}_differing_breakdowns"""


def compose_figures_query() -> str:
    """Compose the one row of figures; its row id is "all"."""
    metrics = ",".join(_compose_metric_figures(metric) for metric in MEASURES)
    keys = " union all ".join(
        f"select customer_key from warehouse.{name}" for name in FACTS
    )
    # Great Expectations wants a query that begins with select.
    return f"""select * from (
with

newest_batches as (
    select split_part(feed, '.', 1) as source, max(batch_date) as batch_date
    from audit.build_loads
    where is_current
    group by split_part(feed, '.', 1)
),

fact_customers as (
    select customer_key, count(*) as facts from ({keys}) as facts group by customer_key
),

answers as (
    select
        count(*) as answers,
        count(*) filter (where is_counted and (
            score is null or score < scale_min or score > scale_max
        )) as off_scale,
        count(*) filter (where answered_date > newest_batches.batch_date + 1) as future,
        count(*) filter (where not is_anonymous) as identified,
        count(*) filter (where not is_anonymous and identity_method = 'unmatched')
            as unmatched
    from warehouse.fct_survey_responses
    inner join (
        select survey_id, bool_or(anonymity = 'anonymous') as is_anonymous
        from warehouse.dim_surveys
        group by survey_id
    ) as surveys on surveys.survey_id = fct_survey_responses.survey_id
    left join newest_batches on newest_batches.source = 'qualtrics'
),

tickets as (
    select
        count(*) as tickets,
        count(*) filter (where created_date > newest_batches.batch_date + 1) as future,
        count(*) filter (where identity_method = 'unmatched') as unmatched
    from warehouse.fct_tickets
    left join newest_batches on newest_batches.source = 'zendesk'
),

touches as (
    select
        count(*) as touches,
        count(*) filter (where touchpoint = '(unmapped)') as unmapped
    from warehouse.fct_touchpoints
),

answered_days as (
    select days.answered_date, count(facts.answer_id) as answers
    from (
        select cast(newest_batches.batch_date - 7 * weeks.back as date) as answered_date
        from newest_batches
        cross join generate_series(0, 8) as weeks (back)
        where newest_batches.source = 'qualtrics'
    ) as days
    left join warehouse.fct_survey_responses as facts
        on facts.answered_date = days.answered_date
    where days.answered_date >= (
        select min(answered_date) from warehouse.fct_survey_responses
    )
    group by days.answered_date
),

usual_day as (
    select
        (array_agg(answers order by answered_date desc))[1] as newest,
        percentile_cont(0.5) within group (order by answers) as usual,
        count(*) as days
    from answered_days
)

select
    'all' as row_id,{metrics},
    answers.off_scale as answers_off_scale,
    coalesce((
        select sum(facts) from fact_customers where customer_key is null
    ), 0) as facts_without_customer,
    (
        select count(*) from fact_customers
        where customer_key is not null and not exists (
            select from warehouse.dim_customers as customers
            where customers.customer_key = fact_customers.customer_key
        )
    ) as unknown_customers,
    (
        select count(*) from (
            select customer_key from warehouse.dim_customers
            group by customer_key
            having count(*) filter (where is_current) <> 1
        ) as customers
    ) as customers_without_one_current_version,
    answers.future as future_answers,
    cast(answers.future as float8) / nullif(answers.answers, 0) as future_answer_share,
    cast(tickets.future as float8) / nullif(tickets.tickets, 0) as future_ticket_share,
    cast(touches.unmapped as float8) / nullif(touches.touches, 0) as unmapped_share,
    case when tickets.tickets >= 100 then
        cast(tickets.unmatched as float8) / tickets.tickets
    end as unmatched_ticket_share,
    case when answers.identified >= 100 then
        cast(answers.unmatched as float8) / answers.identified
    end as unmatched_answer_share,
    case when usual_day.days >= 4 and usual_day.usual >= 30 then
        usual_day.newest / usual_day.usual
    end as newest_day_ratio
from answers
cross join tickets
cross join touches
cross join usual_day
) as figures"""
