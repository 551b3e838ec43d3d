"""Which day's exports a run loads.

A night's run starts after the day is over: the run of 02:00 on 21 November covers the
interval from 02:00 on the 20th, and loads the exports of the 20th.
"""

from datetime import UTC, date, datetime, time, timedelta
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
    """Return the half-open interval [start, end) of the run that loads this day, in
    UTC."""
    next_day = batch_date + timedelta(days=1)
    return (
        _find_moment(batch_date, NIGHT_STARTS, time_zone),
        _find_moment(next_day, NIGHT_STARTS, time_zone),
    )


def find_deadline(batch_date: date, local_time: time, time_zone: str) -> datetime:
    """Return until when the night that loads this day waits for its exports."""
    return _find_moment(batch_date + timedelta(days=1), local_time, time_zone)


def find_last_night(now: datetime, local_time: time, time_zone: str) -> date:
    """Return the last batch date whose exports are due: their deadline is over."""
    day = now.astimezone(ZoneInfo(time_zone)).date() - timedelta(days=1)
    while find_deadline(day, local_time, time_zone) > now:
        day -= timedelta(days=1)
    return day


def _find_moment(day: date, local_time: time, time_zone: str) -> datetime:
    """Return when a clock shows this time, as Airflow's timetable has it, in UTC.

    A time that comes twice, when clocks go back, is the second one; one that is left
    out, when they go forward, is that much later. Both are the later of two readings.
    """
    moment = datetime.combine(day, local_time, ZoneInfo(time_zone))
    return max(moment.astimezone(UTC), moment.replace(fold=1).astimezone(UTC))
