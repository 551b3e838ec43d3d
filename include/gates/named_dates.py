"""Dates in the names of files: do they tell the date that they lie under?

In: the names of a feed's files, of loads that wait and of those in force. Out: for a
waiting load the file that tells an earlier date than it should. A feed's habit decides:
some vendors name a file after its day, some after the day on which they exported it,
most after none. A later date is an export that was made again, and is no doubt.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import psycopg

from include.errors import make_printable
from include.gates.load_history import HISTORY_DAYS

NAMED_DATE = re.compile(r"(?<!\d)(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)(?!\d)")
# So many of the newest nights must agree.
FEWEST_NIGHTS = 3


def find_misdated_files(
    connection: psycopg.Connection, feed: str, load_ids: Sequence[int]
) -> dict[int, str]:
    """Find the loads among these whose files tell another date in their names.

    Returns the first such file's name by load. Loads are judged oldest first, so that
    a range is judged like single nights.
    """
    rows = connection.execute(
        "select load_id, batch_date, load_id = any(%(waiting)s),"
        "  array_agg(path order by file_no)"
        " from audit.loads join audit.load_files using (load_id)"
        " where feed = %(feed)s and (load_id = any(%(waiting)s)"
        "  or status = 'accepted' and batch_date >= %(days)s + (select min(batch_date)"
        "   from audit.loads where load_id = any(%(waiting)s)))"
        " group by load_id order by batch_date, load_id",
        {"feed": feed, "waiting": list(load_ids), "days": -HISTORY_DAYS},
    ).fetchall()
    misdated: dict[int, str] = {}
    lags: dict[date, set[int]] = {}
    for load_id, batch_date, is_waiting, paths in rows:
        names = [path.rpartition("/")[2] for path in paths]
        if is_waiting:
            name = find_misdated_name(names, batch_date, lags)
            if name is not None:
                misdated[load_id] = make_printable(name)
                continue
        lags[batch_date] = {
            lag for name in names if (lag := read_lag(name, batch_date)) is not None
        }
    return misdated


def find_misdated_name(
    names: Sequence[str], batch_date: date, lags: Mapping[date, set[int]]
) -> str | None:
    """Return the first name that tells a date before the batch date, against the habit.

    Parameters
    ----------
    lags : how many days after their batch date the names of other nights lie
    """
    newest = [lags[day] for day in sorted(lags) if day < batch_date][-FEWEST_NIGHTS:]
    habits = set().union(*newest)
    if len(newest) < FEWEST_NIGHTS or len(habits) != 1 or not all(newest):
        return None
    (habit,) = habits
    for name in names:
        lag = read_lag(name, batch_date)
        if lag is not None and lag < min(habit, 0):
            return name
    return None


def read_lag(name: str, batch_date: date) -> int | None:
    """Return how many days after the batch date the date in a name lies, if any."""
    for year, month, day in NAMED_DATE.findall(name):
        try:
            return (date(int(year), int(month), int(day)) - batch_date) // timedelta(1)
        except ValueError:
            continue
    return None
