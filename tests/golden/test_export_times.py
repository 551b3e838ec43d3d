"""Times as exports write them, read by the macros of staging views on a real server."""

from datetime import datetime

import jinja2
import psycopg
import pytest

from include.settings import PROJECT_FOLDER

MACROS = (PROJECT_FOLDER / "dbt_project/macros/parsing.sql").read_text()


@pytest.fixture(scope="module")
def connection(postgres_server):
    with psycopg.connect(postgres_server.url("postgres")) as opened:
        yield opened


def read_time(
    connection: psycopg.Connection, text: str, order: str, zone: str
) -> datetime | None:
    """Return the moment, in UTC, that the macro for export times makes of a text."""
    macros = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(MACROS)
    expression = macros.module.parse_export_timestamp("sent.text", order, zone)
    row = connection.execute(
        f"select ({expression}) at time zone 'UTC' from (values (%s)) as sent (text)",
        [text],
    ).fetchone()
    assert row is not None
    return row[0]


NOON = datetime(2026, 3, 4, 12, 0)
NIGHT = datetime(2026, 11, 17, 2, 30)


@pytest.mark.parametrize(
    ("text", "order", "zone", "moment"),
    [
        ("2026-03-04 12:00:00", "DMY", "UTC", NOON),
        ("2026-03-04T12:00:00Z", "DMY", "America/Sao_Paulo", NOON),
        ("2026-03-04T13:00:00+01:00", "DMY", "America/Sao_Paulo", NOON),
        ("04/03/2026 12:00:00", "DMY", "UTC", NOON),
        ("4.3.2026 12:00", "DMY", "UTC", NOON),
        ("03/04/2026 12:00:00 PM", "MDY", "UTC", NOON),
        ("3/4/2026 12:00", "MDY", "UTC", NOON),
        ("04/03/2026", "DMY", "UTC", datetime(2026, 3, 4)),
        ("2026/03/04", "MDY", "UTC", datetime(2026, 3, 4)),
        ("2026-03-04", "MDY", "America/Sao_Paulo", datetime(2026, 3, 4, 3, 0)),
        ("16/11/2026 23:30:00", "DMY", "America/Sao_Paulo", NIGHT),
        ("2026/11/16 11:30:00 PM GMT-3", "DMY", "UTC", NIGHT),
        ("2026/11/16 11:30:00 p.m. GMT-3", "DMY", "UTC", None),
        ("2026/11/17 8:00:00 AM GMT+5:30", "DMY", "America/Sao_Paulo", NIGHT),
        ("2026/11/17 2:30:00 AM GMT", "DMY", "America/Sao_Paulo", NIGHT),
        ("2026-11-17 02:30:00 UTC", "DMY", "America/Sao_Paulo", NIGHT),
        # What says no order, no zone or no time that there is.
        ("2026/11/16 11:30:00 PM EET", "DMY", "UTC", None),
        ("31/12/2026", "MDY", "UTC", None),
        ("12/31/2026", "DMY", "UTC", None),
        ("29/02/2026 10:00", "DMY", "UTC", None),
        ("16/11/26", "DMY", "UTC", None),
        ("2026/13/01", "DMY", "UTC", None),
        ("2026/11-16", "DMY", "UTC", None),
        ("45977", "DMY", "UTC", None),
        ("now", "DMY", "UTC", None),
        ("", "DMY", "UTC", None),
    ],
)
def test_a_time_is_read_as_declared_or_not_at_all(
    connection: psycopg.Connection,
    text: str,
    order: str,
    zone: str,
    moment: datetime | None,
) -> None:
    assert read_time(connection, text, order, zone) == moment
