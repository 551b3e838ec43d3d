"""What dbt's models cost beside SQL written by hand over the same raw tables.

In: a built warehouse that nobody needs any more. Out: seconds of both ways to the same
facts, and their ratio; the results are compared by hash.
"""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from include.building.dbt import Dbt, dbt_environment
from include.errors import BuildError
from include.settings import Settings

SCRIPT = Path(__file__).with_name("facts_by_hand.sql")
FACTS = ("fct_touchpoints", "fct_purchases", "fct_deliveries", "fct_returns")
# The facts and all that they are made of; nothing that only other facts need.
MODELS = (
    *("int_activities", "int_contacts", "int_contact_merges", "int_contact_versions"),
    *("int_orders", "int_deliveries", "int_returns", "int_tickets"),
    *("int_touchpoint_events", "int_zendesk_users", "int_people", "int_identities"),
    *("dim_customers", "int_first_purchases"),
    *FACTS,
)


def measure_by_hand(settings: Settings, say: Callable[[str], None]) -> dict[str, float]:
    """Build the facts anew with dbt, then with the script, and compare both."""
    dbt = Dbt(settings)
    dbt.parse()
    with psycopg.connect(settings.database_url) as connection:
        # A model whose fingerprint differs is built anew.
        connection.execute(
            "update audit.models set built_fingerprint = null where model = any(%s)",
            [list(MODELS)],
        )
    started = time.perf_counter()
    outcomes = dbt.build(MODELS, with_tests=False)
    dbt_seconds = time.perf_counter() - started
    failed = [outcome.message for outcome in outcomes if outcome.is_failure]
    if failed or len(outcomes) != len(MODELS):
        raise BuildError(f"{len(outcomes)} of {len(MODELS)} models: {failed}")
    say(f"{len(MODELS)} models by dbt: {dbt_seconds:.1f} s")
    options = dbt_environment(settings)["PGOPTIONS"]
    with psycopg.connect(settings.database_url, options=options) as connection:
        connection.execute("drop schema if exists by_hand cascade")
        connection.execute("create schema by_hand")
        connection.commit()
        started = time.perf_counter()
        connection.execute(SCRIPT.read_bytes())
        connection.commit()
        by_hand_seconds = time.perf_counter() - started
        say(f"the same facts by hand: {by_hand_seconds:.1f} s")
        for fact in FACTS:
            _compare(connection, fact)
        say("both ways give the same rows")
    return {
        "facts_by_dbt_seconds": dbt_seconds,
        "facts_by_hand_seconds": by_hand_seconds,
        "build_sql_ratio": dbt_seconds / by_hand_seconds,
    }


def _compare(connection: psycopg.Connection, fact: str) -> None:
    columns = connection.execute(
        "select column_name from information_schema.columns"
        " where table_schema = 'by_hand' and table_name = %s order by column_name",
        [fact],
    ).fetchall()
    names = sql.SQL(", ").join(sql.Identifier(name) for (name,) in columns)
    hashes = [
        connection.execute(
            sql.SQL(
                "select count(*), sum(hashtextextended(cast(rows as text), 0))"
                " from (select {} from {}) as rows"
            ).format(names, sql.Identifier(schema, fact))
        ).fetchone()
        for schema in ("warehouse", "by_hand")
    ]
    if hashes[0] != hashes[1]:
        raise BuildError(f"{fact} by hand is not {fact} by dbt: {hashes}.")
