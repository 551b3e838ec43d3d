"""Builds that ended without a word: their process was killed, or the server was.

In: ``audit.builds``, while the caller holds the build lock. Out: each build that is
still called running has failed, with a sentence that says by whom it is taken up.
"""

import logging

import psycopg

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
