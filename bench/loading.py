"""What loading costs: CSV beside a bare COPY, JSON pages, XLSX, and small loads."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import psycopg
from psycopg import sql

from bench import files
from include.loading.landing import Landing
from include.loading.loader import load_feed
from include.loading.raw_tables import create_raw_tables

ROUNDS = 5
SMALL_LOADS = 300
SMALL_ROWS = 40


@dataclass(frozen=True)
class Measured:
    """One load: rows, file bytes, seconds, and the loading process's peak memory.

    `prepare_seconds` went before: raw tables are made, or indexed once they are filled.
    """

    rows: int
    bytes: int
    seconds: float
    peak_mb: float
    prepare_seconds: float


def bench_csv(url: str, landing: Path) -> dict[str, float]:
    """Load the million-row CSV with a bare COPY and with the loader, alternating.

    The best of each counts: what other programs take from the machine only adds.
    """
    files.link_to_next_day(files.write_csv(landing))
    bare, loader = [], []
    for _ in range(ROUNDS):
        bare.append(_measure("bare", url, landing, "tickets_csv", "csv"))
        loader.append(_measure("loader", url, landing, "tickets_csv", "csv"))
    again = _measure("loader", url, landing, "tickets_csv", "csv", is_second=True)
    bare_seconds = min(run.seconds for run in bare)
    loader_seconds = min(run.seconds for run in loader)
    return {
        "load_csv_rows": loader[0].rows,
        "load_csv_mb": loader[0].bytes / 1e6,
        "bare_copy_seconds": bare_seconds,
        "load_csv_seconds": loader_seconds,
        "load_csv_ratio_to_copy": loader_seconds / bare_seconds,
        "load_csv_peak_mb": max(run.peak_mb for run in loader),
        "key_index_seconds": again.prepare_seconds,
        "load_csv_into_indexed_seconds": again.seconds,
    }


def bench_csv_10x(url: str, landing: Path) -> dict[str, float]:
    """Load a CSV ten times as long: memory must not grow with the file."""
    files.write_csv(landing)
    run = _measure("loader_x10", url, landing, "tickets_csv", "csv")
    # Several gigabytes: nobody needs them any more.
    _reset(url, "tickets_csv")
    return {
        "load_csv_10x_rows": run.rows,
        "load_csv_10x_seconds": run.seconds,
        "load_csv_10x_peak_mb": run.peak_mb,
    }


def bench_json(url: str, landing: Path) -> dict[str, float]:
    """Load a hundred thousand tickets out of JSON pages."""
    files.write_json_pages(landing)
    run = _measure("loader", url, landing, "tickets_json", "json")
    return {
        "load_json_rows": run.rows,
        "load_json_rows_per_second": run.rows / run.seconds,
        "load_json_peak_mb": run.peak_mb,
    }


def bench_xlsx(url: str, landing: Path) -> dict[str, float]:
    """Load fifty thousand rows out of a workbook."""
    files.write_xlsx(landing)
    run = _measure("loader", url, landing, "tickets_xlsx", "xlsx")
    return {
        "load_xlsx_rows": run.rows,
        "load_xlsx_rows_per_second": run.rows / run.seconds,
        "load_xlsx_peak_mb": run.peak_mb,
    }


def bench_small_loads(url: str, landing: Path) -> dict[str, float]:
    """Load many nights of a small feed over one connection, as a range does."""
    contract = files.make_contract("csv", "small")
    first = date(2026, 1, 1)
    header = ",".join(files.COLUMNS)
    for night in range(SMALL_LOADS):
        day = first + timedelta(days=night)
        folder = landing / "bench" / "small" / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        rows = [
            ",".join([f"{night}-{row}", *["value"] * (len(files.COLUMNS) - 1)])
            for row in range(SMALL_ROWS)
        ]
        (folder / "small.csv").write_text("\n".join([header, *rows, ""]))
    seconds = []
    _reset(url, "small")
    with psycopg.connect(url) as connection:
        for night in range(SMALL_LOADS):
            started = time.perf_counter()
            day = first + timedelta(days=night)
            load_feed(connection, Landing(str(landing)), contract, day, "bench")
            seconds.append(time.perf_counter() - started)
    return {"small_load_milliseconds": 1000 * median(seconds)}


def bench_snapshot(url: str, landing: Path) -> dict[str, float]:
    """Load a list of contacts two nights running; one in a thousand rows changes."""
    contract = files.make_contract("csv", "contacts", delivery="snapshot")
    files.write_snapshots(landing)
    figures = {}
    _reset(url, "contacts")
    with psycopg.connect(url) as connection:
        create_raw_tables(connection, [contract])
        for night, day in (("first", 0), ("next", 1)):
            before = _count_raw_bytes(connection)
            started = time.perf_counter()
            load_feed(
                connection,
                Landing(str(landing)),
                contract,
                files.BATCH_DATE + timedelta(days=day),
                "bench",
            )
            figures[f"snapshot_{night}_seconds"] = time.perf_counter() - started
            grown = _count_raw_bytes(connection) - before
            figures[f"snapshot_{night}_stored_mb"] = grown / 1e6
    return {"snapshot_rows": files.SNAPSHOT_ROWS, **figures}


def _count_raw_bytes(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class"
        " where relnamespace = to_regnamespace('raw_bench') and relkind = 'r'"
    ).fetchone()
    connection.rollback()
    return int(row[0]) if row else 0


def _measure(
    kind: str,
    url: str,
    landing: Path,
    feed: str,
    file_format: str,
    is_second: bool = False,
) -> Measured:
    day = files.BATCH_DATE
    if is_second:
        day += timedelta(days=1)
    else:
        _reset(url, feed)
    arguments = [kind, url, str(landing), feed, file_format, day.isoformat()]
    result = subprocess.run(
        [sys.executable, "-m", "bench.load_child", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Measured(**json.loads(result.stdout.splitlines()[-1]))


def _reset(url: str, feed: str) -> None:
    """Empty the tables, and write out what earlier runs left to the server."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} text").format(sql.Identifier(name)) for name in files.COLUMNS
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop schema if exists raw_bench cascade")
        connection.execute("delete from audit.loads where feed = %s", [f"bench.{feed}"])
        connection.execute("drop table if exists public.bare")
        connection.execute(sql.SQL("create table public.bare ({})").format(columns))
        connection.execute("checkpoint")
