"""Frames: how many customers were eligible for a survey in a period, by cell.

In: ``warehouse.int_survey_frames``, what is kept of it, and the periods to compute.
Out: counts by period, for one way of being eligible or several together. Everybody
counts once: as a customer in the cell of the period's last day, else in the cell of the
last day on which an event made him eligible.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import psycopg

from include.statistics import eligible_customers
from include.statistics.eligible_customers import CUSTOMER
from include.statistics.weighting import Cell

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
    if eligible_for - {CUSTOMER}:
        _add_those_of_events(connection, frames, " ".join(sorted(eligible_for)))
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


def _add_those_of_events(
    connection: psycopg.Connection, frames: dict[str, Frame], eligible_for: str
) -> None:
    """Add those with an event in each period, unless they count as customers."""
    periods = sorted(frames)
    eligible_customers.count_missing(connection, eligible_for, periods)
    rows = connection.execute(
        "select period_key, country, segment, sum(customers)"
        " from statistics.eligible_customers"
        " where eligible_for = %s and period_key = any(%s)"
        " group by period_key, country, segment",
        [eligible_for, periods],
    )
    for period_key, country, segment, customers in rows:
        frames[period_key][Cell(country, segment)] += int(customers)
