"""What a correct warehouse must say about a sample, counted from the plan.

In: a plan with its faults. Out: the content of truth.json. Only rows delivered by the
last night count; nothing is read back from files or from a warehouse.
"""

from include.sample_exports.local_days import NEVER
from include.sample_exports.plan import Plan
from include.sample_exports.tickets import count_ticket_statuses
from include.sample_exports.truth_answers import describe_customers, list_answers
from include.sample_exports.truth_attribution import (
    attribute,
    keep_latest,
    keep_latest_tickets,
)
from include.sample_exports.truth_counts import (
    count_faults,
    count_rows,
    count_touchpoints,
)
from include.sample_exports.truth_scores import (
    Record,
    count_excluded,
    score_ces,
    score_csat,
    score_nps,
)


def count_truth(plan: Plan) -> Record:
    """Everything that truth.json says but the parameters."""
    responses = keep_latest(plan.listening.response_rows, "response")
    answers = list_answers(plan, responses)
    describe_customers(plan, answers)
    attribution = attribute(plan, answers)
    answers["journey_stage"] = attribution["journey_stage"]
    answers["experience_channel"] = attribution["experience_channel"]
    counted = answers.loc[answers["reason"] == ""]
    tickets = keep_latest_tickets(plan)
    contacts = plan.world.contacts
    is_merged = contacts["merged_night"] != NEVER
    is_shown = plan.world.is_shown
    rows = count_rows(plan)
    return {
        "nps": list(score_nps(counted.loc[counted["metric"] == "nps"])),
        "csat": list(score_csat(counted.loc[counted["metric"] == "csat"])),
        "ces": list(score_ces(counted.loc[counted["metric"] == "ces"])),
        "excluded": count_excluded(answers),
        "tickets": count_ticket_statuses(tickets["status"].to_numpy()),
        "touchpoints": count_touchpoints(plan, tickets),
        "customers_known": int((~is_merged & is_shown).sum()),
        "merged_contacts": int(is_merged.sum())
        + int((contacts["earlier_merged_id"] > 0)[is_shown].sum()),
        "rejects": {"hubspot.activities": 1},
        "rows": rows,
        "orders": int(plan.journeys.order_rows["record_id"].nunique()),
        "deliveries": int(plan.journeys.delivery_rows["record_id"].nunique()),
        "returns": int(plan.journeys.return_rows["record_id"].nunique()),
        "deals": int(plan.journeys.deal_rows["deal_id"].nunique()),
        "responses": len(responses),
        "faults": count_faults(plan, responses, answers),
    }
