"""The lock that keeps builds apart does not outlive its process."""

import multiprocessing
import time

import pytest

from include.building.build_lock import build_lock
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
        deadline = time.monotonic() + 30
        while True:
            try:
                with build_lock(connection):
                    return
            except BuildError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
