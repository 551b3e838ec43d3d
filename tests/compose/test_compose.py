"""docker-compose.yml as it runs: nights, and what befalls a server in a year.

Where no container engine answers nothing is checked, and the reason says so. The tests
go on from one another, in this order: it is one server's life.
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from include.batch_dates import find_data_interval
from include.building.publish import verify_published
from include.embedded.scheduled_night import DAG_ID
from include.errors import WarehouseError
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings
from tests import nights
from tests.compose.stack import Stack, find_missing_engine
from tests.nights import fetch, hash_marts, list_days

SAMPLE = SampleParameters(customers=100, nights=7, seed=17)
DAYS = list_days(SAMPLE.first_night, SAMPLE.last_night)
SERVICES = {"postgres", "api-server", "scheduler", "dag-processor", "triggerer"}
IS_BUILDING = (
    "select status, exists (select from pg_stat_activity"
    " where state = 'active' and application_name = 'dbt')"
    " from audit.builds order by build_id desc limit 1"
)
MISSING = find_missing_engine()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(MISSING is not None, reason=f"NOT CHECKED: {MISSING}"),
    pytest.mark.timeout(3600),
]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    # Not pytest's own temporary folder: the containers' user may not enter that.
    folder = Path(tempfile.mkdtemp(prefix="cx-tests-"))
    folder.chmod(0o755)
    write_sample_exports(folder / "landing", SAMPLE)
    stack = Stack(folder, folder / "landing")
    try:
        yield stack
    finally:
        stack.remove()
        shutil.rmtree(folder)


def start_night(stack: Stack, day: date) -> str:
    stack.wait_until(lambda: is_dag_known(stack), "the DAG is read")
    interval = find_data_interval(day, "America/Sao_Paulo")
    return stack.connect().start_run(DAG_ID, *interval)


def is_dag_known(stack: Stack) -> bool:
    return stack.connect().is_dag_ready(DAG_ID, datetime(2000, 1, 1, tzinfo=UTC))


def find_state(stack: Stack, run_id: str) -> str:
    return stack.connect().read_run_state(DAG_ID, run_id)


def wait_for_end(stack: Stack, run_id: str) -> str:
    def has_ended() -> bool:
        return find_state(stack, run_id) in ("success", "failed")

    stack.wait_until(has_ended, f"{run_id} ends")
    return find_state(stack, run_id)


def run_night(stack: Stack, day: date) -> None:
    run_id = start_night(stack, day)
    assert wait_for_end(stack, run_id) == "success", describe(stack, run_id)


def wait_for_build(stack: Stack) -> None:
    """Wait until a build is in the middle of its models."""
    settings = stack.settings()
    stack.wait_until(
        lambda: fetch(settings, IS_BUILDING) == [("running", True)],
        "models are being built",
    )


def describe(stack: Stack, run_id: str) -> str:
    api = stack.connect()
    return "; ".join(
        f"{task.task_id}: {api.read_error(DAG_ID, run_id, task)}"
        for task in api.list_tasks(DAG_ID, run_id)
        if task.state == "failed"
    )


def test_it_does_not_start_without_each_of_its_secrets(stack: Stack) -> None:
    for name in stack.variables:
        if name.endswith("_PORT") or name == "POSTGRES_SHARED_BUFFERS":
            continue
        with pytest.raises(WarehouseError, match=f"{name}.*set it in .env"):
            stack.compose("config", leaves_out=name)


def test_everything_comes_up_healthy_and_the_warehouse_is_ready(stack: Stack) -> None:
    stack.compose("build")
    stack.up()
    assert stack.list_states() == dict.fromkeys(SERVICES, "healthy")
    # Before the first night: tables are made, and a reader may log in.
    assert fetch(stack.settings(), "select count(*) from audit.loads") == [(0,)]
    with psycopg.connect(stack.settings("bi_reader").database_url) as reader:
        assert reader.execute("select from marts.data_status").fetchall() == []
    assert fetch(stack.settings(), "show shared_buffers") == [("256MB",)]


def test_nobody_is_root_and_nothing_can_be_written_but_the_volumes(
    stack: Stack,
) -> None:
    for service in SERVICES:
        assert stack.run(service, "id", "-u").strip() != "0"
        for place in ("/etc", "/usr/local/bin", "/opt"):
            with pytest.raises(WarehouseError, match=r"Read-only|denied"):
                stack.run(service, "touch", f"{place}/written")
    with pytest.raises(WarehouseError, match=r"Read-only"):
        stack.run("scheduler", "touch", "/landing/written")


def test_a_night_runs_through_the_api(stack: Stack) -> None:
    run_night(stack, DAYS[0])
    assert verify_published(stack.settings()) == {}
    assert stack.run("scheduler", "ls", "/report").split().count("scorecard.html") == 1


def test_data_outlives_down_and_up(stack: Stack) -> None:
    before = hash_marts(stack.settings())
    stack.compose("down")
    stack.up()
    assert hash_marts(stack.settings()) == before
    # So does what Airflow remembers.
    interval = find_data_interval(DAYS[0], "America/Sao_Paulo")
    assert f"{interval[0]:%Y-%m-%d}" in stack.run(
        "scheduler", "airflow", "dags", "list-runs", DAG_ID, "--output", "plain"
    )


def test_a_night_goes_on_after_its_scheduler_was_killed(stack: Stack) -> None:
    run_id = start_night(stack, DAYS[1])
    wait_for_build(stack)
    stack.kill_main_process("scheduler", "airflow scheduler")
    if wait_for_end(stack, run_id) != "success":
        # Then it says why, and running it again mends it.
        assert describe(stack, run_id)
        run_night(stack, DAYS[1])
    assert verify_published(stack.settings()) == {}
    stack.wait_until(
        lambda: stack.list_states() == dict.fromkeys(SERVICES, "healthy"),
        "the scheduler is healthy again",
    )


def test_a_night_survives_its_database_being_restarted(stack: Stack) -> None:
    run_id = start_night(stack, DAYS[2])
    wait_for_build(stack)
    stack.compose("restart", "postgres")
    if wait_for_end(stack, run_id) != "success":
        assert describe(stack, run_id)
        run_night(stack, DAYS[2])
    assert verify_published(stack.settings()) == {}


def test_a_backup_brings_a_lost_warehouse_back(stack: Stack) -> None:
    before = hash_marts(stack.settings())
    server = ("python", "-m", "include.server")
    folder = stack.run("scheduler", *server, "backup").split(":")[0]
    nights.execute(stack.settings(), "drop schema marts cascade")
    # As docs/recovery.md says.
    stack.compose("stop", *sorted(SERVICES - {"postgres"}))
    restore = ("run", "--rm", "--no-deps", "--no-TTY", "scheduler", *server, "restore")
    with pytest.raises(WarehouseError, match="is not empty"):
        stack.compose(*restore, folder)
    stack.compose(*restore, "--replace", folder)
    stack.up()
    assert hash_marts(stack.settings()) == before
    run_night(stack, DAYS[3])


def test_the_marts_are_those_of_a_warehouse_that_nothing_befell(
    stack: Stack, warehouse: Settings
) -> None:
    calm = replace(
        warehouse,
        landing_url=str(stack.landing),
        key_secret=stack.variables["CX_KEY_SECRET"],
    )
    nights.execute(calm, "delete from audit.settings where name = 'key_fingerprint'")
    nights.execute(calm, "update audit.models set built_fingerprint = null")
    assert nights.run(calm, DAYS[0], DAYS[3], "calm", with_tests=False) == []
    assert hash_marts(stack.settings()) == hash_marts(calm)
