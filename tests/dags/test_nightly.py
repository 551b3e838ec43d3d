"""The nightly DAG: what runs after what, on which days, and what it may import."""

import itertools
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.batch_dates import find_batch_date, find_data_interval
from include.settings import PROJECT_FOLDER
from tests.dags.read_dags import run_python

ROLES = ("crm", "survey", "ticket")
EXTRACTS = [f"extract_{role}" for role in ROLES]
WAITS = [f"wait_for_{role}" for role in ROLES]
CHAIN = ["check_raw", "build", "check_marts", "publish", "report"]
ZONE = "America/Sao_Paulo"
# Two in the morning in Sao Paulo is five o'clock in UTC.
INSTANTS = {
    "2026-11-21T04:59:00+00:00": date(2026, 11, 19),
    "2026-11-21T05:01:00+00:00": date(2026, 11, 20),
}


@pytest.fixture(scope="module")
def nightly(described: dict[str, Any]) -> dict[str, Any]:
    dag: dict[str, Any] = described["dags"]["nightly"]
    return dag


def test_every_file_is_one_dag_of_its_name_and_is_read_without_an_error(
    described: dict[str, Any],
) -> None:
    assert described["import_errors"] == {}
    files = {file.stem for file in (PROJECT_FOLDER / "dags").glob("*.py")}
    assert set(described["dags"]) == files
    assert "nightly" in files


def test_sources_are_awaited_and_loaded_side_by_side_then_one_step_follows_another(
    nightly: dict[str, Any],
) -> None:
    upstream = {name: task["upstream"] for name, task in nightly["tasks"].items()}
    assert upstream == {
        **{wait: [] for wait in WAITS},
        **{extract: [wait] for extract, wait in zip(EXTRACTS, WAITS, strict=True)},
        "check_raw": EXTRACTS,
        **{after: [before] for before, after in itertools.pairwise(CHAIN)},
    }


def test_a_failed_source_blocks_neither_the_gate_nor_the_report(
    nightly: dict[str, Any],
) -> None:
    rules = {name: task["trigger_rule"] for name, task in nightly["tasks"].items()}
    assert rules == {
        **dict.fromkeys(WAITS, "all_success"),
        # What could not be waited for is loaded as it is.
        **dict.fromkeys(EXTRACTS, "all_done"),
        "check_raw": "all_done",
        "build": "all_success",
        "check_marts": "all_success",
        "publish": "all_success",
        "report": "all_done",
    }


def test_nights_never_overlap_and_missed_ones_are_not_caught_up(
    nightly: dict[str, Any],
) -> None:
    assert nightly["max_active_runs"] == 1
    assert nightly["catchup"] is False


def test_every_task_has_an_owner_and_a_fixed_number_of_attempts(
    nightly: dict[str, Any],
) -> None:
    tasks = nightly["tasks"].values()
    assert {task["owner"] for task in tasks} == {"customer-experience"}
    assert {task["retries"] for task in tasks} == {2}


def test_the_page_of_the_dag_says_what_it_does_when_and_what_to_do(
    nightly: dict[str, Any],
) -> None:
    for part in ("### Nightly", "**Schedule.**", "**When it fails.**"):
        assert part in nightly["doc"]


def test_a_scheduled_run_loads_the_day_that_ended_before_it(
    nightly: dict[str, Any],
) -> None:
    assert nightly["timetable"] == "CronDataIntervalTimetable"
    for (instant, batch_date), interval in zip(
        INSTANTS.items(), nightly["intervals"], strict=True
    ):
        start, end = map(datetime.fromisoformat, interval)
        assert end - start == timedelta(days=1)
        now = datetime.fromisoformat(instant)
        assert find_batch_date(start, now, ZONE) == batch_date
        assert find_data_interval(batch_date, ZONE) == (start, end), (
            "a night started by hand has the interval of the scheduled one"
        )


def test_reading_the_dag_file_imports_nothing_heavy_and_reads_no_setting(
    tmp_path: Path,
) -> None:
    code = """
import runpy, sys, time
from airflow.sdk import CronDataIntervalTimetable, TriggerRule, dag, task
from airflow.sdk.exceptions import AirflowFailException
started = time.perf_counter()
runpy.run_path("dags/nightly.py")
seconds = time.perf_counter() - started
names = {name.split(".")[0] for name in sys.modules}
heavy = names & {"include", "dbt", "great_expectations", "pandas", "psycopg"}
print(seconds, *sorted(heavy))
"""
    seconds, *heavy = run_python(["-c", code], tmp_path).split()
    assert heavy == []
    # It takes some 0.05 s; the bound is wide because test machines are busy.
    assert float(seconds) < 2
