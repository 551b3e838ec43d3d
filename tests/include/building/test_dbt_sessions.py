"""A session of dbt's serves one node after another, each time as if it were new."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from dbt.adapters.contracts.connection import Connection
from dbt.adapters.postgres.connections import PostgresCredentials
from psycopg.conninfo import conninfo_to_dict

from include.building.dbt import Dbt
from include.building.dbt_sessions import KeptSessions
from include.settings import Settings
from tests.nights import fetch


@contextmanager
def open_node(url: str) -> Iterator[Any]:
    """Open and close a session as dbt does for a node; yield a cursor on it."""
    server = conninfo_to_dict(url)
    credentials = PostgresCredentials(
        host=str(server["host"]),
        port=int(str(server["port"])),
        user=str(server["user"]),
        password=str(server["password"]),
        database=str(server["dbname"]),
        schema="warehouse",
    )
    connection = Connection("postgres", "a node", credentials)
    KeptSessions.open(connection)
    with connection.handle.cursor() as cursor:
        yield cursor
    KeptSessions.close(connection)


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    yield settings.database_url
    KeptSessions.end_waiting()


def end_session(url: str, number: int) -> None:
    """Have the server end a session, and wait until it is gone."""
    with psycopg.connect(url) as connection:
        connection.execute("select pg_terminate_backend(%s, 5000)", [number])


def read_session(cursor: Any) -> tuple[Any, ...]:
    cursor.execute(
        "select pg_backend_pid(), current_user, current_setting('work_mem'),"
        " to_regclass('mine') is null, (select count(*) from pg_locks"
        "  where locktype = 'advisory' and pid = pg_backend_pid())"
    )
    return tuple(cursor.fetchone())


def test_a_session_is_as_new_for_the_next_node(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c role=pg_monitor -c work_mem=3MB")
    with open_node(url) as cursor:
        first = read_session(cursor)
        assert first[1:] == ("pg_monitor", "3MB", True, 0)
        cursor.execute("set role none")
        cursor.execute("set work_mem = '1MB'")
        cursor.execute("create temporary table mine ()")
        cursor.execute("select pg_advisory_lock(1)")
        assert read_session(cursor) != first
        cursor.connection.commit()
        cursor.execute("create table public.of_an_unfinished_node ()")
    with open_node(url) as cursor:
        assert read_session(cursor) == first
        cursor.execute("select to_regclass('public.of_an_unfinished_node')")
        assert cursor.fetchone() == (None,)


def test_nodes_at_once_have_sessions_of_their_own(url: str) -> None:
    with open_node(url) as one, open_node(url) as other:
        assert read_session(one)[0] != read_session(other)[0]


def test_a_session_that_the_server_ended_is_replaced(url: str) -> None:
    with open_node(url) as cursor:
        first = read_session(cursor)[0]
    end_session(url, first)
    with open_node(url) as cursor:
        second = read_session(cursor)[0]
        assert second != first
        end_session(url, second)
    with open_node(url) as cursor:
        assert read_session(cursor)[0] not in (first, second)


def test_a_build_needs_few_sessions_and_keeps_none(warehouse: Settings) -> None:
    count = (
        "select sessions::integer from pg_stat_database"
        " where datname = current_database()"
    )
    dbt = Dbt(warehouse)
    dbt.parse()
    before = fetch(warehouse, count)[0][0]
    outcomes = dbt.build(select=["dim_agents", "dim_products", "dim_accounts"])
    after = fetch(warehouse, count)[0][0]
    assert len(outcomes) > 10
    assert after - before < 7, "dbt's threads, and those who count"
    others = (
        "select count(*)::integer from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
        " and backend_type = 'client backend'"
    )
    # A session that was told to end is listed for a moment more.
    deadline = time.monotonic() + 30
    while fetch(warehouse, others) != [(0,)]:
        assert time.monotonic() < deadline, "sessions are left"
        time.sleep(0.1)
