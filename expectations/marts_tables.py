"""Gate 2: do tables agree with each other, and with what readers saw yesterday?

Rules over the rows that ``expectations/marts_table_queries.py`` selects. What two
tables of one build say differently is a fault of a model and stops the publish. What
moved since the last publish may be a correction: it is told, and stops only where
readers would look at a breakdown without its values.
"""

from expectations.rules import Rule, Severity

BUG = "a model is wrong: compare the two tables and tell the maintainers"
MOVED = "find what changed it in audit.loads, and tell those who reported the figure"


def _rule_of_none(column: str, name: str, observed: str) -> Rule:
    return Rule(
        name=name,
        column=column,
        severity="critical",
        maximum=0,
        observed=observed,
        expected="none",
        remedy=BUG,
    )


def _rule_of_attributes(severity: Severity, rise: float, name: str) -> Rule:
    return Rule(
        name=name,
        column="unknown_rise",
        severity=severity,
        maximum=rise,
        observed="{value:.0%} more of the answers than usual have no {row_id}",
        expected=f"at most {rise:.0%} more",
        remedy="look at attribution_method and identity_method of the new answers",
    )


SUM_RULES = (
    _rule_of_none(
        "differing_periods",
        "a mart adds up to what it counts",
        "{row_id} and what it counts differ in {value:,.0f} days or months",
    ),
)
CUSTOMER_RULES = (
    _rule_of_none(
        "facts_of_other_versions",
        "a fact is of a version of its customer",
        "{value:,.0f} rows of {row_id} name a version that is not their customer's, or"
        " another segment or country than it has",
    ),
    _rule_of_none(
        "versions_apart",
        "versions of a customer follow each other",
        "{value:,.0f} versions in {row_id} overlap the next one or leave a gap",
    ),
    _rule_of_none(
        "repeated_first_purchases",
        "a customer has one first purchase",
        "{value:,.0f} customers have several first purchases in {row_id}",
    ),
    _rule_of_none(
        "repeated_open_visits",
        "a customer has one open visit in a lane",
        "{value:,.0f} customers have several open visits of a lane in {row_id}",
    ),
)
ATTRIBUTE_RULES = (
    _rule_of_attributes("critical", 0.5, "most answers tell what they told"),
    _rule_of_attributes("warning", 0.2, "answers tell what they usually tell"),
)
RESTATEMENT_RULES = (
    Rule(
        name="a score of a closed period stays in its interval",
        column="points_outside",
        severity="warning",
        maximum=0,
        observed="{row_id} moves {value:.1f} points beyond its published interval",
        expected="a score within it",
        remedy=MOVED,
    ),
    Rule(
        name="a closed period keeps its answers",
        column="answers_ratio",
        severity="warning",
        minimum=0.9,
        maximum=1.1,
        observed="{row_id} has {value:.0%} of the answers that were published",
        expected="90 % to 110 %",
        remedy=MOVED,
    ),
)
