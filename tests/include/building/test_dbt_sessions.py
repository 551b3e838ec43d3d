"""A session of dbt's serves one node after another, each time as if it were new."""

from collections.abc import Iterator
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


class Node:
    """What dbt does for a node: it opens a session late, and closes it."""

    def __init__(self, database_url: str) -> None:
        server = conninfo_to_dict(database_url)
        self.connection = Connection(
            type="postgres",
            name="a node",
            credentials=PostgresCredentials(
                host=str(server["host"]),
                port=int(str(server["port"])),
                user=str(server["user"]),
                password=str(server["password"]),
                database=str(server["dbname"]),
                schema="warehouse",
            ),
        )

    def __enter__(self) -> Any:
        KeptSessions.open(self.connection)
        return self.connection.handle.cursor()

    def __exit__(self, *error: object) -> None:
        KeptSessions.close(self.connection)


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    yield settings.database_url
    while KeptSessions._waiting:
        KeptSessions._waiting.pop().close()


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
    with Node(url) as cursor:
        first = read_session(cursor)
        assert first[1:] == ("pg_monitor", "3MB", True, 0)
        cursor.execute("set role none")
        cursor.execute("set work_mem = '1MB'")
        cursor.execute("create temporary table mine ()")
        cursor.execute("select pg_advisory_lock(1)")
        assert read_session(cursor) != first
        cursor.connection.commit()
        cursor.execute("create table public.of_an_unfinished_node ()")
    with Node(url) as cursor:
        assert read_session(cursor) == first
        cursor.execute("select to_regclass('public.of_an_unfinished_node')")
        assert cursor.fetchone() == (None,)


def test_nodes_at_once_have_sessions_of_their_own(url: str) -> None:
    with Node(url) as one, Node(url) as other:
        assert read_session(one)[0] != read_session(other)[0]


def test_a_session_that_the_server_ended_is_replaced(url: str) -> None:
    with Node(url) as cursor:
        number = read_session(cursor)[0]
    with psycopg.connect(url) as connection:
        connection.execute("select pg_terminate_backend(%s, 5000)", [number])
    with Node(url) as cursor:
        assert read_session(cursor)[0] != number
        number = read_session(cursor)[0]
        with psycopg.connect(url) as connection:
            connection.execute("select pg_terminate_backend(%s, 5000)", [number])
    with Node(url) as cursor:
        assert read_session(cursor)[0] != number


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
    assert KeptSessions._waiting == []
    others = (
        "select count(*)::integer from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
        " and backend_type = 'client backend'"
    )
    assert fetch(warehouse, others) == [(0,)]
