"""What a run does, step by step: ``audit.run_steps``, and ``audit.runs`` over it.

In: a run's id and the name of a step. Out: when each attempt at a step began and ended,
how it ended, and what it failed with. A person asks ``audit.runs`` what a night took;
``audit.loads`` and ``audit.model_runs`` tell the rest.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from include.errors import SettingsError, make_printable
from include.settings import Settings, connect

log = logging.getLogger(__name__)

INTERRUPTED = "interrupted"


@contextmanager
def record_step(settings: Settings, run_id: str, step: str) -> Iterator[None]:
    """Record one attempt at a step; what it raises is noted, and raised on.

    In a session of its own, so that the record stays when the step's work is undone.
    """
    with connect(settings, "transformer") as connection:
        row = connection.execute(
            "insert into audit.run_steps (run_id, step) values (%s, %s)"
            " returning step_id",
            [run_id, step],
        ).fetchone()
    assert row is not None
    try:
        yield
    except Exception as error:
        _end(settings, row[0], "failed", make_printable(str(error)))
        raise
    except BaseException:  # somebody ended the process
        _end(settings, row[0], "failed", INTERRUPTED)
        raise
    _end(settings, row[0], "succeeded", None)


def _end(settings: Settings, step_id: int, outcome: str, message: str | None) -> None:
    """Note how it ended; a server that is gone must not hide what the step says."""
    try:
        with connect(settings, "transformer") as connection:
            connection.execute(
                "update audit.run_steps set outcome = %s, message = %s,"
                " finished_at = clock_timestamp() where step_id = %s",
                [outcome, message, step_id],
            )
    except (psycopg.Error, SettingsError) as error:
        log.warning("how the step ended is not recorded (%s)", error)
