"""Touches, rows of the feeds and planted faults.

In: a plan. Out: counts as truth.json holds them.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.surveys import SURVEYS
from include.sample_exports.company.touchpoints import CODE_OF, TOUCHPOINTS
from include.sample_exports.export.zendesk import cut_pages
from include.sample_exports.plan.local_days import NEVER
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.tickets import DELETED
from include.sample_exports.truth.answers import REASONS
from include.sample_exports.truth.scores import Record
from include.sample_exports.truth.touches import Contacts


def count_touchpoints(plan: Plan, contacts: Contacts) -> list[Record]:
    """Touches by local month of occurrence and touchpoint."""
    months, month = np.unique(
        plan.days.name_months(contacts.touches["at"].to_numpy()), return_inverse=True
    )
    counts = np.zeros((len(months), len(TOUCHPOINTS)), dtype=np.int64)
    np.add.at(counts, (month, contacts.touches["touchpoint"].to_numpy()), 1)
    return [
        {
            "month": str(months[month]),
            "touchpoint": TOUCHPOINTS[code].name,
            "journey_stage": TOUCHPOINTS[code].stage,
            "channel": TOUCHPOINTS[code].channel,
            "touches": int(counts[month, code]),
        }
        for month, code in np.argwhere(counts)
    ]


def count_rows(plan: Plan) -> dict[str, dict[str, int]]:
    """Records in the files of every feed, and those that load."""
    contacts = plan.world.contacts
    shown = np.maximum(contacts["last_night"] - contacts["first_night"] + 1, 0)
    counts = {
        "hubspot.contacts": int(shown.sum()),
        "hubspot.companies": len(plan.world.companies) * len(plan.export_nights),
        "hubspot.deals": len(plan.journeys.deal_rows),
        "hubspot.deal_stage_history": len(plan.journeys.deal_stage_rows),
        "hubspot.orders": len(plan.journeys.order_rows),
        "hubspot.deliveries": len(plan.journeys.delivery_rows),
        "hubspot.returns": len(plan.journeys.return_rows),
        "hubspot.activities": len(plan.journeys.activity_rows) + 1,
        "qualtrics.responses": len(plan.listening.response_rows),
        "qualtrics.distributions": len(plan.listening.distribution_rows),
        "qualtrics.reviews": len(plan.listening.review_rows),
    }
    for feed, rows in _list_paged(plan).items():
        counts[feed] = len(rows) + _count_page_repeats(plan, rows)
    rejected = {"hubspot.activities": 1}
    return {
        feed: {"in_files": count, "loaded": count - rejected.get(feed, 0)}
        for feed, count in counts.items()
    }


def _list_paged(plan: Plan) -> dict[str, pd.DataFrame]:
    support = plan.support
    return {
        "zendesk.tickets": support.ticket_rows,
        "zendesk.users": support.user_rows,
        "zendesk.organizations": support.organization_rows,
        "zendesk.ticket_audits": support.audit_rows,
        "zendesk.satisfaction_ratings": support.rating_rows,
    }


def _count_page_repeats(plan: Plan, rows: pd.DataFrame) -> int:
    """Records that pages repeat: one for each page of a night but the first."""
    counts = np.bincount(rows["night"], minlength=plan.days.count)
    return sum(len(list(cut_pages(int(count), plan.page_size))) - 1 for count in counts)


def _count_lost(contacts: Contacts, responses: pd.DataFrame) -> int:
    """Responses about an object that no export shows."""
    known = {
        "order": contacts.orders["record_id"],
        "delivery": contacts.deliveries["record_id"],
        "ticket": contacts.tickets["ticket_id"],
    }
    lost = 0
    for kind, numbers in known.items():
        is_kind = np.array([one.object == kind for one in SURVEYS])
        about = responses.loc[is_kind[responses["survey"]], "object_id"]
        lost += int(((about >= 0) & ~about.isin(numbers)).sum())
    return lost


def count_faults(
    plan: Plan, happened: Contacts, responses: pd.DataFrame, answers: pd.DataFrame
) -> dict[str, object]:
    """How often each fault is in the files."""
    contacts = plan.world.contacts
    changes = plan.world.changes
    tickets, orders = happened.tickets, happened.orders
    deleted = tickets.loc[tickets["status"] == DELETED, "ticket_id"]
    about_tickets = responses.loc[
        [SURVEYS[survey].object == "ticket" for survey in responses["survey"]]
    ]
    is_shown = plan.world.is_shown
    gone = (
        is_shown
        & (contacts["last_night"] < plan.days.count - 1)
        & (contacts["merged_night"] == NEVER)
    )
    is_merged = contacts["merged_night"] != NEVER
    numbers = contacts.loc[is_shown | is_merged, "record_id"]
    users = plan.support.user_rows.drop_duplicates("user_id")
    strangers = users.loc[(users["contact"] < 0) & (users["agent"] < 0), "user_id"]
    unmapped = happened.touches["touchpoint"] == CODE_OF["(unmapped)"]
    late = {
        name.removeprefix("late_rows."): count
        for name, count in plan.planted.items()
        if name.startswith("late_rows.")
    }
    missing = {
        name.removeprefix("rows_not_arrived."): count
        for name, count in plan.planted.items()
        if name.startswith("rows_not_arrived.")
    }
    reasons = answers.drop_duplicates(["response", "reason"])["reason"].value_counts()
    return {
        "late_rows": late,
        "rows_not_arrived": missing,
        "corrected_responses": plan.planted["corrected_responses"],
        "corrected_orders": plan.planted["corrected_orders"],
        "deleted_tickets": len(deleted),
        "answers_about_deleted_tickets": int(
            about_tickets["object_id"].isin(deleted).sum()
        ),
        "answers_about_unknown_objects": _count_lost(happened, responses),
        "answers_about_tickets_of_others": plan.planted[
            "answers_about_tickets_of_others"
        ],
        "orders_after_their_answers": plan.planted["orders_after_their_answers"],
        "contacts_removed": int(gone.sum()),
        "merged_contacts": int(is_merged.sum()),
        "earlier_merged_ids": int((contacts["earlier_merged_id"] > 0)[is_shown].sum()),
        "segment_changes": int((changes["field"] == "segment").sum()),
        "repeated_page_rows": {
            feed: _count_page_repeats(plan, rows)
            for feed, rows in _list_paged(plan).items()
        },
        "duplicate_rows": plan.planted["duplicate_rows"],
        "responses_by_reason": {
            reason: int(reasons.get(reason, 0)) for reason in REASONS
        },
        "unknown_events": int(unmapped.sum()),
        "unreadable_rows": 1,
        "orders_of_unknown_contacts": int((~orders["contact_id"].isin(numbers)).sum()),
        "tickets_of_unknown_users": int(tickets["user_id"].isin(strangers).sum()),
    }
