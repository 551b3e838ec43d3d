"""Local days of the reporting zone, as instants.

In: a first date, a number of days, a time zone. Out: `LocalDays`, which turns (day,
second of the day) into UTC seconds and back, for whole arrays.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max  # the instant of what has not happened; written as blank
MINUTE = 60
HOUR = 3_600
DAY = 86_400


@dataclass(frozen=True)
class LocalDays:
    """Consecutive local days, numbered from 0.

    dates : their dates
    starts : UTC seconds of each local midnight, one more than there are days
    time_zone : the IANA name of the zone
    """

    dates: tuple[date, ...]
    starts: IntArray
    time_zone: str

    @property
    def count(self) -> int:
        return len(self.dates)

    @property
    def end(self) -> int:
        """UTC second at which the last day is over."""
        return int(self.starts[-1])

    def at(self, day: IntArray, second: IntArray) -> IntArray:
        """UTC seconds of (day, second since local midnight), kept within that day."""
        moment: IntArray = np.minimum(
            self.starts[day] + second, self.starts[day + 1] - 1
        )
        return moment

    def day_of(self, at: Any) -> IntArray:
        """Day number of UTC seconds: -1 before the first, `count` after the last."""
        day: IntArray = np.searchsorted(self.starts, at, side="right") - 1
        return day

    def count_dates(self, at: IntArray) -> IntArray:
        """Days from the first date to the local date of UTC seconds, before it too."""
        day = self.day_of(at)
        zone = ZoneInfo(self.time_zone)
        for place in np.flatnonzero(day < 0):
            local = datetime.fromtimestamp(int(at[place]), tz=zone).date()
            day[place] = (local - self.dates[0]).days
        return day

    def name_months(self, at: IntArray) -> list[str]:
        """The local month of UTC seconds, as "2026-10", before the first date too."""
        first = self.dates[0]
        numbers = self.count_dates(at).tolist()
        named = {one: f"{first + timedelta(days=one):%Y-%m}" for one in set(numbers)}
        return [named[one] for one in numbers]

    def months(self) -> list[str]:
        """The month of each day, as "2026-10"."""
        return [f"{day:%Y-%m}" for day in self.dates]

    def weekdays(self) -> IntArray:
        """The weekday of each day, Monday 0."""
        return np.array([day.weekday() for day in self.dates], dtype=np.int64)


def count_local_days(first: date, days: int, time_zone: str) -> LocalDays:
    """Number `days` local days from `first` in a time zone.

    A midnight that the zone skips starts at the first instant that exists.
    """
    zone = ZoneInfo(time_zone)
    dates = tuple(first + timedelta(days=number) for number in range(days + 1))
    starts = [start_of(day, zone) for day in dates]
    return LocalDays(
        dates=dates[:-1],
        starts=np.array(starts, dtype=np.int64),
        time_zone=time_zone,
    )


def start_of(day: date, zone: ZoneInfo) -> int:
    """UTC second of the midnight with which a day begins in a zone."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
