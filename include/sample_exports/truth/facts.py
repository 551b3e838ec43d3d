"""Purchases, deliveries, returns, ticket events, reviews, and who answered about what.

In: a plan and what happened in it. Out: rows of truth.json, counts by local month.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import (
    DELIVERY_METHODS,
    LANGUAGES,
    ORDER_STATUSES,
    PRODUCT_LINES,
    RETURN_REASONS,
    SALES_CHANNELS,
)
from include.sample_exports.company.surveys import METRICS
from include.sample_exports.company.touchpoints import TOUCHPOINTS, UNKNOWN
from include.sample_exports.plan.local_days import NEVER, LocalDays
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.reviews import REVIEW_SITES
from include.sample_exports.plan.tickets import (
    CLOSE_STEP,
    CREATED_STEP,
    DELETE_STEP,
    RATE_STEP,
    REOPEN_STEP,
    REPLY_STEP,
    SOLVE_AGAIN_STEP,
    SOLVE_STEP,
)
from include.sample_exports.truth.scores import Record
from include.sample_exports.truth.touches import Contacts, keep_latest

# What the audit of each step says, as events of the warehouse.
EVENTS_OF_STEPS = {
    CREATED_STEP: ("created", "commented"),
    REPLY_STEP: ("commented", "status_changed"),
    SOLVE_STEP: ("commented", "solved"),
    REOPEN_STEP: ("commented", "reopened"),
    SOLVE_AGAIN_STEP: ("commented", "solved"),
    RATE_STEP: ("rated",),
    CLOSE_STEP: ("closed",),
    DELETE_STEP: ("deleted",),
}


def count_groups(
    rows: pd.DataFrame, keys: Mapping[str, object], sums: Mapping[str, object]
) -> list[Record]:
    """Sums by keys, in order of the keys. Values are columns, as arrays."""
    table = pd.DataFrame({**keys, **sums}, index=rows.index)
    grouped = table.groupby(list(keys), sort=True)[list(sums)].sum()
    return [
        {
            **dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True)),
            **dict(zip(sums, (int(one) for one in values), strict=True)),
        }
        for key, values in zip(grouped.index, grouped.to_numpy().tolist(), strict=True)
    ]


def name_months(days: LocalDays, at: pd.Series) -> np.ndarray:
    return np.array(days.name_months(at.to_numpy()), dtype=object)


def name(names: tuple[str, ...], codes: pd.Series) -> np.ndarray:
    """The names of codes; -1 is unknown."""
    named: np.ndarray = np.array([*names, UNKNOWN], dtype=object)[codes.to_numpy()]
    return named


def count_purchases(plan: Plan, contacts: Contacts) -> list[Record]:
    orders = contacts.orders
    return count_groups(
        orders,
        {
            "month": name_months(plan.days, orders["ordered_at"]),
            "sales_channel": name(SALES_CHANNELS, orders["channel"]),
            "product": name(PRODUCT_LINES, orders["line"]),
        },
        {
            "purchases": np.ones(len(orders), dtype=int),
            "cancelled": orders["status"] == ORDER_STATUSES.index("cancelled"),
            "total_cents": orders["total"],
            "net_cents": orders["net"],
        },
    )


def count_deliveries(plan: Plan, contacts: Contacts) -> list[Record]:
    """By local month of shipping; on time is judged by local dates.

    One that was due and has not arrived is late; before it is due, nobody knows. On the
    same day means: as it was ordered.
    """
    days, rows = plan.days, contacts.deliveries
    orders = contacts.orders.set_index("record_id")["ordered_at"]
    ordered_at = orders.reindex(rows["order_id"]).fillna(-1).to_numpy()
    is_delivered = rows["delivered_at"] < NEVER
    at = np.where(is_delivered, rows["delivered_at"], days.starts[0])
    arrived = days.count_dates(at)
    is_on_time = is_delivered & (rows["delivered_at"] < rows["promised_until"])
    return count_groups(
        rows,
        {
            "month": name_months(days, rows["shipped_at"]),
            "delivery_method": name(DELIVERY_METHODS, rows["method"]),
        },
        {
            "deliveries": np.ones(len(rows), dtype=int),
            "delivered": is_delivered,
            "on_time": is_on_time,
            "late": ~is_on_time & (is_delivered | (rows["promised_until"] <= days.end)),
            "same_day": is_delivered & (arrived == days.count_dates(ordered_at)),
        },
    )


def count_returns(plan: Plan, contacts: Contacts) -> list[Record]:
    rows = contacts.returns
    return count_groups(
        rows,
        {
            "month": name_months(plan.days, rows["at"]),
            "return_reason": name(RETURN_REASONS, rows["reason"]),
        },
        {"returns": np.ones(len(rows), dtype=int), "refund_cents": rows["refund"]},
    )


def count_ticket_events(plan: Plan, contacts: Contacts) -> list[Record]:
    """What the audits tell of the tickets that the export of tickets shows."""
    audits = plan.support.audit_rows
    audits = audits.loc[audits["ticket"].isin(contacts.tickets["ticket"])]
    frames = [
        audits.loc[audits["step"] == step].assign(event=event)
        for step, events in EVENTS_OF_STEPS.items()
        for event in events
    ]
    events = pd.concat(frames, ignore_index=True)
    return count_groups(
        events,
        {"month": name_months(plan.days, events["at"]), "event_type": events["event"]},
        {"events": np.ones(len(events), dtype=int)},
    )


def count_reviews(plan: Plan) -> list[Record]:
    reviews = keep_latest(plan.listening.review_rows, "review")
    orders = plan.journeys.order_rows["record_id"]
    return count_groups(
        reviews,
        {
            "month": name_months(plan.days, reviews["published_at"]),
            "site": name(REVIEW_SITES, reviews["site"]),
            "rating": reviews["rating"],
            "language": name(LANGUAGES, reviews["language"]),
        },
        {
            "reviews": np.ones(len(reviews), dtype=int),
            "replied": reviews["replied_at"] < NEVER,
            "with_text": reviews["body"] >= 0,
            "with_order": reviews["order_id"].isin(orders),
        },
    )


def count_coverage(
    plan: Plan, contacts: Contacts, answers: pd.DataFrame
) -> list[Record]:
    """Touches, delivered invitations that they sent, and responses about them."""
    names = np.array([one.name for one in TOUCHPOINTS], dtype=object)
    touches = contacts.touches
    touched = pd.DataFrame(
        {
            "month": name_months(plan.days, touches["at"]),
            "touchpoint": names[touches["touchpoint"]],
            "touches": 1,
        }
    )
    invitations = plan.listening.invitations
    end = plan.days.end
    sent = invitations.loc[
        invitations["is_triggered"]
        & (invitations["bounced_at"] >= end)
        & (invitations["failed_at"] >= end)
    ]
    codes = pd.concat(
        [
            contacts.orders.set_index("record_id")["touchpoint"],
            contacts.deliveries.set_index("record_id")["touchpoint"],
        ]
    )
    asked = pd.DataFrame(
        {
            "month": name_months(plan.days, sent["sent_at"]),
            "touchpoint": names[codes.reindex(sent["object_id"]).to_numpy(int)],
            "invitations": 1,
        }
    )
    counted = answers.loc[(answers["reason"] == "") & ~answers["is_confidential"]]
    responses = counted.drop_duplicates("response")
    responses = responses.loc[responses["touchpoint"] != UNKNOWN]
    answered = responses[["month", "touchpoint"]].assign(responses=1)
    rows = pd.concat([touched, asked, answered], ignore_index=True).fillna(0)
    measures = ("touches", "invitations", "responses")
    return count_groups(
        rows,
        {"month": rows["month"], "touchpoint": rows["touchpoint"]},
        {measure: rows[measure].astype(int) for measure in measures},
    )


def count_attributions(answers: pd.DataFrame) -> list[Record]:
    """Answers, counted or not, by method, survey and what they are about."""
    columns = (
        *("attribution_method", "survey_id", "metric", "journey_stage", "touchpoint"),
        *("experience_channel", "environment", "owner_area", "product"),
        "stage_at_invitation",
    )
    shown = answers.loc[answers["metric"].isin(METRICS) & ~answers["is_confidential"]]
    return count_groups(
        shown,
        {column: shown[column] for column in columns},
        {
            "answers": np.ones(len(shown), dtype=int),
            "identity_conflicts": shown["is_identity_conflict"].astype(int),
        },
    )
