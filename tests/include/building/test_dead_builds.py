"""Builds whose process died are settled, in words, by the one that takes them up."""

import logging
from collections.abc import Iterator

import psycopg
import pytest

from include.audit import migrate
from include.building.dead_builds import (
    drop_what_was_put_aside,
    take_up_dead_builds,
)
from include.settings import Settings, connect


@pytest.fixture
def connection(settings: Settings) -> Iterator[psycopg.Connection]:
    """Build 1 failed in words, builds 2 and 3 died, build 4 has just begun."""
    with connect(settings) as connection:
        migrate(connection)
        connection.execute(
            "insert into audit.builds"
            " (run_id, status, loads_touched, models_rebuilt, finished_at, message)"
            " values ('night', 'failed', 1, 0, now(), 'A model failed.'),"
            " ('night', 'running', 1, 0, null, null),"
            " ('night', 'running', 1, 0, null, null),"
            " ('next night', 'running', 1, 0, null, null)"
        )
        yield connection


def test_a_build_whose_process_died_is_reported_by_the_next_in_words(
    connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert take_up_dead_builds(connection, 4) == [2, 3]
    told = [
        f"The process of build {dead} died before its end: build 4 has taken up what it"
        " left undone; marts stayed as they were."
        for dead in (2, 3)
    ]
    assert [record.message for record in caplog.records] == told
    assert connection.execute(
        "select status, finished_at is not null, message from audit.builds"
        " order by build_id"
    ).fetchall() == [
        ("failed", True, "A model failed."),
        ("failed", True, told[0]),
        ("failed", True, told[1]),
        ("running", False, None),
    ]


def test_where_no_build_died_nothing_is_said(
    connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    take_up_dead_builds(connection, 4)
    caplog.clear()
    assert take_up_dead_builds(connection, 4) == []
    assert caplog.records == []


def test_what_a_dead_build_had_put_aside_goes_with_the_views_that_read_it(
    connection: psycopg.Connection,
) -> None:
    for statement in (
        "create table warehouse.stages (id text)",
        "create view warehouse.of_stages as select * from warehouse.stages",
        "alter table warehouse.stages rename to stages__dbt_backup",
        "create table warehouse.stages (id text)",
        "create view warehouse.new_of_stages as select * from warehouse.stages",
        "create view staging.stages as select 1 as one",
        "alter view staging.stages rename to stages__dbt_backup",
        "create table warehouse.stages_x_dbt_backup (id text)",
    ):
        connection.execute(statement)
    assert drop_what_was_put_aside(connection) == [
        "staging.stages__dbt_backup",
        "warehouse.stages__dbt_backup",
    ]
    left = connection.execute(
        "select relname from pg_class where relname ~ 'stages'"
        " and relkind in ('r', 'v') order by 1"
    )
    assert left.fetchall() == [
        ("new_of_stages",),
        ("stages",),
        ("stages_x_dbt_backup",),
    ]
    assert drop_what_was_put_aside(connection) == []
