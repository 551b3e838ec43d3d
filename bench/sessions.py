"""What it saves that dbt keeps its sessions from node to node.

In: a warehouse without a row. Out: seconds, seconds of work of the machine's cores and
sessions of `dbt build` of all nodes, with sessions kept and as dbt has it by itself, in
turns, and the ratios of the two. The server works beside dbt: with a core to spare,
what is saved shows in the work alone.
"""

import logging
import os
import shutil
import time
from pathlib import Path
from statistics import median

import psycopg
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt.adapters.postgres.impl import PostgresAdapter

from bench.databases import create_database, drop_database
from include import night
from include.building import builds
from include.building.dbt import Dbt
from include.building.dbt_sessions import KeptSessions
from include.settings import Settings

DATABASE = "sessions"
MANAGERS = {"not_kept": PostgresConnectionManager, "kept": KeptSessions}
TURNS = 3

Figures = dict[str, float]


def bench_sessions(url: str, landing: Path) -> Figures:
    """Build all nodes several times each way."""
    logging.getLogger("include").setLevel(logging.ERROR)
    folder, reports = landing / DATABASE, landing.parent / "report"
    folder.mkdir(parents=True, exist_ok=True)
    figures: Figures = {}
    seconds: dict[str, list[float]] = {name: [] for name in MANAGERS}
    worked: dict[str, list[float]] = {name: [] for name in MANAGERS}
    try:
        settings = create_database(url, DATABASE, folder, reports)
        night.prepare(settings)
        builds.build(settings, "first", with_tests=False)
        dbt = Dbt(settings)
        dbt.parse()
        for _ in range(TURNS):
            for name, manager in MANAGERS.items():
                PostgresAdapter.ConnectionManager = manager
                sessions = _count_sessions(settings)
                started, work = time.perf_counter(), _read_work()
                outcomes = dbt.build()
                seconds[name].append(time.perf_counter() - started)
                worked[name].append(_read_work() - work)
                figures["dbt_nodes"] = float(len(outcomes))
                figures[f"dbt_sessions_{name}"] = _count_sessions(settings) - sessions
    finally:
        PostgresAdapter.ConnectionManager = KeptSessions
        drop_database(url, DATABASE)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(reports, ignore_errors=True)
    for measure, turns in (("seconds", seconds), ("work_seconds", worked)):
        for name in MANAGERS:
            figures[f"dbt_{measure}_{name}"] = median(turns[name])
        figures[f"dbt_kept_sessions_{measure}_ratio"] = (
            figures[f"dbt_{measure}_kept"] / figures[f"dbt_{measure}_not_kept"]
        )
    return figures


def _read_work() -> float:
    """Seconds that all cores of the machine have worked since it started (Linux)."""
    total = Path("/proc/stat").read_text("ascii").splitlines()[0]
    user, nice, system, _idle, _wait, irq, softirq = map(int, total.split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _count_sessions(settings: Settings) -> float:
    with psycopg.connect(settings.database_url) as connection:
        ((sessions,),) = connection.execute(
            "select sessions from pg_stat_database where datname = current_database()"
        ).fetchall()
    return float(sessions)
