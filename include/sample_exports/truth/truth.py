"""What a correct warehouse must say about a sample, counted from the plan.

In: a plan with its faults. Out: the content of truth.json. Only rows delivered by the
last night count; nothing is read back from files or from a warehouse.
"""

from include.sample_exports.plan.local_days import NEVER
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.tickets import count_ticket_statuses
from include.sample_exports.truth.answers import describe_customers, list_answers
from include.sample_exports.truth.attribution import attribute
from include.sample_exports.truth.changes import compare_months, explain_changes
from include.sample_exports.truth.closed_loop import count_closed_loop
from include.sample_exports.truth.counts import (
    count_faults,
    count_rows,
    count_touchpoints,
)
from include.sample_exports.truth.customers import match_respondents, meet_people
from include.sample_exports.truth.experience import (
    count_channels,
    describe_drivers,
)
from include.sample_exports.truth.facts import (
    count_attributions,
    count_coverage,
    count_deliveries,
    count_purchases,
    count_returns,
    count_reviews,
    count_ticket_events,
)
from include.sample_exports.truth.invitations import count_response_funnel
from include.sample_exports.truth.journeys import (
    count_funnel,
    count_visits,
    visit_stages,
)
from include.sample_exports.truth.loyalty import (
    count_churn,
    count_outcomes,
    count_repeats,
    sum_values,
)
from include.sample_exports.truth.recovery import count_recoveries
from include.sample_exports.truth.scores import (
    Record,
    count_excluded,
    score_ces,
    score_csat,
    score_nps,
)
from include.sample_exports.truth.service import count_contacts, count_service
from include.sample_exports.truth.themes import count_theme_mentions
from include.sample_exports.truth.touches import find_contacts, keep_latest
from include.sample_exports.truth.weights import weight_scores


def count_rows_only(plan: Plan) -> Record:
    """How many rows there are, and nothing that takes long to find out."""
    return {
        "rejects": {"hubspot.activities": 1},
        "rows": count_rows(plan),
        "responses": int(plan.listening.response_rows["response"].nunique()),
    }


def count_truth(plan: Plan) -> Record:
    """Everything that truth.json says but the parameters."""
    people = meet_people(plan)
    happened = find_contacts(plan, people)
    visits = visit_stages(happened, plan.support.audit_rows, plan.days.end)
    responses = keep_latest(plan.listening.response_rows, "response")
    responses["customer"] = match_respondents(plan, people, responses)
    responses = responses.join(attribute(plan, happened, visits, responses))
    answers = list_answers(plan, responses)
    describe_customers(plan, answers)
    is_counted = answers["reason"] == ""
    counted = answers.loc[is_counted & ~answers["is_confidential"]]
    confidential = answers.loc[is_counted & answers["is_confidential"]]
    contacts = plan.world.contacts
    is_merged = contacts["merged_night"] != NEVER
    is_shown = plan.world.is_shown
    rows = count_rows(plan)
    return {
        "nps": list(score_nps(counted.loc[counted["metric"] == "nps"])),
        "csat": list(score_csat(counted.loc[counted["metric"] == "csat"])),
        "ces": list(score_ces(counted.loc[counted["metric"] == "ces"])),
        "excluded": count_excluded(answers.loc[~answers["is_confidential"]]),
        "confidential": list(score_csat(confidential)),
        "attributions": count_attributions(answers),
        "changes": compare_months(counted),
        "themes": count_theme_mentions(plan, responses, answers),
        "movers": explain_changes(counted, "journey_stage"),
        "weighted": weight_scores(plan, counted),
        "response_funnel": count_response_funnel(plan, people),
        "journeys": count_visits(visits),
        "journey_funnel": count_funnel(visits, plan.days),
        "channels": count_channels(counted),
        "drivers": describe_drivers(counted, responses),
        "closed_loop": count_closed_loop(plan, happened, answers),
        "coverage": count_coverage(plan, happened, answers),
        "purchases_by_month": count_purchases(plan, happened),
        "deliveries_by_month": count_deliveries(plan, happened),
        "returns_by_month": count_returns(plan, happened),
        "values_by_currency": sum_values(happened),
        "churn_by_month": count_churn(plan, happened),
        "repeat_purchases_by_month": count_repeats(plan, happened),
        "outcomes_of_deliveries": count_outcomes(plan, happened),
        "recoveries": count_recoveries(plan, happened, answers),
        "ticket_events": count_ticket_events(plan, happened),
        "service": count_service(plan, happened, responses, answers),
        "contacts": count_contacts(plan, happened),
        "reviews": count_reviews(plan),
        "tickets": count_ticket_statuses(happened.tickets["status"].to_numpy()),
        "touchpoints": count_touchpoints(plan, happened),
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
        "faults": count_faults(plan, happened, responses, answers),
    }
