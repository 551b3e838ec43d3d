"""The lock that keeps two builds, or a build and a publish, apart.

In: an open connection. Out: a session-level advisory lock of PostgreSQL, which ends
with the session: a killed build blocks nobody.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg

from include.errors import BuildError
from include.settings import Settings, connect

log = logging.getLogger(__name__)

LOCK_NAME = "cx.build"
PATIENCE_SECONDS = 3600
SECONDS_BETWEEN_LOOKS = 1

Result = TypeVar("Result")


class BusyError(BuildError):
    """Somebody else builds or publishes now."""


@contextmanager
def build_lock(connection: psycopg.Connection) -> Iterator[None]:
    """Hold the lock while the block runs.

    The connection is in autocommit mode from here on: what belongs together stands in
    `connection.transaction()`.

    Raises BusyError at once when somebody else holds it.
    """
    connection.autocommit = True
    row = connection.execute(
        "select pg_try_advisory_lock(hashtext(%s))", [LOCK_NAME]
    ).fetchone()
    if row is None or not row[0]:
        raise BusyError(
            "Another build or publish is under way on this warehouse: wait until it is "
            "done and run again."
        )
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtext(%s))", [LOCK_NAME])


def wait_for_others(settings: Settings, work: Callable[[], Result]) -> Result:
    """Do what needs the lock as soon as nobody else has it, and say who that is.

    Raises BusyError when somebody keeps it for an hour, and whatever `work` does.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except BusyError:
            if time.monotonic() > deadline:
                raise
        wait_until_free(settings)


def wait_until_free(settings: Settings) -> None:
    """Wait until nobody builds or publishes, an hour at most, and say who does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with connect(settings) as connection:
        connection.autocommit = True
        if _is_held(connection):
            log.warning("waits until %s is done", _describe_holder(connection))
        while _is_held(connection) and time.monotonic() < deadline:
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _is_held(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "select exists (select from pg_locks where locktype = 'advisory' and granted"
        " and database = (select oid from pg_database"
        "  where datname = current_database())"
        " and ((classid::bigint << 32) | objid::bigint) = hashtext(%s)::bigint)",
        [LOCK_NAME],
    ).fetchone()
    return row is not None and bool(row[0])


def _describe_holder(connection: psycopg.Connection) -> str:
    row = connection.execute(
        "select format('build %s of the run %s', build_id, run_id) from audit.builds"
        " where status = 'running' order by build_id desc limit 1"
    ).fetchone()
    return str(row[0]) if row else "another publish"
