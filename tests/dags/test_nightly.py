"""The nightly DAG: what runs after what, on which days, and what it may import."""

import itertools
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, CronDataIntervalTimetable, TriggerRule
from airflow.timetables.interval import CronDataIntervalTimetable as Timetable

from include.batch_dates import find_batch_date, find_data_interval
from include.settings import PROJECT_FOLDER

EXTRACTS = {"extract_crm", "extract_survey", "extract_ticket"}
CHAIN = ["check_raw", "build", "check_marts", "publish", "report"]
ZONE = "America/Sao_Paulo"


@pytest.fixture(scope="module")
def nightly() -> DAG:
    bag = DagBag(PROJECT_FOLDER / "dags")
    assert bag.import_errors == {}
    assert set(bag.dags) == {
        file.stem for file in (PROJECT_FOLDER / "dags").glob("*.py")
    }, "the file's name is the DAG's"
    return bag.dags["nightly"]


def test_the_sources_are_loaded_side_by_side_and_then_one_step_follows_another(
    nightly: DAG,
) -> None:
    upstream = {task.task_id: task.upstream_task_ids for task in nightly.tasks}
    assert upstream == {
        **{extract: set() for extract in EXTRACTS},
        "check_raw": EXTRACTS,
        **{after: {before} for before, after in itertools.pairwise(CHAIN)},
    }


def test_a_failed_source_blocks_neither_the_gate_nor_the_report(nightly: DAG) -> None:
    rules = {task.task_id: task.trigger_rule for task in nightly.tasks}
    assert rules == {
        **dict.fromkeys(EXTRACTS, TriggerRule.ALL_SUCCESS),
        "check_raw": TriggerRule.ALL_DONE,
        "build": TriggerRule.ALL_SUCCESS,
        "check_marts": TriggerRule.ALL_SUCCESS,
        "publish": TriggerRule.ALL_SUCCESS,
        "report": TriggerRule.ALL_DONE,
    }


def test_nights_never_overlap_and_missed_ones_are_not_caught_up(nightly: DAG) -> None:
    assert nightly.max_active_runs == 1
    assert nightly.catchup is False


def test_every_task_has_an_owner_and_a_fixed_number_of_attempts(nightly: DAG) -> None:
    assert {task.owner for task in nightly.tasks} == {"customer-experience"}
    assert {task.retries for task in nightly.tasks} == {2}


def test_the_page_of_the_dag_says_what_it_does_when_and_what_to_do(
    nightly: DAG,
) -> None:
    assert nightly.doc_md is not None
    for part in ("### Nightly", "**Schedule.**", "**When it fails.**"):
        assert part in nightly.doc_md


@pytest.mark.parametrize(
    ("now", "batch_date"),
    [
        # Two in the morning in Sao Paulo is five o'clock in UTC.
        (datetime(2026, 11, 21, 4, 59, tzinfo=UTC), date(2026, 11, 19)),
        (datetime(2026, 11, 21, 5, 1, tzinfo=UTC), date(2026, 11, 20)),
    ],
)
def test_a_scheduled_run_loads_the_day_that_ended_before_it(
    nightly: DAG, now: datetime, batch_date: date
) -> None:
    schedule = nightly.timetable
    assert isinstance(schedule, CronDataIntervalTimetable)
    timetable = Timetable(schedule.expression, schedule.timezone)
    interval = timetable.infer_manual_data_interval(run_after=now)
    assert interval.end - interval.start == timedelta(days=1)
    assert find_batch_date(interval.start, now, ZONE) == batch_date
    assert find_data_interval(batch_date, ZONE) == (interval.start, interval.end), (
        "a night started by hand has the interval of the scheduled one"
    )


def test_reading_the_dag_file_imports_nothing_heavy_and_reads_no_setting() -> None:
    code = """
import runpy, sys, time
import airflow.sdk, airflow.sdk.exceptions
from airflow.sdk import CronDataIntervalTimetable, TriggerRule, dag, task
started = time.perf_counter()
runpy.run_path("dags/nightly.py")
print(time.perf_counter() - started)
names = {name.split(".")[0] for name in sys.modules}
print(sorted(names & {"include", "dbt", "great_expectations", "pandas", "psycopg"}))
"""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CX_")
    }
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT_FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, heavy = result.stdout.splitlines()[-2:]
    assert heavy == "[]"
    # It takes some 0.05 s; the bound is wide because test machines are busy.
    assert float(seconds) < 2
