"""Compute the statistics of the periods, and of the comments, that a build changed.

In: the models in PARENTS, and ``audit.dirty_keys``. Out: the rows of ``statistics.*``
that differ from the old ones, and ``audit.dirty_keys`` at `statistics.period_key` for
the models that read them. The caller's transaction holds all of it.
"""

import csv
import logging
from pathlib import Path

import psycopg
from psycopg import sql

from include.statistics import (
    comments,
    driver_weights,
    eligible_customers,
    hidden_scores,
    periods,
    weighted_scores,
)
from include.statistics.weighting import Country

log = logging.getLogger(__name__)

SOURCE = "statistics"

# The seeds, functions and models that are read here: when the code of one changes, all
# periods are computed anew.
PARENTS = frozenset(
    {
        "ces",
        "ces_high_95",
        "ces_low_95",
        "countries",
        "int_comments",
        "fct_survey_responses",
        "int_score_periods",
        "int_survey_frames",
        "mart_ces_daily",
        "mart_csat_daily",
        "mart_nps_daily",
        "nps",
        "nps_high_95",
        "nps_low_95",
        "plain_text",
        "sentiment_words",
        "share_high_95",
        "share_low_95",
        "share_percent",
        "survey_questions",
        "surveys",
    }
)


def read_code() -> str:
    """Return the text of this package: what it computes changes with it alone."""
    return "".join(
        path.read_text(encoding="utf-8")
        for path in sorted(Path(__file__).parent.glob("*.py"))
    )


def compute(connection: psycopg.Connection, countries: Path) -> int:
    """Bring the statistics up to the models; returns how many rows changed.

    Runs in the caller's transaction, after the models in PARENTS and before those that
    read the statistics.

    Parameters
    ----------
    countries : the file of the seed `countries`
    """
    # The temporary tables of an earlier call are gone with its transaction.
    is_whole = _must_compute_all(connection)
    if is_whole:
        eligible_customers.forget_all(connection)
    computed = periods.collect(connection, is_whole=is_whole)
    changed = 0
    if computed:
        log.info("statistics of %s periods%s", computed, ", all" if is_whole else "")
        eligible_customers.update(connection)
        weighted_scores.compute(connection, _read_countries(countries))
        hidden_scores.compute(connection)
        changed = _replace_changed(
            connection, "weighted_scores", "periods_computed"
        ) + _replace_changed(
            connection,
            "hidden_scores",
            "(select period_key from hidden_periods_computed"
            " union select period_key from periods_computed)",
        )
    read = comments.compute(connection, is_whole=is_whole)
    months = driver_weights.compute(connection, is_whole=is_whole)
    if months:
        log.info("drivers of %s months", months)
        changed += _replace_changed(
            connection, "driver_weights", "driver_months_computed"
        )
    connection.execute(
        "update audit.models set built_fingerprint = wanted_fingerprint,"
        " built_at = clock_timestamp() where model = %s",
        [SOURCE],
    )
    log.info(
        "statistics: %s periods computed, %s rows changed, %s comments read",
        computed,
        changed,
        read,
    )
    return changed + read


def _must_compute_all(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "select built_fingerprint is not distinct from wanted_fingerprint"
        " from audit.models where model = %s",
        [SOURCE],
    ).fetchone()
    return row is None or not row[0]


def _replace_changed(connection: psycopg.Connection, table: str, computed: str) -> int:
    """Replace the rows that differ in the periods that were computed, and mark these.

    Parameters
    ----------
    table : a table of schema statistics; its new rows are in the temporary table of
        this name with "_new"
    computed : the periods, as SQL; what is not in the new rows has no row any more
    """
    names = {
        "table": sql.Identifier("statistics", table),
        "new": sql.Identifier(f"{table}_new"),
        "gone": sql.Identifier(f"{table}_gone"),
        "come": sql.Identifier(f"{table}_come"),
        "computed": sql.SQL(computed),
        "place": sql.Literal(f"{SOURCE}.period_key"),
    }
    for statement in (
        "create temporary table {gone} on commit drop as"
        " select * from {table} where period_key in (select period_key from {computed}"
        "  as computed) except select * from {new}",
        "create temporary table {come} on commit drop as"
        " select * from {new} except select * from {table}",
        "delete from {table} as old using {gone} as gone"
        " where old.score_period_key = gone.score_period_key",
        "insert into {table} select * from {come}",
        "insert into audit.dirty_keys (place, key)"
        " select {place}, period_key from {gone}"
        " union select {place}, period_key from {come} on conflict do nothing",
    ):
        connection.execute(sql.SQL(statement).format(**names))
    row = connection.execute(
        sql.SQL(
            "select (select count(*) from {gone}) + (select count(*) from {come})"
        ).format(**names)
    ).fetchone()
    assert row is not None
    return int(row[0])


def _read_countries(path: Path) -> dict[str, Country]:
    """Region and position of each country, in the order of the seed."""
    countries: dict[str, Country] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for position, row in enumerate(csv.DictReader(file)):
            countries.setdefault(row["country"], Country(position, row["region"]))
    return countries
