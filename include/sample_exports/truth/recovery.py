"""What went wrong for customers, how soon it was put right, and what they did then.

In: a plan, what happened, and the answers. Out: rows of truth.json by local month of
the failures. Each failure is followed by itself, through what its customer did.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from include.sample_exports.plan.local_days import DAY, HOUR, NEVER
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.tickets import (
    DELETED,
    REOPEN_STEP,
    SOLVE_AGAIN_STEP,
    SOLVE_STEP,
    SOLVED,
)
from include.sample_exports.truth.loyalty import list_purchases
from include.sample_exports.truth.scores import Record
from include.sample_exports.truth.touches import Contacts

SOON, LATE = 24 * HOUR, 72 * HOUR
OUTCOMES = 90 * DAY
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class _Failure:
    kind: str
    customer: int
    at: int
    fixed_at: float

    @property
    def fix_speed(self) -> str:
        if self.fixed_at <= self.at + SOON:
            return "within_1_day"
        if self.fixed_at <= self.at + LATE:
            return "within_3_days"
        return "not_within_3_days"


def count_recoveries(
    plan: Plan, contacts: Contacts, answers: pd.DataFrame
) -> list[Record]:
    """Failures by month, kind and speed of the fix; who answered, who bought again."""
    purchases = list_purchases(contacts)
    scores = _list_scores(answers)
    counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    failures = [*_find_late_deliveries(plan, contacts), *_find_tickets(plan, contacts)]
    months = plan.days.name_months(np.array([failure.at for failure in failures]))
    for month, failure in zip(months, failures, strict=True):
        count = counts[str(month), failure.kind, failure.fix_speed]
        count["failures"] += 1
        begin, end = failure.at + LATE, failure.at + LATE + OUTCOMES
        bought = purchases.get(failure.customer, [])
        count["bought_again"] += bisect_right(bought, end) > bisect_right(bought, begin)
        following = [
            score for at, score in scores[failure.customer] if begin < at <= end
        ]
        if following:
            count["answered"] += 1
            count["promoters"] += following[0] >= 9
            count["detractors"] += following[0] <= 6
    names = ("failures", "bought_again", "answered", "promoters", "detractors")
    return [
        {
            "month": month,
            "failure_kind": kind,
            "fix_speed": speed,
            **{name: count[name] for name in names},
        }
        for (month, kind, speed), count in sorted(counts.items())
    ]


def _list_scores(answers: pd.DataFrame) -> dict[int, list[tuple[int, int]]]:
    """What customers said of recommending us after a contact, in order of time."""
    said = answers.loc[
        (answers["metric"] == "nps")
        & (answers["reason"] == "")
        & ~answers["is_confidential"]
        & (answers["survey_kind"] == "transactional")
    ].sort_values("recorded_at", kind="stable")
    scores: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for customer, at, score in zip(
        *(said[name].tolist() for name in ("customer", "recorded_at", "score")),
        strict=True,
    ):
        scores[customer].append((at, score))
    return scores


def _find_late_deliveries(plan: Plan, contacts: Contacts) -> Iterator[_Failure]:
    """Parcels that had not come when the promised day was over."""
    zone = ZoneInfo(plan.days.time_zone)
    rows = contacts.deliveries
    for customer, promised_at, delivered_at in zip(
        *(rows[name].tolist() for name in ("customer", "promised_at", "delivered_at")),
        strict=True,
    ):
        # A promise is a date as the export writes it: of UTC. Its day is local.
        after = EPOCH + timedelta(days=promised_at // DAY + 1)
        over = datetime(after.year, after.month, after.day, tzinfo=zone)
        failed_at = int(over.timestamp())
        is_delivered = delivered_at < NEVER
        if delivered_at >= failed_at if is_delivered else failed_at <= plan.days.end:
            fixed_at = delivered_at if is_delivered else float("inf")
            yield _Failure("late_delivery", customer, failed_at, fixed_at)


def _find_tickets(plan: Plan, contacts: Contacts) -> Iterator[_Failure]:
    """Tickets; one that was reopened failed when it was solved in vain."""
    audits = plan.support.audit_rows
    moments: dict[int, dict[int, int]] = defaultdict(dict)
    for ticket, step, at in zip(
        *(audits[name].tolist() for name in ("ticket", "step", "at")), strict=True
    ):
        moments[ticket].setdefault(step, at)
    tickets = contacts.tickets.loc[contacts.tickets["status"] != DELETED]
    for ticket, customer, created_at, status in zip(
        *(tickets[name].tolist() for name in ("ticket", "customer", "created_at")),
        tickets["status"].tolist(),
        strict=True,
    ):
        steps = moments[ticket]
        is_reopened = REOPEN_STEP in steps
        solved = [
            steps[step] for step in (SOLVE_STEP, SOLVE_AGAIN_STEP) if step in steps
        ]
        yield _Failure(
            "reopened_ticket" if is_reopened else "ticket",
            customer,
            steps[SOLVE_STEP] if is_reopened else created_at,
            max(solved) if solved and status >= SOLVED else float("inf"),
        )
