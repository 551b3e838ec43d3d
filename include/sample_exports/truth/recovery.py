"""What went wrong for customers, how soon it was put right, and what they did then.

In: a plan, what happened, and the answers. Out: rows of truth.json by local month of
the failures. Each failure is followed by itself, through what its customer did.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

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

# Judged after three days; what comes then is an outcome, for so long.
WITHIN_1_DAY, WITHIN_3_DAYS = 24 * HOUR, 72 * HOUR
OUTCOMES = 90 * DAY


@dataclass(frozen=True)
class _Failure:
    kind: str
    customer: int
    at: int
    fixed_at: int

    @property
    def fix_speed(self) -> str:
        if self.fixed_at <= self.at + WITHIN_1_DAY:
            return "within_1_day"
        if self.fixed_at <= self.at + WITHIN_3_DAYS:
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
        begin = failure.at + WITHIN_3_DAYS
        end = begin + OUTCOMES
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
    rows = contacts.deliveries
    columns = ("customer", "promised_until", "delivered_at")
    for customer, failed_at, delivered_at in zip(
        *(rows[name].tolist() for name in columns), strict=True
    ):
        if failed_at <= min(delivered_at, plan.days.end):
            yield _Failure("late_delivery", customer, failed_at, delivered_at)


def _find_tickets(plan: Plan, contacts: Contacts) -> Iterator[_Failure]:
    """Tickets; one that was reopened failed when it was solved in vain."""
    audits = plan.support.audit_rows
    moments: dict[int, dict[int, int]] = defaultdict(dict)
    for ticket, step, at in zip(
        *(audits[name].tolist() for name in ("ticket", "step", "at")), strict=True
    ):
        moments[ticket].setdefault(step, at)
    tickets = contacts.tickets.loc[contacts.tickets["status"] != DELETED]
    columns = ("ticket", "customer", "created_at", "status")
    for ticket, customer, created_at, status in zip(
        *(tickets[name].tolist() for name in columns), strict=True
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
            max(solved) if solved and status >= SOLVED else NEVER,
        )
