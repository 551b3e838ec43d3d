"""Who was called back in time, customer by customer, answer by answer.

In: a plan, what happened, and the answers. Out: the rows of truth.json, by month.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.sample_exports.company.touchpoints import ACTIVITY_KINDS, CODE_OF
from include.sample_exports.plan.local_days import DAY, HOUR
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.tickets import (
    REPLY_STEP,
    SOLVE_AGAIN_STEP,
    SOLVE_STEP,
)
from include.sample_exports.truth.answers import look_up
from include.sample_exports.truth.customers import UNMATCHED
from include.sample_exports.truth.scores import Record
from include.sample_exports.truth.touches import Contacts

DUE_AFTER = 48 * HOUR
RECOVERS_FROM, RECOVERS_UNTIL = 7 * DAY, 180 * DAY
BAD = 6


@dataclass(frozen=True)
class _Answer:
    at: int
    score: int
    survey: int
    month: str
    contactability: str


def count_closed_loop(
    plan: Plan, contacts: Contacts, answers: pd.DataFrame
) -> list[Record]:
    """Cases by month of the answer that opened them, and what became of them."""
    counted = answers.loc[
        (answers["metric"] == "nps")
        & (answers["reason"] == "")
        & ~answers["is_confidential"]
    ].sort_values(["customer", "recorded_at"])
    counted = counted.assign(contactability=_find_contactability(plan, counted))
    outreach = _list_outreach(plan, contacts)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for customer, rows in counted.groupby("customer"):
        theirs = [
            _Answer(*row)
            for row in zip(
                rows["recorded_at"].tolist(),
                rows["score"].tolist(),
                rows["survey"].tolist(),
                rows["month"].tolist(),
                rows["contactability"].tolist(),
                strict=True,
            )
        ]
        _count_cases(counts, theirs, outreach[int(str(customer))], plan.days.end)
    names = (
        *("cases", "joined", "not_identified", "do_not_contact", "due", "in_time"),
        *("late", "never", "answered_again", "recovered"),
        *("contacted_again", "contacted_recovered"),
        *("not_contacted_again", "not_contacted_recovered"),
    )
    return [
        {"month": month, **{name: sums[name] for name in names}}
        for month, sums in sorted(counts.items())
    ]


def _find_contactability(plan: Plan, answers: pd.DataFrame) -> np.ndarray:
    """Whether the CRM knew them, and had no refusal on the day of the answer."""
    customer = answers["customer"].to_numpy()
    matched = np.where(customer < UNMATCHED, customer, -1)
    contacts = plan.world.contacts
    day = np.clip(
        answers["day"].to_numpy(),
        contacts["first_night"].to_numpy()[matched],
        contacts["last_night"].to_numpy()[matched],
    )
    has_refused = look_up(plan, "unsubscribed", matched, day) == 1
    return np.select(
        [matched < 0, has_refused], ["not_identified", "do_not_contact"], "contactable"
    )


def _list_outreach(plan: Plan, contacts: Contacts) -> dict[int, list[int]]:
    """When somebody turned to each customer: calls, mails, replies to tickets."""
    codes = [CODE_OF[kind.touchpoint] for kind in ACTIVITY_KINDS if kind.is_outreach]
    touches = contacts.touches
    touches = touches.loc[touches["touchpoint"].isin(codes), ["customer", "at"]]
    audits = plan.support.audit_rows
    audits = audits.loc[audits["step"].isin([REPLY_STEP, SOLVE_STEP, SOLVE_AGAIN_STEP])]
    customers = contacts.tickets[["ticket", "customer"]]
    replies = audits[["ticket", "at"]].merge(customers, on="ticket")
    moments: dict[int, list[int]] = defaultdict(list)
    both = pd.concat([touches, replies[["customer", "at"]]])
    for customer, at in zip(
        both["customer"].tolist(), both["at"].tolist(), strict=True
    ):
        moments[customer].append(at)
    return moments


def _count_cases(
    counts: dict[str, Counter[str]],
    answers: list[_Answer],
    outreach: list[int],
    end: int,
) -> None:
    """Open one case after the other; a bad answer joins the one that is open."""
    opened: _Answer | None = None
    contact = None
    for answer in answers:
        if answer.score > BAD:
            continue
        if (
            opened is not None
            and answer.at <= opened.at + DUE_AFTER
            and (contact is None or answer.at < contact)
        ):
            counts[opened.month]["joined"] += 1
            continue
        opened = answer
        contact = min((at for at in outreach if at > answer.at), default=None)
        _count_case(counts[answer.month], answer, contact, answers, end)


def _count_case(
    sums: Counter[str],
    case: _Answer,
    contact: int | None,
    answers: list[_Answer],
    end: int,
) -> None:
    sums["cases"] += 1
    if case.contactability != "contactable":
        sums[case.contactability] += 1
        return
    if case.at + DUE_AFTER <= end:
        sums["due"] += 1
        if contact is None:
            sums["never"] += 1
        else:
            sums["in_time" if contact <= case.at + DUE_AFTER else "late"] += 1
    following = [
        answer
        for answer in answers
        if answer.survey == case.survey
        and RECOVERS_FROM <= answer.at - case.at <= RECOVERS_UNTIL
    ]
    if not following:
        return
    recovered = following[0].score > BAD
    sums["answered_again"] += 1
    sums["recovered"] += recovered
    if contact is not None and contact <= case.at + RECOVERS_FROM:
        sums["contacted_again"] += 1
        sums["contacted_recovered"] += recovered
    elif contact is None or contact >= following[0].at:
        sums["not_contacted_again"] += 1
        sums["not_contacted_recovered"] += recovered
