"""The batch date: the day on which a run's data interval starts, where it counts."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from include.batch_dates import find_batch_date, find_data_interval

SAO_PAULO = "America/Sao_Paulo"
ANY_TIME = datetime(2030, 1, 1, tzinfo=UTC)


def test_the_batch_date_is_the_day_on_which_the_interval_starts() -> None:
    start = datetime(2026, 11, 20, 2, tzinfo=ZoneInfo(SAO_PAULO))
    assert find_batch_date(start, ANY_TIME, SAO_PAULO) == date(2026, 11, 20)


def test_the_day_is_that_of_the_reporting_zone_and_not_of_utc() -> None:
    # 22:30 on the 19th in Sao Paulo is half past one on the 20th in UTC.
    start = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    assert find_batch_date(start, ANY_TIME, SAO_PAULO) == date(2026, 11, 19)
    assert find_batch_date(start, ANY_TIME, "Europe/Madrid") == date(2026, 11, 20)


def test_a_run_without_an_interval_loads_the_day_before_it_was_started() -> None:
    # 23:30 on the 20th in Sao Paulo: the last day that is over is the 19th.
    started = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
    assert find_batch_date(None, started, SAO_PAULO) == date(2026, 11, 19)
    assert find_batch_date(None, started, "UTC") == date(2026, 11, 20)


@pytest.mark.parametrize(
    "zone", [SAO_PAULO, "Europe/Madrid", "Europe/Bucharest", "UTC"]
)
@pytest.mark.parametrize(
    "day",
    # Two ordinary days, and those on which Europe changes its clocks.
    [
        date(2026, 2, 28),
        date(2026, 12, 31),
        date(2026, 3, 29),
        date(2026, 10, 25),
        date(2026, 3, 28),
        date(2026, 10, 24),
    ],
)
def test_the_interval_of_a_day_leads_back_to_this_day(day: date, zone: str) -> None:
    start, end = find_data_interval(day, zone)
    assert start < end
    assert find_batch_date(start, ANY_TIME, zone) == day
