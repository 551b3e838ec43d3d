"""The lock that keeps builds apart does not outlive its process."""

import logging
import multiprocessing
import threading
import time

import pytest

from include.audit import migrate
from include.building.build_lock import build_lock, wait_for_others
from include.errors import BuildError
from include.settings import Settings, connect


def _hold_the_lock_in_a_long_statement(settings: Settings) -> None:
    with connect(settings) as connection, build_lock(connection):
        connection.execute("select pg_sleep(600)")


def test_a_killed_build_whose_statement_goes_on_blocks_nobody(
    settings: Settings,
) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=_hold_the_lock_in_a_long_statement, args=(settings,)
    )
    process.start()
    with connect(settings) as connection:
        at_work = (
            "select count(*) from pg_stat_activity where query ~ '^select pg_sleep'"
        )
        while connection.execute(at_work).fetchone() != (1,):
            connection.rollback()
            time.sleep(0.05)
        connection.rollback()
        with pytest.raises(BuildError, match="under way"), build_lock(connection):
            pass
        process.kill()
        process.join()
        deadline = time.monotonic() + 120
        while True:
            try:
                with build_lock(connection):
                    return
            except BuildError:
                assert time.monotonic() < deadline
                time.sleep(0.1)


def test_a_run_waits_for_the_build_of_another_and_says_whose_it_is(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def work() -> str:
        with connect(settings) as connection, build_lock(connection):
            return "built"

    with connect(settings) as holder:
        migrate(holder)
        holder.execute(
            "insert into audit.builds (run_id, status, loads_touched, models_rebuilt)"
            " values ('nightly', 'running', 0, 0)"
        )
        holder.commit()
        with caplog.at_level(logging.WARNING), build_lock(holder):
            waiting = threading.Thread(
                target=lambda: done.append(wait_for_others(settings, work))
            )
            waiting.start()
            deadline = time.monotonic() + 120
            while "waits until" not in caplog.text:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            time.sleep(0.2)
            assert done == [], "it waits for as long as the lock is held"
        waiting.join(30)
    assert done == ["built"]
    assert "waits until build 1 of the run nightly is done" in caplog.text
