"""How many rows a backfill loads and how long it takes, as far as that can be known.

In: files that were never loaded, and what ``audit`` knows of past loads and runs. Out:
numbers, None where there is too little to go by, and in words what they rest on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, linear_regression, median

import psycopg

from include.contracts import FeedContract
from include.loading.file_content import FileProblem, open_content
from include.loading.file_copy import choose_file_reading, open_stored
from include.loading.landing import LandedFile, Landing
from include.loading.readers import read_rows

# So many batches of a file tell how many bytes a row takes.
BATCHES_READ = 3
RUNS_LOOKED_AT = 30
# Runs tell how time grows with rows when one is so many times as large as another.
TELLING_RATIO = 2


@dataclass(frozen=True)
class Estimate:
    """Seconds, None when nothing tells, and what they rest on."""

    seconds: float | None
    basis: str


def estimate_rows(
    connection: psycopg.Connection,
    landing: Landing,
    contract: FeedContract,
    files: Sequence[LandedFile],
) -> int | None:
    """Estimate the rows of files from their bytes; None when nothing tells.

    Past loads of the feed tell how many bytes a row takes; without any, the largest of
    the files does.
    """
    if not files:
        return 0
    rows_per_byte = _read_past_density(connection, contract)
    if rows_per_byte is None:
        largest = max(files, key=lambda file: file.bytes)
        rows_per_byte = _measure_density(landing, contract, largest)
    if rows_per_byte is None:
        return None
    return round(rows_per_byte * sum(file.bytes for file in files))


def estimate_seconds(
    connection: psycopg.Connection, loads: Mapping[str, int], rows: int
) -> Estimate:
    """Estimate how long it takes to load so many loads of each feed, to build, check
    and publish."""
    seconds_per_load: dict[str, float] = dict(
        connection.execute(
            "select feed, avg(extract(epoch from loaded_at - started_at))::float8"
            " from audit.loads where loaded_at is not null group by feed"
        ).fetchall()
    )
    # From the last load of a run to its publish: gates, build, publish.
    runs = connection.execute(
        "select sum(loads.rows_loaded)::float8, extract(epoch from"
        "  min(publishes.published_at) - max(loads.loaded_at))::float8"
        " from audit.publishes as publishes"
        " inner join audit.loads as loads on loads.run_id = publishes.run_id"
        " where loads.loaded_at < publishes.published_at"
        " group by publishes.run_id order by min(publishes.publish_id) desc limit %s",
        [RUNS_LOOKED_AT],
    ).fetchall()
    if not seconds_per_load or not runs:
        return Estimate(None, "too little is known: nothing was published here yet")
    if not sum(loads.values()):
        return Estimate(0.0, "nothing would be loaded")
    usual = fmean(seconds_per_load.values())
    by_system: dict[str, float] = {}
    for feed, count in loads.items():
        system = feed.split(".")[0]
        seconds = count * seconds_per_load.get(feed, usual)
        by_system[system] = by_system.get(system, 0.0) + seconds
    # Systems are loaded side by side.
    loading = max(by_system.values())
    basis = f"from {len(runs)} past run{'s' if len(runs) > 1 else ''}"
    largest = max(past for past, _ in runs)
    if rows > TELLING_RATIO * largest:
        basis += f", none over {largest:,.0f} rows: a guess"
    return Estimate(loading + _extrapolate(runs, rows), basis)


def _extrapolate(runs: Sequence[tuple[float, float]], rows: int) -> float:
    """Return the seconds that runs of other sizes lead to expect of so many rows."""
    sizes = [size for size, _ in runs]
    seconds = [took for _, took in runs]
    if max(sizes) >= TELLING_RATIO * max(min(sizes), 1):
        slope, fixed = linear_regression(sizes, seconds)
        if slope > 0:
            return max(fixed, 0.0) + slope * rows
    return median(seconds) * max(1.0, rows / max(median(sizes), 1))


def _read_past_density(
    connection: psycopg.Connection, contract: FeedContract
) -> float | None:
    row = connection.execute("select to_regclass('audit.loads') is null").fetchone()
    if row is None or row[0]:
        return None
    row = connection.execute(
        "select (sum(rows_in_file) / nullif(sum(bytes), 0))::float8 from audit.loads"
        " where feed = %s and status <> 'held'",
        [contract.name],
    ).fetchone()
    return None if row is None else row[0]


def _measure_density(
    landing: Landing, contract: FeedContract, file: LandedFile
) -> float | None:
    """Read the beginning of a file; return rows per stored byte."""
    rows = 0
    try:
        chosen = choose_file_reading(landing, contract.on(file.batch_date), file)
        with (
            open_stored(landing, file) as stored,
            open_content(stored, file.path) as content,
        ):
            for number, batch in enumerate(read_rows(chosen, content).batches, 1):
                rows += len(batch.rows) + len(batch.rejects)
                if number == BATCHES_READ:
                    break
            return rows / stored.bytes if stored.bytes else None
    except FileProblem:
        # The load will say so; a plan only has no number then.
        return None
