"""Frames: how many customers were eligible for a survey in a period, by cell.

In: ``warehouse.int_survey_frames`` and the periods to compute. Out: counts by period,
for one way of being eligible or several together. Everybody counts once: as a customer
in the cell of the period's last day, else in the cell of the last day on which an event
made him eligible.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import psycopg

from include.statistics.weighting import Cell

CUSTOMER = "customer"

Frame = Counter[Cell]


@dataclass(frozen=True)
class CustomerMove:
    """Customers who enter a cell on a day, less those who leave it."""

    day: date
    cell: Cell
    change: int


# Ways of being eligible; none for a survey that asks visitors.
EligibleFor = frozenset[str]


def read_customer_moves(connection: psycopg.Connection) -> list[CustomerMove]:
    """How many customers entered each cell on each day, less those who left it."""
    rows = connection.execute(
        "select frame_date, country, segment, sum(change)"
        " from warehouse.int_survey_frames where eligible_for = 'customer'"
        " group by frame_date, country, segment order by frame_date"
    )
    return [
        CustomerMove(day, Cell(country, segment), int(change))
        for day, country, segment, change in rows
    ]


def count_eligible(
    connection: psycopg.Connection,
    eligible_for: EligibleFor,
    period_ends: Mapping[str, date],
    customer_moves: Sequence[CustomerMove],
) -> dict[str, Frame]:
    """Count who was eligible in any of these ways, by period.

    Parameters
    ----------
    period_ends : the last day of each period
    customer_moves : all of them, in the order of days
    """
    frames: dict[str, Frame] = {period_key: Counter() for period_key in period_ends}
    if CUSTOMER in eligible_for:
        _count_customers(frames, period_ends, customer_moves)
    events = sorted(eligible_for - {CUSTOMER})
    if events:
        _count_events(
            connection, frames, events, with_customers=CUSTOMER in eligible_for
        )
    return frames


def _count_customers(
    frames: dict[str, Frame],
    period_ends: Mapping[str, date],
    customer_moves: Sequence[CustomerMove],
) -> None:
    """Add those who were customers on the last day of each period."""
    standing: Frame = Counter()
    done = 0
    for period_key in sorted(frames, key=period_ends.__getitem__):
        while (
            done < len(customer_moves)
            and customer_moves[done].day <= period_ends[period_key]
        ):
            standing[customer_moves[done].cell] += customer_moves[done].change
            done += 1
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
        " from days_computed as periods"
        " inner join warehouse.int_survey_frames as frames"
        "  on frames.frame_date = periods.date_day"
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
