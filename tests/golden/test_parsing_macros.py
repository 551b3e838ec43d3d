"""Text from exports, as the macros of staging read it; what is not sure is null."""

import os
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import jinja2
import psycopg
import pytest

from include.settings import PROJECT_FOLDER

MACROS = PROJECT_FOLDER / "dbt_project/macros/parsing.sql"


@pytest.fixture(scope="module")
def macros() -> object:
    """The macros, each a function that returns its SQL."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals["env_var"] = lambda name, default: os.environ.get(name, default)
    return environment.from_string(MACROS.read_text(encoding="utf-8")).module


def read(url: str, expression: str, text: str | None) -> object:
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        row = connection.execute(
            f"select {expression} from (select %s::text as sent) as exported", [text]
        ).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("99.33", "99.33"),
        ("99,33", "99.33"),
        ("-7", "-7"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1.234.567", "1234567"),
        ("0,125", "0.125"),
        ("1234.567", "1234.567"),
        # A thousand, or one and a bit.
        ("1.234", None),
        ("1,234", None),
        ("12,34,56", None),
        ("1.23.456,7", None),
        ("R$ 5", None),
        ("9" * 41, None),
        ("", None),
        (None, None),
    ],
)
def test_an_amount_is_read_with_a_point_or_a_comma(
    macros, database_url: str, text: str | None, amount: str | None
) -> None:
    assert read(database_url, macros.parse_amount("sent"), text) == (
        None if amount is None else Decimal(amount)
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2018-02-28", date(2018, 2, 28)),
        ("2018-02-28 00:00:00", date(2018, 2, 28)),
        ("2018-02-28T00:00:00.000Z", date(2018, 2, 28)),
        ("2018-02-28T00:00:00.000+0000", date(2018, 2, 28)),
        ("2018-02-28 00:00", date(2018, 2, 28)),
        # A time of day says that it is more than a day.
        ("2018-02-28 10:30:00", None),
        ("2018-02-30", None),
        ("28/02/2018", None),
        (None, None),
    ],
)
def test_a_day_may_come_with_its_midnight(
    macros, database_url: str, text: str | None, day: date | None
) -> None:
    assert read(database_url, macros.parse_day("sent"), text) == day


def test_a_day_begins_at_midnight_of_the_reporting_time_zone(
    macros, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CX_REPORTING_TIME_ZONE", "Europe/Lisbon")
    begin = macros.start_of_reporting_date("cast(sent as date)")
    assert read(database_url, begin, "2018-07-01") == datetime(
        2018, 7, 1, tzinfo=ZoneInfo("Europe/Lisbon")
    )
