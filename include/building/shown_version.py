"""Which version marts show: that of the last publish which no rollback took back.

In: ``audit.shown_version``. Out: a `ShownVersion`.
"""

from dataclasses import dataclass
from datetime import date

import psycopg


@dataclass(frozen=True)
class ShownVersion:
    """The version that marts show: its publish, its build, and its closed days.

    published_at : when it was published, for people, in UTC
    first_date, as_of_date : the days, inclusive, that every source had delivered; None:
        some source had delivered none
    """

    publish_id: int
    build_id: int
    published_at: str
    first_date: date | None
    as_of_date: date | None


def read_shown_version(connection: psycopg.Connection) -> ShownVersion | None:
    """Read which version marts show; None: nothing was published yet."""
    row = connection.execute(
        "select publish_id, build_id,"
        " to_char(published_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI \"UTC\"'),"
        " first_date, as_of_date from audit.shown_version"
    ).fetchone()
    return ShownVersion(*row) if row is not None else None
