"""Nights in tests: run them, and compare the marts that come of them."""

from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from include.backfill.run import run_backfill
from include.settings import Settings, connect

Hashes = dict[str, tuple[int, str]]


def run(
    settings: Settings,
    first: date,
    last: date,
    run_id: str,
    *,
    with_tests: bool = True,
) -> list[str]:
    """Load the nights first to last as one range and publish; return the problems."""
    outcome = run_backfill(
        settings,
        first,
        last,
        run_id,
        progress=lambda line: None,
        with_tests=with_tests,
    )
    return outcome.problems


def list_days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=day) for day in range((last - first).days + 1)]


def hash_marts(settings: Settings) -> Hashes:
    """Rows and hash over all columns of all that is published, whatever their order.

    Not of data_status, mart_status and restatements, which tell when things happened.
    """
    hashes: Hashes = {}
    with connect(settings) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables"
            " where table_schema = 'marts'"
            " and table_name not in ('data_status', 'mart_status', 'restatements')"
        ).fetchall()
        for (table,) in tables:
            row = connection.execute(compose_hash_query(table)).fetchone()
            assert row is not None
            hashes[table] = row
    assert len(hashes) >= 15, "the marts are published"
    return hashes


def compose_hash_query(table: str) -> sql.Composed:
    """A query for the rows, and the hash over all columns, of a table of marts.

    By their names: a column that came later stands last in the table.
    """
    return sql.SQL(
        "select count(*), coalesce(md5(string_agg(digest, '' order by digest)), '')"
        " from (select md5(to_jsonb(published)::text) as digest"
        "  from {} as published) as digests"
    ).format(sql.Identifier("marts", table))


def fetch(settings: Settings, query: str, *arguments: object) -> list[tuple]:
    with connect(settings) as connection:
        return connection.execute(query, arguments).fetchall()


def execute(settings: Settings, statement: str) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(statement)


def find_file(settings: Settings, feed: str, batch_date: date, name: str = "*") -> Path:
    """The one export file of a feed and date that matches the name."""
    system, feed_name = feed.split(".")
    folder = Path(settings.landing_url) / system / feed_name / batch_date.isoformat()
    (path,) = folder.glob(name)
    return path
