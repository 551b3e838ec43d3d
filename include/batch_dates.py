"""Which day's exports a run loads.

A night's run starts after the day is over: the run of 02:00 on 21 November covers the
interval from 02:00 on the 20th, and loads the exports of the 20th.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NIGHT_STARTS = time(2, 0)


def find_batch_date(
    interval_start: datetime | None, run_after: datetime, time_zone: str
) -> date:
    """Return the batch date of a run.

    Parameters
    ----------
    interval_start : start of the run's data interval; None when somebody started the
        run without a date
    run_after : when the run was due, or was started
    time_zone : the reporting time zone, whose dates count
    """
    zone = ZoneInfo(time_zone)
    if interval_start is not None:
        return interval_start.astimezone(zone).date()
    return run_after.astimezone(zone).date() - timedelta(days=1)


def find_data_interval(batch_date: date, time_zone: str) -> tuple[datetime, datetime]:
    """Return the half-open interval [start, end) of the run that loads this day."""
    zone = ZoneInfo(time_zone)
    return (
        datetime.combine(batch_date, NIGHT_STARTS, zone),
        datetime.combine(batch_date + timedelta(days=1), NIGHT_STARTS, zone),
    )
