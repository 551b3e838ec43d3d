"""A year of the sample company by a backfill, against the same year in one export.

In: the default sample with 365 nights, as `make run` writes it with 60. Out: seconds of
the backfill, step by step, and their ratio to loading and building the same data at
once: the same rows of the delta feeds, as one export, and each list as it is in the
end. Both take the same way (`include.backfill.run`), and begin with an empty warehouse.
"""

import logging
import shutil
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

from bench.databases import create_database, drop_database
from include.backfill.run import run_backfill
from include.sample_exports import SampleParameters, write_sample_exports

NIGHTS = 365

Figures = dict[str, float]


def bench_backfill(url: str, landing: Path) -> Figures:
    """Measure the backfill of a year, and the same year as one export."""
    logging.getLogger("include").setLevel(logging.ERROR)
    sample = SampleParameters(nights=NIGHTS, rows_only=True)
    nights = _measure(url, landing, "nights", sample, sample.first_night)
    at_once = replace(sample, first_export_nights=NIGHTS)
    bulk = _measure(url, landing, "bulk", at_once, sample.last_night)
    return {
        "backfill_seconds": sum(nights.values()),
        "backfill_bulk_seconds": sum(bulk.values()),
        "backfill_bulk_ratio": sum(nights.values()) / sum(bulk.values()),
        **{f"backfill_{step}_seconds": seconds for step, seconds in nights.items()},
        **{f"backfill_bulk_{step}_seconds": seconds for step, seconds in bulk.items()},
    }


def _measure(
    url: str, landing: Path, name: str, sample: SampleParameters, first: date
) -> Figures:
    """Write a sample's exports and load them all; return the seconds of each step."""
    folder = landing / "backfill" / name
    # dbt leaves what it has read of the project here; the next run starts without.
    reports = landing.parent / "report"
    try:
        _say(
            f"{name}: writing {sample.nights} nights of {sample.customers:,} customers"
        )
        write_sample_exports(folder, sample)
        settings = create_database(url, f"backfill_{name}", folder, reports / name)
        outcome = run_backfill(settings, first, sample.last_night, name, _say)
        assert not outcome.problems, outcome.problems
        return outcome.seconds
    finally:
        drop_database(url, f"backfill_{name}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(reports, ignore_errors=True)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
