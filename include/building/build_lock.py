"""The lock that keeps two builds, or a build and a publish, apart.

In: an open connection. Out: a session-level advisory lock of PostgreSQL, which ends
with the session: a killed build blocks nobody.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from include.errors import BuildError

LOCK_NAME = "cx.build"


@contextmanager
def build_lock(connection: psycopg.Connection) -> Iterator[None]:
    """Hold the lock while the block runs.

    The connection is in autocommit mode from here on: what belongs together stands in
    `connection.transaction()`.

    Raises BuildError at once when somebody else holds it.
    """
    connection.autocommit = True
    row = connection.execute(
        "select pg_try_advisory_lock(hashtext(%s))", [LOCK_NAME]
    ).fetchone()
    if row is None or not row[0]:
        raise BuildError(
            "Another build or publish is under way on this warehouse: wait until it is "
            "done and run again."
        )
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtext(%s))", [LOCK_NAME])
