"""What goes wrong between the vendors and the warehouse, planted on purpose.

In: a plan. Out: the same plan with late, corrected, repeated and odd rows, counted in
`plan.planted`. Every fault is there at least once, in the smallest sample too.
Contacts that merge, leave or change segment are planned in `world`; strangers in
`journeys` and `tickets`; repeated page rows come with the pages.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.surveys import (
    DRIVERS,
    METRICS,
    NOBODY,
    NORMAL,
    PREVIEW,
    PREVIEW_CHANNEL,
    PURCHASE,
    SCALES,
    SPAM,
    SUPPORT,
    SURVEYS,
    TEST,
    TEST_CHANNEL,
)
from include.sample_exports.plan.draws import Stream, open_stream, pick
from include.sample_exports.plan.local_days import (
    DAY,
    HOUR,
    MINUTE,
    BoolArray,
    IntArray,
    LocalDays,
)
from include.sample_exports.plan.plan import Plan

LATEST = 5  # nights that a row may be late
LATE_SHARE = 0.02
UNKNOWN_ORDER_NUMBERS = 889_000_000
UNKNOWN_TICKET_NUMBERS = 990_000_001


def plant_faults(plan: Plan) -> None:
    """Plant every fault, in place."""
    rng = open_stream(plan.parameters.seed, Stream.FAULTS)
    _correct_orders(rng, plan)
    _spoil_responses(rng, plan)
    _repeat_answers(rng, plan)
    _lose_objects(rng, plan)
    odd = open_stream(plan.parameters.seed, Stream.ODD_LINKS)
    _take_tickets_for_others(odd, plan)
    _delay_orders(odd, plan)
    is_plain = _correct_responses(rng, plan)
    _delay_everything(rng, plan, is_plain)
    _repeat_activities(rng, plan)


def _correct_orders(rng: np.random.Generator, plan: Plan) -> None:
    """Send some orders again on a later night with another amount."""
    rows = plan.journeys.order_rows
    last = rows.drop_duplicates("record_id", keep="last")
    candidates = last.index[last["night"] <= plan.days.count - 2].to_numpy()
    chosen = pick(rng, candidates, max(1, len(candidates) // 250))
    again = rows.loc[chosen].copy()
    again["night"] = _draw_later(rng, again["night"].to_numpy(), plan.days)
    again["at"] = plan.days.at(
        again["night"].to_numpy(), rng.integers(9 * HOUR, 18 * HOUR, len(again))
    )
    for column in ("total", "net"):
        again[column] = again[column] * 9 // 10
    plan.journeys.order_rows = _merge_rows(rows, again)
    plan.planted["corrected_orders"] = len(again)


def _spoil_responses(rng: np.random.Generator, plan: Plan) -> None:
    """Add tests, previews and spam; leave questions blank; leave the scale once."""
    rows = plan.listening.response_rows
    finished = rows.index[rows["is_finished"]].to_numpy()
    finished = finished[~_is_featured(plan, rows).to_numpy()[finished]]
    models = {
        "test": (TEST, TEST_CHANNEL, 0.003),
        "preview": (PREVIEW, PREVIEW_CHANNEL, 0.004),
        "spam": (SPAM, -1, 0.003),
    }
    added = []
    for status, channel, share in models.values():
        chosen = pick(rng, finished, max(len(SURVEYS), round(share * len(finished))))
        extra = rows.loc[chosen].copy()
        extra["survey"] = np.arange(len(extra)) % len(SURVEYS)
        extra["status"] = status
        if channel >= 0:
            extra["distribution_channel"] = channel
        for column in ("contact", "invitation", "object_id", "parameter", "email"):
            extra[column] = -1
        extra["reference"], extra["reference_id"] = NOBODY, -1
        for metric in METRICS:
            is_asked = np.array([metric in survey.metrics for survey in SURVEYS])
            low, high = SCALES[metric]
            score = rng.integers(low, high + 1, len(extra))
            extra[metric] = np.where(is_asked[extra["survey"]], score, -1)
        extra[list(DRIVERS)] = -1
        added.append(extra)
    metric_of = np.array([survey.metrics[0] for survey in SURVEYS])[rows["survey"]]
    blank = pick(rng, finished, max(3, round(0.008 * len(finished))))
    for metric in METRICS:
        rows.loc[blank[metric_of[blank] == metric], metric] = -1
    # Neither blank nor ever sent again: exactly one answer is off the scale.
    purchases = rows.index[rows["survey"] == PURCHASE].to_numpy()
    purchases = np.setdiff1d(np.intersect1d(purchases, finished), blank)
    rows.loc[pick(rng, purchases, 1), "nps"] = SCALES["nps"][1] + 1
    extra = pd.concat(added)
    extra["response"] = len(rows) + np.arange(len(extra))
    plan.listening.response_rows = _merge_rows(rows, extra)


def _repeat_answers(rng: np.random.Generator, plan: Plan) -> None:
    """Let some people answer one invitation two or three times.

    The second time within a day of the first, the third after it.
    """
    rows = plan.listening.response_rows
    is_candidate = (
        (rows["invitation"] >= 0)
        & rows["is_finished"]
        & (rows["status"] == NORMAL)
        & (rows["night"] < plan.days.count - 3)
        & (rows["nps"] <= SCALES["nps"][1])
    )
    metrics = rows[list(METRICS)].max(axis=1)
    candidates = rows.index[is_candidate & (metrics >= 0)].to_numpy()
    chosen = pick(rng, candidates, max(3, round(0.004 * len(candidates))))
    seconds = rows.loc[chosen].copy()
    seconds["recorded_at"] += rng.integers(5 * MINUTE, 20 * HOUR, len(seconds))
    thirds = rows.loc[chosen[::3]].copy()
    thirds["recorded_at"] += rng.integers(25 * HOUR, 2 * DAY, len(thirds))
    again = pd.concat([seconds, thirds])
    again["started_at"] = again["recorded_at"] - 90
    again["ended_at"] = again["recorded_at"] - 1
    again["night"] = plan.days.day_of(again["recorded_at"].to_numpy())
    _change_scores(rng, again)
    again["response"] = int(rows["response"].max()) + 1 + np.arange(len(again))
    plan.listening.response_rows = _merge_rows(rows, again)


def _lose_objects(rng: np.random.Generator, plan: Plan) -> None:
    """Let a few answers be about orders and tickets that no export ever shows."""
    rows = plan.listening.response_rows
    kinds = {"order": UNKNOWN_ORDER_NUMBERS, "ticket": UNKNOWN_TICKET_NUMBERS}
    is_free = (rows["status"] == NORMAL) & ~_is_featured(plan, rows)
    for kind, number in kinds.items():
        surveys = [code for code, one in enumerate(SURVEYS) if one.object == kind]
        is_about = rows["survey"].isin(surveys) & (rows["object_id"] >= 0)
        candidates = rows.index[is_about & is_free].to_numpy()
        chosen = pick(rng, candidates, max(1, len(candidates) // 400))
        rows.loc[chosen, "object_id"] = number + chosen


def _take_tickets_for_others(rng: np.random.Generator, plan: Plan) -> None:
    """Let a few answers be about the ticket of somebody else."""
    rows = plan.listening.response_rows
    is_candidate = (
        (rows["survey"] == SUPPORT)
        & (rows["status"] == NORMAL)
        & (rows["object_id"] < UNKNOWN_TICKET_NUMBERS)
        & ~_is_featured(plan, rows)
        # The first day has hardly any other ticket.
        & (rows["night"] > 0)
    )
    candidates = rows.index[is_candidate].to_numpy()
    chosen = pick(rng, candidates, max(2, len(candidates) // 60))
    tickets = plan.support.tickets
    earlier = np.searchsorted(
        tickets["created_at"].cummax().to_numpy(), plan.days.starts[rows["night"]]
    )[chosen]
    other = rng.integers(0, 1 << 30, len(chosen)) % earlier
    number = tickets["ticket_id"].to_numpy()[other]
    is_other = tickets["contact"].to_numpy()[other] != rows.loc[chosen, "contact"]
    is_other &= tickets["contact"].to_numpy()[other] >= 0
    rows.loc[chosen[is_other], "object_id"] = number[is_other]
    plan.planted["answers_about_tickets_of_others"] = int(is_other.sum())


def _delay_orders(rng: np.random.Generator, plan: Plan) -> None:
    """Let a few orders arrive after an answer about them."""
    journeys, rows = plan.journeys, plan.listening.response_rows
    last = plan.days.count - 1
    is_candidate = (
        (rows["survey"] == PURCHASE)
        & (rows["status"] == NORMAL)
        & (rows["object_id"] >= 0)
        & (rows["object_id"] < UNKNOWN_ORDER_NUMBERS)
        & (rows["night"] < last)
    )
    candidates = rows.index[is_candidate].to_numpy()
    chosen = pick(rng, candidates, max(2, len(candidates) // 100))
    later = _draw_later(rng, rows["night"].to_numpy()[chosen], plan.days)
    arrives = pd.Series(later, rows["object_id"].to_numpy()[chosen])
    arrives = arrives.groupby(level=0).max()
    orders = journeys.order_rows
    held = arrives.reindex(orders["record_id"]).fillna(0).to_numpy().astype(np.int64)
    delayed = orders.assign(night=np.maximum(orders["night"], held))
    journeys.order_rows = delayed.sort_values("night", kind="stable", ignore_index=True)
    plan.planted["orders_after_their_answers"] = len(arrives)


def _correct_responses(rng: np.random.Generator, plan: Plan) -> BoolArray:
    """Send some responses again on a later night with other scores.

    Returns which rows have no correction and are none.
    """
    rows = plan.listening.response_rows
    is_candidate = (
        (rows["status"] == NORMAL)
        & rows["is_finished"]
        & (rows["night"] <= plan.days.count - 2)
        & (rows["nps"] <= SCALES["nps"][1])
        & (rows[list(METRICS)].max(axis=1) >= 0)
    )
    candidates = rows.index[is_candidate].to_numpy()
    chosen = pick(rng, candidates, max(2, len(candidates) // 200))
    again = rows.loc[chosen].copy()
    again["night"] = _draw_later(rng, again["night"].to_numpy(), plan.days)
    _change_scores(rng, again)
    merged = _merge_rows(rows, again)
    plan.listening.response_rows = merged
    plan.planted["corrected_responses"] = len(again)
    return ~merged["response"].isin(again["response"]).to_numpy()


def _delay_everything(
    rng: np.random.Generator, plan: Plan, is_plain: BoolArray
) -> None:
    """Deliver some activities, responses and tickets one to five nights late."""
    journeys, listening, support = plan.journeys, plan.listening, plan.support
    everything = np.ones(len(journeys.activity_rows), dtype=bool)
    journeys.activity_rows = _delay(
        rng, plan, "hubspot.activities", journeys.activity_rows, everything
    )
    responses = listening.response_rows
    is_plain &= ~_is_featured(plan, responses).to_numpy()
    is_plain &= (responses["nps"] <= SCALES["nps"][1]).to_numpy()
    listening.response_rows = _delay(
        rng, plan, "qualtrics.responses", listening.response_rows, is_plain
    )
    is_free = support.ticket_rows["ticket"].to_numpy() >= 3
    support.ticket_rows = _delay(
        rng, plan, "zendesk.tickets", support.ticket_rows, is_free
    )


def _delay(
    rng: np.random.Generator,
    plan: Plan,
    feed: str,
    rows: pd.DataFrame,
    may_be_late: BoolArray,
) -> pd.DataFrame:
    """Delay a share of the rows; leave out those that have not arrived by the end."""
    night = rows["night"].to_numpy().copy()
    last = plan.days.count - 1
    is_late = may_be_late & (rng.random(len(rows)) < LATE_SHARE)
    delay = rng.integers(1, LATEST + 1, len(rows))
    # One that arrives late and one that has not arrived, in any case.
    arriving = pick(rng, np.flatnonzero(may_be_late & (night < last)), 1)
    missing = pick(rng, np.flatnonzero(may_be_late & (night == last)), 1)
    is_late[np.concatenate([arriving, missing])] = True
    delay[arriving] = 1
    night = np.where(is_late, night + delay, night)
    has_arrived = night <= last
    plan.planted[f"late_rows.{feed}"] = int((is_late & has_arrived).sum())
    plan.planted[f"rows_not_arrived.{feed}"] = int((~has_arrived).sum())
    rows = rows.assign(night=night).loc[has_arrived]
    return rows.sort_values("night", kind="stable", ignore_index=True)


def _repeat_activities(rng: np.random.Generator, plan: Plan) -> None:
    """Write some activity rows twice into the same file."""
    rows = plan.journeys.activity_rows
    chosen = pick(rng, rows.index.to_numpy(), max(2, len(rows) // 500))
    plan.journeys.activity_rows = _merge_rows(rows, rows.loc[chosen])
    plan.planted["duplicate_rows"] = len(chosen)


def _is_featured(plan: Plan, rows: pd.DataFrame) -> pd.Series:
    return rows["contact"].isin(plan.world.featured)


def _change_scores(rng: np.random.Generator, rows: pd.DataFrame) -> None:
    """Give other scores, on the scale, to the questions that were answered."""
    for metric in METRICS:
        low, high = SCALES[metric]
        score = rows[metric].to_numpy()
        shift = rng.integers(1, high - low + 1, len(rows))
        changed = low + (score - low + shift) % (high - low + 1)
        rows[metric] = np.where(score >= 0, changed, -1)


def _draw_later(rng: np.random.Generator, night: IntArray, days: LocalDays) -> IntArray:
    """A night after `night`, at most five nights, at most the last."""
    later = night + rng.integers(1, LATEST + 1, len(night))
    arriving: IntArray = np.minimum(later, days.count - 1)
    return arriving


def _merge_rows(rows: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Rows and more rows in order of night, the new ones after those of their night."""
    merged = pd.concat([rows, more], ignore_index=True)
    return merged.sort_values("night", kind="stable", ignore_index=True)
