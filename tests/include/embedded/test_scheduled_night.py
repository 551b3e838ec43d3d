"""The real Airflow runs a night, is followed from outside, and leaves nothing behind.

The DAG here has the name of the real one, and tasks that take no time: what is tested
is the runtime around it. tests/acceptance runs the real one.
"""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import psutil
import pytest

from include.embedded import processes
from include.embedded.airflow import EmbeddedAirflow
from include.embedded.airflow_api import AirflowApi
from include.embedded.postgres import EmbeddedPostgres
from include.embedded.scheduled_night import collect_errors, run_night
from include.errors import WarehouseError
from include.settings import PROJECT_FOLDER
from tests.conftest import open_database

DAG = """
import os
from datetime import datetime, timezone
from airflow.sdk import CronDataIntervalTimetable, TriggerRule, dag, task
from airflow.sdk.exceptions import AirflowFailException

@task
def extract(dag_run):
    from include.batch_dates import find_batch_date
    day = find_batch_date(dag_run.data_interval_start, dag_run.run_after, "UTC")
    with open(os.environ["CX_LANDING_URL"]) as landing:
        if landing.read() == "broken":
            raise AirflowFailException(f"{day}: the export is broken; send it again.")

@task
def publish():
    pass

@dag(schedule=CronDataIntervalTimetable("0 2 * * *", timezone="UTC"),
     start_date=datetime(2015, 1, 1, tzinfo=timezone.utc), catchup=False)
def nightly():
    extract() >> publish()

nightly()
"""
NIGHT = date(2026, 11, 20)


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("landing") / "export"
    file.write_text("whole")
    return file


@pytest.fixture(scope="module")
def airflow(
    postgres_server: EmbeddedPostgres,
    landing: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[EmbeddedAirflow]:
    project = tmp_path_factory.mktemp("project")
    (project / "dags").mkdir()
    (project / "dags" / "nightly.py").write_text(DAG)
    shutil.copytree(PROJECT_FOLDER / "dags/plugins", project / "dags/plugins")
    shutil.copytree(
        PROJECT_FOLDER / "include",
        project / "include",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    folder = tmp_path_factory.mktemp("airflow")
    with open_database(postgres_server, template="template1") as url:
        airflow = EmbeddedAirflow(
            folder / "home",
            folder / "logs",
            url,
            project,
            {
                "CX_LANDING_URL": str(landing),
                "CX_REPORT_FOLDER": str(folder / "report"),
            },
            is_scheduled=False,
        )
        try:
            airflow.start()
            yield airflow
        finally:
            airflow.stop()


def list_processes(airflow: EmbeddedAirflow) -> list[psutil.Process]:
    """List the processes of this Airflow with all that they started."""
    files = (airflow.folder / "processes").iterdir()
    leaders = [processes.find_process(file) for file in files]
    return [
        psutil.Process(member)
        for leader in leaders
        if leader is not None
        for member in processes.list_session(leader)
    ]


def test_a_night_runs_and_each_task_is_told(airflow: EmbeddedAirflow) -> None:
    said: list[str] = []
    assert run_night(airflow, NIGHT, "UTC", said.append) == []
    text = "\n".join(said)
    assert "The night of 2026-11-20 runs through the scheduler" in text
    assert "extract         done in" in text
    assert "publish         done in" in text
    assert "s after the trigger" in text


@pytest.fixture(scope="module")
def report_folder(airflow: EmbeddedAirflow) -> Path:
    """A report folder with pages of a night, and with what is nobody's to read."""
    folder = airflow.folder.parent / "report"
    (folder / "data_docs").mkdir(parents=True)
    (folder / "dbt").mkdir()
    (folder / "scorecard.html").write_text("the scorecard")
    (folder / "data_docs/index.html").write_text("the data docs")
    (folder / "dbt/profiles.yml").write_text("a secret")
    return folder


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scorecard.html", "the scorecard"),
        ("data_docs/index.html", "the data docs"),
    ],
)
def test_airflow_shows_the_pages_of_the_night_to_who_is_logged_in(
    airflow: EmbeddedAirflow, report_folder: Path, path: str, text: str
) -> None:
    assert read_page(airflow, path) == (200, text)
    assert read_page(airflow, path, is_logged_in=False)[0] == 401


@pytest.mark.parametrize(
    "path",
    [
        "dbt/profiles.yml",
        "data_docs/../dbt/profiles.yml",
        "data_docs/%2e%2e/dbt/profiles.yml",
        "%2e%2e/home/passwords.json",
        "data_docs",
        "missing.html",
    ],
)
def test_airflow_shows_nothing_else_of_the_report_folder(
    airflow: EmbeddedAirflow, report_folder: Path, path: str
) -> None:
    assert read_page(airflow, path)[0] == 404


def read_page(
    airflow: EmbeddedAirflow, path: str, *, is_logged_in: bool = True
) -> tuple[int, str]:
    """Ask the API server for a page of the report; its status and text."""
    headers = {}
    if is_logged_in:
        login = httpx.post(
            f"{airflow.url}/auth/token",
            json={"username": "admin", "password": airflow.password},
            trust_env=False,
        )
        headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    answer = httpx.get(f"{airflow.url}/report/{path}", headers=headers, trust_env=False)
    return answer.status_code, answer.text


def test_the_same_night_runs_again(airflow: EmbeddedAirflow) -> None:
    assert run_night(airflow, NIGHT, "UTC", lambda line: None) == []
    assert run_night(airflow, NIGHT, "UTC", lambda line: None) == []


def test_a_failed_task_is_told_with_its_own_sentence(
    airflow: EmbeddedAirflow, landing: Path
) -> None:
    said: list[str] = []
    landing.write_text("broken")
    problems = run_night(airflow, NIGHT, "UTC", said.append)
    assert problems == ["extract: 2026-11-20: the export is broken; send it again."]
    text = "\n".join(said)
    assert "extract         FAILED after" in text
    assert "publish         does not run, because of a failure before it" in text
    assert "after the trigger" not in text

    landing.write_text("whole")
    assert run_night(airflow, NIGHT, "UTC", lambda line: None) == []


def test_an_error_that_was_told_is_not_told_twice() -> None:
    missing = "hubspot.contacts of 2026-11-20: no file arrived; send it."
    held = "zendesk.tickets of 2026-11-20 is held: half the rows are missing."
    assert collect_errors(
        [("extract_crm", missing), ("report", f"{missing} {held}")]
    ) == [f"extract_crm: {missing}", f"report: {held}"]
    assert collect_errors([("extract_crm", missing), ("report", missing)]) == [
        f"extract_crm: {missing}"
    ]


def test_nothing_listens_beyond_loopback(airflow: EmbeddedAirflow) -> None:
    addresses = {
        connection.laddr.ip
        for process in list_processes(airflow)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_the_password_is_asked_for(airflow: EmbeddedAirflow) -> None:
    with pytest.raises(WarehouseError, match="401"):
        AirflowApi(airflow.url, "admin", "guess")
    for name in ("passwords.json", "secrets.json"):
        assert (airflow.folder / name).stat().st_mode & 0o077 == 0


def test_a_second_start_leaves_the_processes_as_they_are(
    airflow: EmbeddedAirflow,
) -> None:
    before = {process.pid for process in list_processes(airflow)}
    airflow.start()
    assert before <= {process.pid for process in list_processes(airflow)}


def test_after_the_stop_no_process_is_left(airflow: EmbeddedAirflow) -> None:
    before = list_processes(airflow)
    assert len(before) > 4, "the four, and the workers of the scheduler"
    airflow.stop()
    assert [member for member in before if processes.is_alive(member.pid)] == []
    assert not airflow.is_running()
