"""Gate 2: would a reader believe this?

Three groups of rules over ``warehouse.*``, before anything is published: the score
tables row by row; the relations beside what is published now; and one row of figures
that compares tables with each other. Only counts, scores and keys of score rows are
looked at, so nothing personal reaches a report.
"""

from collections.abc import Sequence

from expectations.rules import Rule

LARGEST_FALL = 0.05
# Smaller tables lose 5 % with a handful of rows.
SMALLEST_COMPARED_TABLE = 200
# Rounding of stored doubles, in points.
TOLERANCE = 1e-6
BUG = "a model is wrong: compare the daily mart with its facts and tell the maintainers"
ASK = "ask the owner of the source whether that is right"

# The relations whose rows come from one source alone.
SOURCES = {
    "fct_survey_responses": "qualtrics",
    "fct_tickets": "zendesk",
    "mart_nps_daily": "qualtrics",
    "mart_csat_daily": "qualtrics",
    "mart_ces_daily": "qualtrics",
}


def _rule_of_range(metric: str, column: str, low: float, high: float) -> Rule:
    return Rule(
        name=f"{column} lies on its scale",
        column=column,
        severity="critical",
        minimum=low,
        maximum=high,
        observed=f"{column} is {{value}} in {{row_id}}",
        expected=f"{low:g} to {high:g}",
        remedy=f"{metric} is counted wrongly; {BUG}",
    )


def _rule_of_zero(column: str, name: str, observed: str) -> Rule:
    return Rule(
        name=name,
        column=column,
        severity="critical",
        minimum=0,
        maximum=0,
        observed=observed,
        expected="none",
        remedy=BUG,
    )


def _compose_score_rules(metric: str, low: float, high: float) -> tuple[Rule, ...]:
    # The interval of a mean knows no scale: of two answers it may reach beyond it.
    bounds = () if metric == "ces" else (f"{metric}_low_95", f"{metric}_high_95")
    return (
        *(_rule_of_range(metric, column, low, high) for column in (metric, *bounds)),
        Rule(
            name=f"{metric} lies inside its interval",
            column="outside_interval",
            severity="critical",
            maximum=TOLERANCE,
            observed=f"{metric} lies {{value}} outside its interval in {{row_id}}",
            expected="a score between its bounds from 2 answers on",
            remedy=BUG,
        ),
        Rule(
            name=f"{metric} rows have answers",
            column="responses",
            severity="critical",
            minimum=1,
            observed="{value:.0f} answers in {row_id}",
            expected="at least one",
            remedy=BUG,
        ),
        _rule_of_zero(
            "is_score_missing",
            f"every {metric} row has its score",
            f"{metric} is missing in {{row_id}}",
        ),
        _rule_of_zero(
            "unaccounted_answers",
            f"{metric} counts add up",
            "the counts differ from the answers by {value:.0f} in {row_id}",
        ),
    )


SCORE_RULES = {
    "nps": _compose_score_rules("nps", -100, 100),
    "csat": _compose_score_rules("csat", 0, 100),
    "ces": (
        *_compose_score_rules("ces", 1, 7),
        _rule_of_range("ces", "easy_share", 0, 100),
    ),
}
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


RELATION_RULES = (
    Rule(
        name="no table shrinks by more than 5 %",
        column="ratio",
        severity="critical",
        minimum=1 - LARGEST_FALL,
        observed="{row_id} has {value:.1%} of the rows that are published now",
        expected="at least 95 %",
        remedy=f"find the load that took rows away in audit.loads, and {ASK}",
    ),
)


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


FIGURE_RULES = (
    *(
        _rule_of_zero(
            f"{metric}_differing_days",
            f"the daily {metric} mart adds up to its facts",
            f"the daily {metric} mart and its facts differ on {{value:,.0f}} days",
        )
        for metric in SCORE_RULES
    ),
    *(
        _rule_of_zero(
            f"{metric}_differing_months",
            f"the {metric} scores add up to the daily mart",
            f"the {metric} scores and the daily mart differ in {{value:,.0f}} months",
        )
        for metric in SCORE_RULES
    ),
    *(
        _rule_of_zero(
            f"{metric}_differing_breakdowns",
            f"every {metric} breakdown adds up to its total",
            f"{{value:,.0f}} {metric} breakdowns do not add up to their total",
        )
        for metric in SCORE_RULES
    ),
    _rule_of_zero(
        "answers_off_scale",
        "counted answers lie on their scale",
        "{value:,.0f} counted answers lie off their scale",
    ),
    _rule_of_zero(
        "facts_without_customer",
        "every fact has a customer",
        "{value:,.0f} facts have no customer_key",
    ),
    _rule_of_zero(
        "unknown_customers",
        "every customer of a fact is in dim_customers",
        "{value:,.0f} customers of facts are not in dim_customers",
    ),
    _rule_of_zero(
        "customers_without_one_current_version",
        "every customer has one current version",
        "{value:,.0f} customers have no current version or several",
    ),
    Rule(
        name="hardly any answer lies in the future",
        column="future_answer_share",
        severity="critical",
        maximum=0.01,
        observed="{value:.1%} of the answers are dated after the newest batch",
        expected="at most 1 %",
        remedy="check the dates of the newest survey exports",
        source="qualtrics",
    ),
    Rule(
        name="no answer lies in the future",
        column="future_answers",
        severity="warning",
        maximum=0,
        observed="{value:,.0f} answers are dated after the newest batch",
        expected="none",
        remedy="check the dates of the newest survey exports",
        source="qualtrics",
    ),
    Rule(
        name="hardly any ticket lies in the future",
        column="future_ticket_share",
        severity="critical",
        maximum=0.01,
        observed="{value:.1%} of the tickets are dated after the newest batch",
        expected="at most 1 %",
        remedy="check the dates of the newest ticket exports",
        source="zendesk",
    ),
    Rule(
        name="nearly all events have a touchpoint",
        column="unmapped_share",
        severity="warning",
        maximum=0.05,
        observed="{value:.1%} of the touches have no touchpoint",
        expected="at most 5 %",
        remedy="add the new events to the seed touchpoint_rules",
        source="hubspot",
    ),
    Rule(
        name="most tickets find their customer",
        column="unmatched_ticket_share",
        severity="warning",
        maximum=0.3,
        observed="{value:.1%} of the tickets belong to nobody in the CRM",
        expected="at most 30 %",
        remedy="check external_id and e-mail of the ticket users",
        source="zendesk",
    ),
    Rule(
        name="most identified answers find their customer",
        column="unmatched_answer_share",
        severity="warning",
        maximum=0.1,
        observed="{value:.1%} of the identified answers belong to nobody in the CRM",
        expected="at most 10 %",
        remedy="check ExternalReference and RecipientEmail of the survey exports",
        source="qualtrics",
    ),
    Rule(
        name="the newest day has about as many answers as usual",
        column="newest_day_ratio",
        severity="warning",
        minimum=0.25,
        maximum=4,
        observed="the newest day has {value:.0%} of the usual answers",
        expected="25 % to 400 %",
        remedy=ASK,
        source="qualtrics",
    ),
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
                select answered_date, {of_facts} from warehouse.fct_survey_responses
                where is_counted and metric = '{metric}'
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


FACTS = ("fct_survey_responses", "fct_tickets", "fct_touchpoints")


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
