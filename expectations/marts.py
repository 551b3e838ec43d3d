"""Gate 2: would a reader believe this?

Four groups of rules over ``warehouse.*``, before anything is published: what became of
the rows and keys of each feed; the score tables row by row; the relations beside what
is published now; and one row of figures that compares tables with each other. Only
counts, scores and keys of score rows are looked at, so nothing personal reaches a
report. The queries stand in ``expectations/marts_queries.py``.
"""

from collections.abc import Mapping

from expectations.rules import Rule

LARGEST_FALL = 0.05
# Rounding of stored doubles, in points.
TOLERANCE = 1e-6
BUG = "a model is wrong: compare the daily mart with its facts and tell the maintainers"
ASK = "ask the owner of the source whether that is right"

# The relations whose rows come from the sources of one role alone.
ROLES = {
    "dim_agents": "ticket",
    "dim_products": "crm",
    "experience_scores": "survey",
    "fct_customer_values": "crm",
    "fct_deliveries": "crm",
    "fct_order_values": "crm",
    "fct_purchases": "crm",
    "fct_returns": "crm",
    "fct_reviews": "survey",
    "fct_survey_invitations": "survey",
    "fct_survey_responses": "survey",
    "fct_ticket_events": "ticket",
    "fct_tickets": "ticket",
    "mart_ces_daily": "survey",
    "mart_csat_daily": "survey",
    "mart_loyalty_value": "crm",
    "mart_nps_daily": "survey",
    "mart_response_funnel": "survey",
    "mart_response_rates": "survey",
    "mart_uninvited_responses": "survey",
    "score_movers": "survey",
    "unregistered_surveys": "survey",
}


def find_source(
    suite: str, row_id: str, role: str | None, only_sources: Mapping[str, str]
) -> str | None:
    """Find the source that a failing row belongs to; None where there are several.

    Parameters
    ----------
    role : of the sources that the rule would blame, if it names one
    only_sources : the source of each role that has no more than one
    """
    if role is None and suite == "accounts":
        return row_id.split(".")[0]
    if role is None and suite == "relations":
        role = ROLES.get(row_id)
    return only_sources.get(role or "")


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
        Rule(
            name=f"{metric} is the score of its counts",
            column="points_off_counts",
            severity="critical",
            maximum=TOLERANCE,
            observed=f"{metric} is {{value}} off the score of its counts in {{row_id}}",
            expected="what its counts give",
            remedy=BUG,
        ),
        Rule(
            name=f"{metric} of a few confidential answers is hidden",
            column="people_told",
            severity="critical",
            observed="{value:.0f} confidential answers are shown in {row_id}",
            expected="five or more, or none",
            remedy="the suppression is wrong: tell the maintainers",
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
ACCOUNT_RULES = (
    Rule(
        name="every loaded row is staged or set aside",
        column="unaccounted_rows",
        severity="critical",
        maximum=0,
        observed="{value:,.0f} rows of {row_id} are neither staged nor set aside",
        expected="none",
        remedy=f"see rows_staged and rows_quarantined in audit.loads; {BUG}",
    ),
    Rule(
        name="every staged key is in the star or left out for a reason",
        column="lost_keys",
        severity="critical",
        maximum=0,
        observed="{value:,.0f} natural keys of {row_id} are in no table of the star",
        expected="none without a reason",
        remedy=(
            "see an example in audit.key_accounts; let a model read it, or name the"
            " reason in the feed's contract (left_out)"
        ),
    ),
)
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
    _rule_of_zero(
        "customers_with_other_visits",
        "every advancing touch is in one visit",
        "the visits of {value:,.0f} customers do not add up to their touches",
    ),
    Rule(
        name="hardly any answer lies in the future",
        column="future_answer_share",
        severity="critical",
        maximum=0.01,
        observed="{value:.1%} of the answers are dated after the newest batch",
        expected="at most 1 %",
        remedy="check the dates of the newest survey exports",
        role="survey",
    ),
    Rule(
        name="no answer lies in the future",
        column="future_answers",
        severity="warning",
        maximum=0,
        observed="{value:,.0f} answers are dated after the newest batch",
        expected="none",
        remedy="check the dates of the newest survey exports",
        role="survey",
    ),
    Rule(
        name="hardly any ticket lies in the future",
        column="future_ticket_share",
        severity="critical",
        maximum=0.01,
        observed="{value:.1%} of the tickets are dated after the newest batch",
        expected="at most 1 %",
        remedy="check the dates of the newest ticket exports",
        role="ticket",
    ),
    Rule(
        name="nearly all events have a touchpoint",
        column="unmapped_share",
        severity="warning",
        maximum=0.05,
        observed="{value:.1%} of the touches have no touchpoint",
        expected="at most 5 %",
        remedy="add the new events to the seed touchpoint_rules",
        role="crm",
    ),
    Rule(
        name="most tickets find their customer",
        column="unmatched_ticket_share",
        severity="warning",
        maximum=0.3,
        observed="{value:.1%} of the tickets belong to nobody in the CRM",
        expected="at most 30 %",
        remedy="check external_id and e-mail of the ticket users",
        role="ticket",
    ),
    Rule(
        name="most identified answers find their customer",
        column="unmatched_answer_share",
        severity="warning",
        maximum=0.1,
        observed="{value:.1%} of the identified answers belong to nobody in the CRM",
        expected="at most 10 %",
        remedy="check ExternalReference and RecipientEmail of the survey exports",
        role="survey",
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
        role="survey",
    ),
)
