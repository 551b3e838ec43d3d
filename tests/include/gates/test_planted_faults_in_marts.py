"""Faults in built tables that no load shows: each is held or told by gate 2.

Most could only come of a wrong model: a join that loses, doubles or mixes up rows. What
constraints and data tests stop before the gate is not here. The table of all of them
stands in docs/reliability.md.
"""

from dataclasses import dataclass
from typing import Literal

import pytest

from include import night
from include.errors import GateError, PublishError
from include.gates import check_marts
from include.settings import Settings
from tests.include.gates.marts_world import ALL_KEYS, SEVERITIES, find_broken_rules
from tests.nights import execute

ANSWERS = "warehouse.fct_survey_responses"
SCORES = "warehouse.experience_scores"
# A week that is over, and of which more than thirty were published.
CLOSED = (
    f"select min(score_period_key) from {SCORES} where metric = 'csat'"
    " and breakdown = 'total' and is_complete_period and not is_confidential"
    " and sample_status = 'reportable'"
)


@dataclass(frozen=True)
class Fault:
    """How the built tables are spoilt, what the gate does, by which rule, and says."""

    statement: str
    decision: Literal["held", "warning"]
    rule: str
    words: str


FAULTS = {
    "a join to the countries loses one": Fault(
        "delete from warehouse.mart_nps_daily where country ="
        " (select min(country) from warehouse.mart_nps_daily)",
        "held",
        "figures: the daily nps mart adds up to its facts",
        "the daily nps mart and its facts differ",
    ),
    "a join doubles answers": Fault(
        f"insert into {ANSWERS} select * from {ANSWERS} where metric = 'csat'",
        "held",
        "figures: the daily csat mart adds up to its facts",
        "the daily csat mart and its facts differ",
    ),
    "a join doubles touches": Fault(
        "insert into warehouse.fct_touchpoints select * from warehouse.fct_touchpoints"
        " where advances_stage",
        "held",
        "figures: every advancing touch is in one visit",
        "do not add up to their touches",
    ),
    "a join doubles invitations": Fault(
        "update warehouse.mart_response_funnel set invited = invited + 1",
        "held",
        "sums: a mart adds up to what it counts",
        "mart_response_funnel and what it counts differ",
    ),
    "response rates count a cohort twice": Fault(
        "update warehouse.mart_response_rates set delivered = 2 * delivered",
        "held",
        "sums: a mart adds up to what it counts",
        "mart_response_rates and what it counts differ",
    ),
    "responses without an invitation are counted by answer": Fault(
        "update warehouse.mart_uninvited_responses set responses = responses + 1",
        "held",
        "sums: a mart adds up to what it counts",
        "mart_uninvited_responses and what it counts differ",
    ),
    "the journey funnel loses a segment": Fault(
        "delete from warehouse.mart_journey_funnel where segment ="
        " (select min(segment) from warehouse.mart_journey_funnel)",
        "held",
        "sums: a mart adds up to what it counts",
        "mart_journey_funnel and what it counts differ",
    ),
    "a touchpoint is gone from the listening coverage": Fault(
        "delete from warehouse.mart_listening_coverage where touchpoint = (select"
        " touchpoint from warehouse.mart_listening_coverage where touches > 0 limit 1)",
        "held",
        "sums: a mart adds up to what it counts",
        "mart_listening_coverage and what it counts differ",
    ),
    "two versions of a customer are in force on one day": Fault(
        "update warehouse.dim_customers set valid_from = valid_from - 1"
        " where valid_from > '1900-01-01'",
        "held",
        "customers: versions of a customer follow each other",
        "versions in dim_customers overlap",
    ),
    "no version of a customer is in force on a day": Fault(
        "update warehouse.dim_customers set valid_from = valid_from + 1"
        " where valid_from > '1900-01-01'",
        "held",
        "customers: versions of a customer follow each other",
        "versions in dim_customers overlap the next one or leave a gap",
    ),
    "orders are of other customers' versions": Fault(
        "update warehouse.fct_purchases set customer_version_key ="
        " (select customer_version_key from warehouse.dim_customers limit 1)",
        "held",
        "customers: a fact is of a version of its customer",
        "rows of fct_purchases name a version that is not their customer's",
    ),
    "a ticket has the country of a version that is not in force": Fault(
        "update warehouse.fct_tickets set country = 'Elsewhere' where ticket_id ="
        " (select min(ticket_id) from warehouse.fct_tickets)",
        "held",
        "customers: a fact is of a version of its customer",
        "1 rows of fct_tickets name",
    ),
    "customers have two first purchases": Fault(
        "update warehouse.fct_purchases set is_first_purchase = true",
        "held",
        "customers: a customer has one first purchase",
        "customers have several first purchases",
    ),
    "customers have two open visits of a lane": Fault(
        "update warehouse.fct_journey_stage_visits set is_open = true"
        " where lane = 'buying'",
        "held",
        "customers: a customer has one open visit in a lane",
        "customers have several open visits",
    ),
    "the segments of answers are gone": Fault(
        f"update {ANSWERS} set segment = null",
        "held",
        "attributes: most answers tell what they told",
        "more of the answers than usual have no segment",
    ),
    "a third of the answers have no stage": Fault(
        f"update {ANSWERS} set journey_stage = null"
        " where abs(hashtext(response_id)) < 2147483647 / 3",
        "warning",
        "attributes: answers tell what they usually tell",
        "more of the answers than usual have no journey_stage",
    ),
    "half of the answers have no touchpoint": Fault(
        f"update {ANSWERS} set touchpoint = null"
        " where abs(hashtext(response_id)) < 2147483647 / 2",
        "warning",
        "attributes: answers tell what they usually tell",
        "more of the answers than usual have no touchpoint",
    ),
    "the published score of a closed week moves a lot": Fault(
        f"update {SCORES} set top_box = 0, score = 0, score_low_95 = 0"
        f" where score_period_key = ({CLOSED})",
        "warning",
        "restatements: a score of a closed period stays in its interval",
        "points beyond its published interval",
    ),
    "a closed week has lost half of its answers": Fault(
        f"update {SCORES} set responses = responses / 2"
        f" where score_period_key = ({CLOSED})",
        "warning",
        "restatements: a closed period keeps its answers",
        "of the answers that were published",
    ),
    "a closed week is gone": Fault(
        f"delete from {SCORES} where score_period_key = ({CLOSED})",
        "warning",
        "restatements: a closed period keeps its answers",
        "has 0% of the answers that were published",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_built_tables_is_held_or_told(
    shared_published: Settings, name: str
) -> None:
    fault = FAULTS[name]
    broken = find_broken_rules(shared_published, fault.statement)
    assert fault.words in broken.get(fault.rule, ""), broken
    assert SEVERITIES[fault.rule] == {"held": "critical"}.get(
        fault.decision, fault.decision
    )


def test_without_a_fault_no_rule_is_broken(shared_published: Settings) -> None:
    assert find_broken_rules(shared_published, "select") == {}


def test_the_gate_holds_the_publish_and_blames_no_source(published: Settings) -> None:
    """A wrong model is nobody's export: no load is held for it."""
    for name in ("response rates count a cohort twice", "a closed week is gone"):
        execute(published, FAULTS[name].statement)
    execute(published, f"update audit.builds set gated_at = null; {ALL_KEYS}")
    with pytest.raises(GateError, match="mart_response_rates and what it") as error:
        check_marts(published, "run")
    assert error.value.source is None
    with pytest.raises(PublishError):
        night.publish(published, "run")
