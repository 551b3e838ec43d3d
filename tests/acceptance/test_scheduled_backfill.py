"""Backfills through the real scheduler: the DAG by its API, and Airflow's own."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from include.embedded.airflow_api import AirflowApi
from include.embedded.runtime import Runtime
from include.embedded.scheduled_night import wait_for_dag
from include.errors import WarehouseError
from include.sample_exports import SampleParameters, write_sample_exports
from tests.clone import call, open_clone

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SAMPLE = SampleParameters(customers=100, nights=7, seed=5, rows_only=True)
FIRST, LAST = SAMPLE.first_night, SAMPLE.last_night
# The first four nights by the DAG `backfill`, the last three by Airflow's own.
FOURTH = FIRST + timedelta(days=3)
EXTRACTS = ("extract_crm", "extract_survey", "extract_ticket")
STEPS = (*EXTRACTS, "check_raw", "build", "check_marts", "compare", "publish", "report")


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    """A copy of the code with a sample landed, and Airflow up."""
    with open_clone() as folder:
        write_sample_exports(Runtime(folder).sample_folder, SAMPLE)
        up = call(folder, "up")
        assert up.returncode == 0, up.stderr
        yield folder


@pytest.fixture(scope="module")
def api(clone: Path) -> AirflowApi:
    runtime = Runtime(clone)
    airflow = runtime.airflow(str(runtime.sample_folder))
    client = airflow.connect()
    wait_for_dag(client, airflow.started_at)
    return client


def wait(api: AirflowApi, dag_id: str, run_id: str) -> str:
    """Wait for the end of a run; return its state."""
    deadline = time.monotonic() + 900
    while (state := api.read_run_state(dag_id, run_id)) not in ("success", "failed"):
        assert time.monotonic() < deadline, f"{run_id} is still {state}"
        time.sleep(1)
    return state


def fetch(clone: Path, query: str) -> list[tuple]:
    with psycopg.connect(Runtime(clone).postgres.url()) as connection:
        return connection.execute(query.encode()).fetchall()


def read_loaded_dates(clone: Path) -> set[object]:
    rows = fetch(
        clone,
        "select batch_date from audit.loads where status = 'accepted' group by 1"
        " having count(*) >= 14",
    )
    return {row[0] for row in rows}


def test_a_dry_run_ends_well_after_its_plan_and_writes_nothing(
    clone: Path, api: AirflowApi
) -> None:
    parameters = {"from": str(FIRST), "to": str(FOURTH), "dry_run": True}
    run_id = api.start_run_by_hand("backfill", parameters)
    assert wait(api, "backfill", run_id) == "success"
    states = {task.task_id: task.state for task in api.list_tasks("backfill", run_id)}
    assert states == {"plan": "success", **dict.fromkeys(STEPS, "skipped")}
    result = api.read_result("backfill", run_id, "plan")
    plan = json.loads(result) if isinstance(result, str) else result
    assert plan["loads"] > 0
    assert plan["feeds"][0]["new"] == [
        str(FIRST + timedelta(days=day)) for day in range(4)
    ]
    assert fetch(clone, "select count(*) from audit.loads") == [(0,)]
    assert fetch(clone, "select count(*) from audit.run_steps") == [(0,)]


def test_a_backfill_loads_the_nights_of_its_form_and_publishes_once(
    clone: Path, api: AirflowApi
) -> None:
    run_id = api.start_run_by_hand("backfill", {"from": str(FIRST), "to": str(FOURTH)})
    assert wait(api, "backfill", run_id) == "success"
    states = {task.task_id: task.state for task in api.list_tasks("backfill", run_id)}
    assert states == dict.fromkeys(("plan", *STEPS), "success")
    assert len(read_loaded_dates(clone)) == 4
    assert fetch(clone, "select run_id from audit.publishes") == [(run_id,)]


def test_a_form_without_dates_or_with_other_sources_is_refused(
    clone: Path, api: AirflowApi
) -> None:
    with pytest.raises(WarehouseError, match="400"):
        api.start_run_by_hand("backfill", {"to": str(FOURTH)})
    with pytest.raises(WarehouseError, match="400"):
        api.start_run_by_hand(
            "backfill",
            {"from": str(FIRST), "to": str(FOURTH), "sources": ["pipedrive"]},
        )


def test_airflows_own_backfill_runs_the_nightly_dag_for_each_night(
    clone: Path, api: AirflowApi
) -> None:
    nights = [LAST - timedelta(days=2), LAST - timedelta(days=1), LAST]
    created = call(
        *(clone, "airflow", "--", "backfill", "create", "--dag-id", "nightly"),
        *("--from-date", f"{nights[0]}T00:00:00-03:00"),
        *("--to-date", f"{nights[-1]}T23:59:00-03:00"),
        *("--max-active-runs", "1", "--reprocess-behavior", "completed"),
    )
    assert created.returncode == 0, created.stdout + created.stderr
    deadline = time.monotonic() + 900
    while set(nights) - read_loaded_dates(clone) or fetch(
        clone, "select count(*) from audit.publishes where rows_inserted > 0"
    ) < [(4,)]:
        assert time.monotonic() < deadline, read_loaded_dates(clone)
        time.sleep(1)
    assert fetch(clone, "select distinct as_of_date from audit.as_of") == [(LAST,)]
    assert fetch(clone, "select count(*) from audit.feed_failures") == [(0,)]


def test_the_command_line_finds_nothing_left_to_do(
    clone: Path, api: AirflowApi
) -> None:
    publishes = fetch(clone, "select count(*) from audit.published_changes")
    nights = ("--from", str(FIRST), "--to", str(LAST))
    dry_run = call(clone, "backfill", *nights, "--dry-run")
    assert dry_run.returncode == 0, dry_run.stderr
    assert f"Backfill of {FIRST} to {LAST}, 7 nights" in dry_run.stdout
    assert "Loads to write: 0; rows: 0" in dry_run.stdout
    done = call(clone, "backfill", *nights)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hubspot.contacts: 7 nights" in done.stdout
    assert "compare: nothing changes for readers" in done.stdout
    assert fetch(clone, "select count(*) from audit.published_changes") == publishes
