"""Builds that ended without a word: their process was killed, or the server was.

In: ``audit.builds`` and the relations of a build, while the caller holds the build
lock. Out: each build that is still called running has failed, with a sentence that says
by whom it is taken up, and what dbt had put aside in it is gone.
"""

import logging

import psycopg
from psycopg import sql

log = logging.getLogger(__name__)


def take_up_dead_builds(connection: psycopg.Connection, build_id: int) -> list[int]:
    """Settle the builds whose process died; return their ids.

    Who holds the build lock is the only one at work: what else is running is dead. What
    it had begun is found by its loads and dirty keys.

    Parameters
    ----------
    build_id : the build that begins now, and does what they left undone
    """
    rows = connection.execute(
        "update audit.builds set status = 'failed', finished_at = clock_timestamp(),"
        " message = format('The process of build %%s died before its end: build %%s"
        " has taken up what it left undone; marts stayed as they were.',"
        "  build_id, %(build)s::bigint)"
        " where status = 'running' and build_id < %(build)s"
        " returning build_id, message",
        {"build": build_id},
    ).fetchall()
    for _, message in sorted(rows):
        log.warning("%s", message)
    return sorted(dead for dead, _ in rows)


def drop_what_was_put_aside(connection: psycopg.Connection) -> list[str]:
    """Drop the old relations that dbt had put aside when it died; return their names.

    It drops them itself right after the commit that puts a new relation in their place.
    Views that still read the old one go with it, and are made again.
    """
    rows = connection.execute(
        "select nspname, relname, case relkind when 'v' then 'view' else 'table' end"
        " from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
        " where nspname in ('staging', 'warehouse') and relkind in ('r', 'v')"
        r" and relname like '%\_\_dbt\_backup' order by 1, 2"
    ).fetchall()
    for schema, name, kind in rows:
        connection.execute(
            sql.SQL("drop {} if exists {} cascade").format(
                sql.SQL(kind), sql.Identifier(schema, name)
            )
        )
        log.info("%s.%s was put aside by a build that died: dropped", schema, name)
    return [f"{schema}.{name}" for schema, name, _ in rows]
