"""Frames: how many customers were eligible for a survey in a period, by cell.

In: ``warehouse.int_survey_frames`` and the periods to compute. Out: counts by period,
for one way of being eligible or several together. Everybody counts once: as a customer
in the cell of the period's last day, else in the cell of the last day on which an event
made him eligible.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from datetime import date

import psycopg

from include.statistics.weighting import Cell

CUSTOMER = "customer"

Frame = Counter[Cell]
# Ways of being eligible; none for a survey that asks visitors.
EligibleFor = frozenset[str]


def count_eligible(
    connection: psycopg.Connection,
    eligible_for: EligibleFor,
    periods: Iterable[tuple[str, date]],
) -> dict[str, Frame]:
    """Count who was eligible in any of these ways, by period.

    Parameters
    ----------
    periods : period_key and last day
    """
    frames: dict[str, Frame] = {period_key: Counter() for period_key, _ in periods}
    if CUSTOMER in eligible_for:
        _count_customers(connection, frames, dict(periods))
    events = sorted(eligible_for - {CUSTOMER})
    if events:
        _count_events(
            connection, frames, events, with_customers=CUSTOMER in eligible_for
        )
    return frames


def _count_customers(
    connection: psycopg.Connection, frames: dict[str, Frame], ends: dict[str, date]
) -> None:
    """Add those who were customers on the last day of each period."""
    moves = connection.execute(
        "select frame_date, country, segment, sum(change)"
        " from warehouse.int_survey_frames where eligible_for = 'customer'"
        " group by frame_date, country, segment order by frame_date"
    ).fetchall()
    days = [move[0] for move in moves]
    standing: Frame = Counter()
    done = 0
    for period_key in sorted(frames, key=ends.__getitem__):
        upto = bisect_right(days, ends[period_key])
        for _, country, segment, change in moves[done:upto]:
            standing[Cell(country, segment)] += change
        done = upto
        frames[period_key] += standing


def _count_events(
    connection: psycopg.Connection,
    frames: dict[str, Frame],
    events: list[str],
    *,
    with_customers: bool,
) -> None:
    """Add those with such an event in each period, unless they count as customers."""
    rows = connection.execute(
        "with askable as ("
        " select distinct on (periods.period_key, frames.customer_key)"
        "  periods.period_key, periods.period_end, frames.customer_key,"
        "  frames.country, frames.segment"
        " from periods_computed as periods"
        " inner join warehouse.int_survey_frames as frames"
        "  on frames.frame_date between periods.period_start and periods.period_end"
        " where periods.period_key = any(%(periods)s)"
        "  and frames.eligible_for = any(%(events)s)"
        " order by periods.period_key, frames.customer_key, frames.frame_date desc"
        "), customers as ("
        " select askable.period_key, askable.customer_key from askable"
        " inner join warehouse.int_survey_frames as frames"
        "  on frames.customer_key = askable.customer_key"
        "  and frames.frame_date <= askable.period_end"
        " where %(with_customers)s and frames.eligible_for = 'customer'"
        " group by askable.period_key, askable.customer_key"
        " having sum(frames.change) > 0"
        ")"
        " select askable.period_key, askable.country, askable.segment, count(*)"
        " from askable left join customers"
        "  on customers.period_key = askable.period_key"
        "  and customers.customer_key = askable.customer_key"
        " where customers.customer_key is null"
        " group by askable.period_key, askable.country, askable.segment",
        {
            "periods": sorted(frames),
            "events": events,
            "with_customers": with_customers,
        },
    )
    for period_key, country, segment, customers in rows:
        frames[period_key][Cell(country, segment)] += customers
