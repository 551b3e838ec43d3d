"""What dbt's models cost beside SQL written by hand over the same raw tables.

In: a built warehouse that nobody needs any more. Out: seconds of both ways to the same
results, and their ratio; the results are compared by hash.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
from dbt.contracts.graph.manifest import Manifest
from psycopg import sql

from include.building.dbt import Dbt, compose_key_options
from include.errors import BuildError
from include.settings import Settings

FOLDER = Path(__file__).with_name("sql_by_hand")
# The scripts in their order, and the models that each replaces. Those without prepare
# what several of the others need.
SCRIPTS: dict[str, tuple[str, ...]] = {
    "01_people.sql": (),
    "02_events.sql": (),
    "03_surveys_sent_and_answered.sql": (),
    "04_customers.sql": (),
    "05_touchpoints_and_orders.sql": (
        *("fct_touchpoints", "fct_purchases", "fct_deliveries", "fct_returns"),
    ),
    "06_tickets.sql": ("fct_ticket_events", "fct_tickets"),
    "07_visits.sql": ("fct_journey_stage_visits",),
    "08_surveys.sql": ("fct_survey_invitations", "fct_survey_responses"),
    "09_scores.sql": ("int_score_periods", "int_score_changes"),
}
SLOWEST = 10
RESULTS = [model for models in SCRIPTS.values() for model in models]


def measure_by_hand(settings: Settings, say: Callable[[str], None]) -> dict[str, float]:
    """Build the results anew with dbt, then with the scripts, and compare both."""
    dbt = Dbt(settings)
    models = _find_with_ancestors(dbt.parse(), RESULTS)
    with psycopg.connect(settings.database_url) as connection:
        # A model whose fingerprint differs is built anew.
        connection.execute(
            "update audit.models set built_fingerprint = null where model = any(%s)",
            [models],
        )
    started = time.perf_counter()
    outcomes = dbt.build(models, with_tests=False)
    dbt_seconds = time.perf_counter() - started
    failed = [outcome.message for outcome in outcomes if outcome.is_failure]
    if failed or len(outcomes) != len(models):
        raise BuildError(f"{len(outcomes)} of {len(models)} models: {failed}")
    say(f"{len(models)} models by dbt: {dbt_seconds:.1f} s")
    for outcome in sorted(outcomes, key=lambda outcome: -outcome.seconds)[:SLOWEST]:
        say(f"  {outcome.name}: {outcome.seconds:.1f} s")
    options = compose_key_options(settings)
    with psycopg.connect(settings.database_url, options=options) as connection:
        connection.execute("drop schema if exists by_hand cascade")
        connection.execute("create schema by_hand")
        connection.commit()
        started = time.perf_counter()
        for script in SCRIPTS:
            script_started = time.perf_counter()
            connection.execute((FOLDER / script).read_bytes())
            say(f"  {script}: {time.perf_counter() - script_started:.1f} s")
        connection.commit()
        by_hand_seconds = time.perf_counter() - started
        say(f"the same results by hand: {by_hand_seconds:.1f} s")
        for model in RESULTS:
            _compare(connection, model)
        say("both ways give the same rows")
    return {
        "results_by_dbt_seconds": dbt_seconds,
        "results_by_hand_seconds": by_hand_seconds,
        "build_sql_ratio": dbt_seconds / by_hand_seconds,
    }


def _find_with_ancestors(manifest: Manifest, names: Sequence[str]) -> list[str]:
    """Return the models and all models that they are made of, without the seeds."""
    by_id = {
        node.unique_id: node
        for node in manifest.nodes.values()
        if node.resource_type == "model"
    }
    wanted = [unique_id for unique_id, node in by_id.items() if node.name in names]
    found: set[str] = set()
    while wanted:
        unique_id = wanted.pop()
        if unique_id in by_id and unique_id not in found:
            found.add(unique_id)
            wanted += by_id[unique_id].depends_on.nodes
    return sorted(by_id[unique_id].name for unique_id in found)


def _compare(connection: psycopg.Connection, model: str) -> None:
    """Raise BuildError unless both tables have the same columns and the same rows."""
    columns = {
        schema: connection.execute(
            "select column_name from information_schema.columns"
            " where table_schema = %s and table_name = %s order by column_name",
            [schema, model],
        ).fetchall()
        for schema in ("warehouse", "by_hand")
    }
    if columns["warehouse"] != columns["by_hand"]:
        raise BuildError(f"{model} has other columns by hand than by dbt: {columns}.")
    names = sql.SQL(", ").join(sql.Identifier(name) for (name,) in columns["warehouse"])
    hashes = [
        connection.execute(
            sql.SQL(
                "select count(*), sum(hashtextextended(cast(rows as text), 0))"
                " from (select {} from {}) as rows"
            ).format(names, sql.Identifier(schema, model))
        ).fetchone()
        for schema in columns
    ]
    if hashes[0] != hashes[1]:
        raise BuildError(f"{model} by hand is not {model} by dbt: {hashes}.")
