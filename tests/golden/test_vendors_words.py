"""Vendors' words and times as staging reads them, by its macros on a real server."""

from collections.abc import Iterator
from datetime import date

import jinja2
import psycopg
import pytest

from include.embedded.postgres import EmbeddedPostgres
from include.settings import PROJECT_FOLDER

MACROS = (PROJECT_FOLDER / "dbt_project/macros/parsing.sql").read_text()
STATUSES = {"new": ["Não respondida", "1"], "solved": ["Resolvido", "Client's choice"]}


@pytest.fixture(scope="module")
def connection(postgres_server: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_server.url("postgres")) as opened:
        yield opened


def read(
    connection: psycopg.Connection, text: str | None, macro: str, *arguments: object
) -> object:
    """Return what a macro makes of a text."""
    macros = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(MACROS)
    expression = getattr(macros.module, macro)("sent.text", *arguments)
    row = connection.execute(
        f"select {expression} from (values (cast(%s as text))) as sent (text)", [text]
    ).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        ("Não respondida", "new"),
        ("NÃO RESPONDIDA ", "new"),
        ("1", "new"),
        ("resolvido", "solved"),
        ("Client's choice", "solved"),
        ("Não", None),
        ("", None),
        (None, None),
    ],
)
def test_a_vendor_s_word_is_the_star_s_or_nothing(
    connection: psycopg.Connection, sent: str | None, read_as: str | None
) -> None:
    assert read(connection, sent, "parse_listed", STATUSES) == read_as


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        ("2020-09-03 7:43:30", "2020-09-03 07:43:30"),
        ("2020-09-03 17:43:30", "2020-09-03 17:43:30"),
        ("2020-09-03", "2020-09-03"),
    ],
)
def test_an_hour_that_lost_its_zero_gets_it_back(
    connection: psycopg.Connection, sent: str, read_as: str
) -> None:
    assert read(connection, sent, "with_two_digit_hour") == read_as


@pytest.mark.parametrize(
    ("sent", "order", "day"),
    [
        ("9/2/2016", "DMY", date(2016, 2, 9)),
        ("9/2/2016", "MDY", date(2016, 9, 2)),
        ("29.02.2016", "DMY", date(2016, 2, 29)),
        ("29-2-2016", "DMY", date(2016, 2, 29)),
        ("29/2-2016", "DMY", None),
        ("29/2/2016", "MDY", None),
        ("29/2/16", "DMY", None),
        ("2016-02-29", "DMY", None),
        ("29/2/2016 10:00", "DMY", None),
    ],
)
def test_a_day_is_read_in_its_order_or_not_at_all(
    connection: psycopg.Connection, sent: str, order: str, day: date | None
) -> None:
    assert read(connection, sent, "parse_local_date", order) == day
