"""Does the risk of `mart_customer_health` foretell who is lost? A back-test.

In: a sample whose first nights came as one export. Out: the AUC of the risk points of
that day against churn 90 days later, and the share that was lost in each band. What
happened later is in another warehouse, which the points have never seen.
"""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from bench.databases import create_database, drop_database
from include.backfill.run import run_backfill
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings, connect

# Active: a purchase in the 180 days before. Looked at again 90 days later.
ACTIVE_DAYS, LATER_DAYS = 180, 90
SAMPLE = SampleParameters(
    customers=600,
    nights=180 + LATER_DAYS,
    first_export_nights=180,
    rows_only=True,
)

AT_RISK = """
    select customer_key, risk_points, risk_band
    from marts.mart_customer_health
    where last_purchase_date > cast(%(day)s as date) - cast(%(active)s as integer)
"""
STILL_ACTIVE = """
    select distinct customer_key
    from marts.fct_order_values
    where ordered_date > cast(%(day)s as date) - cast(%(active)s as integer)
        and ordered_date <= %(day)s
"""

Figures = dict[str, float]


@dataclass(frozen=True)
class Judged:
    """One customer who was active: points and band then, and what became of them."""

    points: int
    band: str
    is_lost: bool


def bench_health(url: str, landing: Path) -> Figures:
    """Back-test the risk points on the sample company."""
    logging.getLogger("include").setLevel(logging.ERROR)
    then, later = (
        _read(url, landing, sample, query, sample.first_export)
        for sample, query in (
            (SAMPLE, AT_RISK),
            (replace(SAMPLE, first_export_nights=SAMPLE.nights), STILL_ACTIVE),
        )
    )
    still_active = {row[0] for row in later}
    judged = [Judged(row[1], row[2], row[0] not in still_active) for row in then]
    figures = {
        "health_customers": float(len(judged)),
        "health_lost_customers": float(sum(one.is_lost for one in judged)),
        "health_auc": measure_auc(judged),
    }
    for band in sorted({one.band for one in judged}):
        lost = [one.is_lost for one in judged if one.band == band]
        figures[f"health_{band}_customers"] = float(len(lost))
        figures[f"health_{band}_lost_percent"] = 100 * sum(lost) / len(lost)
    return figures


def measure_auc(judged: Sequence[Judged]) -> float:
    """How often a lost customer had more points than a kept one; a tie is half."""
    lost = [one.points for one in judged if one.is_lost]
    kept = [one.points for one in judged if not one.is_lost]
    wins = sum(
        (points > other) + (points == other) / 2 for points in lost for other in kept
    )
    return wins / (len(lost) * len(kept))


def _read(
    url: str, landing: Path, sample: SampleParameters, query: str, day: date
) -> list[tuple[Any, ...]]:
    """Load the first export of a sample alone, and ask what it publishes."""
    folder = landing / "health"
    try:
        write_sample_exports(folder, sample)
        reports = landing.parent / "report" / "health"
        settings = create_database(url, "health", folder, reports)
        outcome = run_backfill(settings, day, day, "health", lambda line: None)
        assert not outcome.problems, outcome.problems
        return _ask(settings, query, day)
    finally:
        drop_database(url, "health")
        shutil.rmtree(folder, ignore_errors=True)


def _ask(settings: Settings, query: str, day: date) -> list[tuple[Any, ...]]:
    with connect(settings) as connection:
        cursor: psycopg.Cursor[tuple[Any, ...]] = connection.cursor()
        values = {"day": day, "active": ACTIVE_DAYS}
        return cursor.execute(query, values).fetchall()
