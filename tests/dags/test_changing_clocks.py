"""Nights on which clocks change, and ends of months and years, as Airflow has them."""

from datetime import date, datetime, timedelta

import pytest

from include.batch_dates import find_batch_date, find_data_interval
from tests.dags.read_dags import AirflowShell

# All nights of three years, as Airflow's timetable of the nightly DAG makes them.
LIST_NIGHTS = """
import pendulum
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable

zone, first_year, last_year = {zone!r}, {first_year}, {last_year}
timetable = CronDataIntervalTimetable("0 2 * * *", timezone=zone)
restriction = TimeRestriction(
    earliest=pendulum.datetime(first_year, 1, 1, tz=zone), latest=None, catchup=True
)
answer, interval = [], None
while True:
    info = timetable.next_dagrun_info(
        last_automated_data_interval=interval, restriction=restriction
    )
    interval = info.data_interval
    if interval.start.in_timezone(zone).year > last_year:
        break
    answer.append([interval.start.isoformat(), interval.end.isoformat()])
"""


@pytest.mark.parametrize(
    ("zone", "first_year", "odd_nights"),
    [
        # Sao Paulo had summer time until February 2019, changed at midnight.
        (
            "America/Sao_Paulo",
            2017,
            {
                *("2017-02-18 25", "2017-10-14 23", "2018-02-17 25"),
                *("2018-11-03 23", "2019-02-16 25"),
            },
        ),
        # In Madrid two in the morning is left out in March, and comes twice in October.
        (
            "Europe/Madrid",
            2026,
            {
                *("2026-03-29 23", "2026-10-24 25", "2027-03-28 23", "2027-10-30 25"),
                *("2028-03-26 23", "2028-10-28 25"),
            },
        ),
        # In Bucharest it is three.
        (
            "Europe/Bucharest",
            2026,
            {
                *("2026-03-29 23", "2026-10-25 25", "2027-03-28 23", "2027-10-31 25"),
                *("2028-03-26 23", "2028-10-29 25"),
            },
        ),
    ],
)
def test_every_day_of_three_years_has_one_night_whatever_clocks_do(
    airflow_shell: AirflowShell, zone: str, first_year: int, odd_nights: set[str]
) -> None:
    last_year = first_year + 2
    nights = airflow_shell.run(
        LIST_NIGHTS.format(zone=zone, first_year=first_year, last_year=last_year)
    )
    days, odd = [], set()
    for texts in nights:
        start, end = map(datetime.fromisoformat, texts)
        day = find_batch_date(start, end, zone)
        assert find_data_interval(day, zone) == (start, end), (
            "a night started by hand has the interval of the scheduled one"
        )
        if end - start != timedelta(days=1):
            odd.add(f"{day} {(end - start).total_seconds() / 3600:.0f}")
        days.append(day)
    first, last = date(first_year, 1, 1), date(last_year, 12, 31)
    assert days == [
        first + timedelta(days=number) for number in range((last - first).days + 1)
    ]
    assert odd == odd_nights
