"""What a night costs on top of a long history, and on top of a tenth of it.

In: the landing zones of `bench.history`. Out: seconds of every step, their ratio, what
the database takes on disk, and the slowest models. The steps are those of the DAG,
called in this process: Airflow's own time, which knows no history, is left out.
"""

import logging
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import psycopg
from psycopg import sql

from bench.by_hand import measure_by_hand
from bench.databases import create_database, drop_database
from bench.history import describe_history, write_history
from include import night
from include.settings import Settings

SIDES = ("tenth", "full")
SLOWEST = 10

Figures = dict[str, float]


@dataclass
class Side:
    """One warehouse: its settings, and the seconds of each night's steps."""

    name: str
    settings: Settings
    first: Figures = field(default_factory=dict)
    nights: list[Figures] = field(default_factory=list)

    @property
    def night_seconds(self) -> float:
        """Seconds of a usual night; the first one still makes indexes."""
        return median(sum(steps.values()) for steps in self.nights[1:])

    def step_seconds(self, step: str) -> float:
        return median(steps[step] for steps in self.nights[1:])


def bench_history(url: str, landing: Path, customers: int, count: int) -> Figures:
    """Build a history and a tenth of it, then the same nights on both, in turns."""
    logging.getLogger("include").setLevel(logging.ERROR)
    # dbt leaves what it has read of the project here; the next run starts without.
    reports = landing.parent / "report"
    folder = landing / "history"
    try:
        parameters = describe_history(customers, count)
        _say(f"writing the exports of {customers:,} customers")
        figures: Figures = dict(write_history(parameters, folder))
        sides = [
            Side(
                name,
                create_database(url, _database(name), folder / name, reports / name),
            )
            for name in SIDES
        ]
        for side in sides:
            side.first = _run_night(side.settings, parameters.first_export, "history")
            _say(f"{side.name} history: {_describe(side.first)}")
        for number in range(count):
            batch_date = parameters.first_export + timedelta(days=number + 1)
            for side in sides:
                steps = _run_night(side.settings, batch_date, f"night {number + 1}")
                side.nights.append(steps)
                _say(f"{side.name} {batch_date}: {_describe(steps)}")
        tenth, full = sides
        figures |= _compare(full, tenth)
        figures |= _count_objects(full.settings)
        figures |= _measure_disk(full.settings)
        figures |= _list_slowest(full.settings, full.night_seconds)
        # What follows takes as long again: show what is known.
        for name, value in figures.items():
            _say(f"{name} {value:,.2f}")
        figures |= measure_by_hand(full.settings, _say)
        return figures
    finally:
        for name in SIDES:
            drop_database(url, _database(name))
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(reports, ignore_errors=True)


def _compare(full: Side, tenth: Side) -> Figures:
    figures = {
        "history_seconds": sum(full.first.values()),
        "history_build_seconds": full.first["build"],
    }
    for side in (tenth, full):
        figures[f"night_seconds_{side.name}"] = side.night_seconds
        for step in side.nights[0]:
            figures[f"night_{step}_seconds_{side.name}"] = side.step_seconds(step)
    figures["night_history_ratio"] = full.night_seconds / tenth.night_seconds
    return figures


def _run_night(settings: Settings, batch_date: date, run_id: str) -> Figures:
    """Run one night step by step; return the seconds of each step."""
    seconds: Figures = {}

    def measure(name: str, step: Callable[[], object]) -> None:
        started = time.perf_counter()
        step()
        seconds[name] = time.perf_counter() - started

    measure("extract", lambda: _extract(settings, batch_date, run_id))
    measure("gate_1", lambda: night.check_raw(settings, run_id))
    measure("build", lambda: night.build(settings, run_id))
    measure("gate_2", lambda: night.check_marts(settings, run_id))
    measure("publish", lambda: night.publish(settings, run_id))
    problems = night.find_problems(settings, run_id)
    assert not problems, problems
    return seconds


def _extract(settings: Settings, batch_date: date, run_id: str) -> None:
    for role in night.ROLES:
        night.extract(
            settings, role, batch_date, batch_date, run_id, progress=lambda line: None
        )


def _database(side: str) -> str:
    return f"history_{side}"


COUNTED = {
    "dim_customers": "customers_known",
    "fct_survey_responses": "answers",
    "fct_tickets": "tickets",
    "fct_touchpoints": "touchpoints",
}


def _count_objects(settings: Settings) -> Figures:
    with psycopg.connect(settings.database_url) as connection:
        return {
            f"rows_{name}": connection.execute(
                sql.SQL("select count(*) from marts.{}").format(sql.Identifier(table))
            ).fetchall()[0][0]
            for table, name in COUNTED.items()
        }


def _measure_disk(settings: Settings) -> Figures:
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute(
            "select case when nspname like 'raw%' then 'raw' else nspname end,"
            " sum(pg_total_relation_size(pg_class.oid)) / 1e6"
            " from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
            " where relkind in ('r', 'm') and nspname in"
            "  ('audit', 'marts', 'warehouse', 'statistics')"
            " or relkind = 'r' and nspname like 'raw%'"
            " group by 1 order by 1"
        ).fetchall()
    return {f"disk_mb_{schema}": float(size) for schema, size in rows}


def _list_slowest(settings: Settings, night_seconds: float) -> Figures:
    """The slowest models of the last night, and the share of the slowest."""
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute(
            "select model_runs.model, model_runs.seconds"
            " from audit.model_runs inner join audit.models"
            "  on models.model = model_runs.model"
            " where build_id = (select max(build_id) from audit.builds)"
            " order by model_runs.seconds desc limit %s",
            [SLOWEST],
        ).fetchall()
    slowest = {f"slowest_{model}_seconds": float(seconds) for model, seconds in rows}
    share = max(slowest.values()) / night_seconds
    return {**slowest, "slowest_model_share_of_night": share}


def _describe(steps: Figures) -> str:
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in steps.items())
    return f"{sum(steps.values()):.1f} s ({parts})"


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
