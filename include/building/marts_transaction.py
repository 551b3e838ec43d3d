"""The one transaction in which marts change: a publish, or a rollback of one.

In: what changes them, and a connection that holds the build lock. Out: its result, and
marts that readers saw before or after, never in between. Readers are let pass: what
waits for a lock gives up after some seconds and tries again.
"""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg import sql

from include.access.roles import name_roles, restrict_agent_tables
from include.errors import PublishError
from include.settings import Settings

log = logging.getLogger(__name__)

# A night that adds or drops columns must wait for readers of that table: give up after
# this long, let them pass, and try again.
LOCK_TIMEOUT = "5s"
LOCK_TRIES = 12

Result = TypeVar("Result")


def change_marts(
    connection: psycopg.Connection,
    settings: Settings,
    deed: str,
    change: Callable[[], Result],
) -> Result:
    """Change marts in one transaction; it may be begun several times.

    Parameters
    ----------
    deed : "publish" or "roll back", for those who must wait

    Raises PublishError when somebody kept locked for a minute what has to change, or
    when views of others read what has to be dropped.
    """
    for attempt in range(1, LOCK_TRIES + 1):
        try:
            with connection.transaction():
                connection.execute(
                    sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT)
                )
                result = change()
                restrict_agent_tables(connection, name_roles(settings.role_prefix))
            return result
        except psycopg.errors.LockNotAvailable as error:
            if attempt == LOCK_TRIES:
                raise PublishError(
                    "Somebody keeps locked what must change in marts "
                    f"({_find_lock_holders(connection)}): end that transaction and "
                    f"{deed} again; marts stay as they were."
                ) from error
            log.warning(
                "%s waits for a lock in marts (try %s of %s)", deed, attempt, LOCK_TRIES
            )
            time.sleep(1)
        except psycopg.errors.DependentObjectsStillExist as error:
            raise PublishError(
                "Something in marts changes its columns or its kind, and views of "
                f"others read it ({error.diag.message_detail}): drop those, "
                f"{deed}, and create them again; marts stay as they were."
            ) from error
    raise AssertionError("unreachable: the last try returns or raises")


def _find_lock_holders(connection: psycopg.Connection) -> str:
    """Name the sessions that have locked tables of marts, for the person to end."""
    rows = connection.execute(
        "select distinct locks.pid, locks.relation::regclass::text"
        " from pg_locks as locks"
        " join pg_class as relations on relations.oid = locks.relation"
        " where locks.granted and locks.pid <> pg_backend_pid()"
        " and locks.database ="
        "  (select oid from pg_database where datname = current_database())"
        " and relations.relnamespace = 'marts'::regnamespace"
        " order by 1, 2 limit 5"
    ).fetchall()
    held = ", ".join(f"session {pid}: {table}" for pid, table in rows)
    return held or "it has just let go"
