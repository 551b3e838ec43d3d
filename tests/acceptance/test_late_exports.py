"""A night whose exports are late: through scheduler and triggerer, to the mail.

The clock is real: the night is run in a time zone in which it is four in the morning,
with a deadline some minutes ahead.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from include.batch_dates import find_batch_date, find_data_interval
from include.embedded.airflow import EmbeddedAirflow
from include.embedded.airflow_api import AirflowApi
from include.embedded.postgres import EmbeddedPostgres
from include.embedded.scheduled_night import wait_for_dag
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import PROJECT_FOLDER, Settings
from tests.conftest import KEY_SECRET, open_database
from tests.dags.mail_server import Mailbox, open_mailbox
from tests.dags.zones import find_zone_where_it_is_four
from tests.nights import fetch

pytestmark = pytest.mark.slow

# Time for Airflow to start, and for two sources to come in time.
MINUTES_TO_DEADLINE = 4
LATE_SYSTEM = "zendesk"


class LateNight:
    """An empty landing zone, an Airflow at four in the morning, a mail server."""

    def __init__(self, settings: Settings, airflow: EmbeddedAirflow, box: Mailbox):
        self.settings = settings
        self.airflow = airflow
        self.box = box
        self.night = find_batch_date(
            None, datetime.now(UTC), settings.reporting_time_zone
        )
        self.prepared = Path(settings.landing_url).with_name("prepared")
        sample = SampleParameters(
            customers=150,
            nights=7,
            # All of them as one export of the last night.
            first_export_nights=7,
            last_night=self.night,
            reporting_time_zone=settings.reporting_time_zone,
        )
        write_sample_exports(self.prepared, sample)

    def deliver(self, system: str) -> None:
        """Let a source send its exports; they were written some time ago."""
        for path in (self.prepared / system).rglob("*"):
            os.utime(path, (1_600_000_000, 1_600_000_000))
        shutil.copytree(
            self.prepared / system, Path(self.settings.landing_url) / system
        )

    def start(self, api: AirflowApi, dag_id: str) -> str:
        interval = find_data_interval(self.night, self.settings.reporting_time_zone)
        return api.start_run(dag_id, *interval)

    def read_states(self, api: AirflowApi, run_id: str) -> dict[str, str]:
        return {task.task_id: task.state for task in api.list_tasks("nightly", run_id)}


@pytest.fixture
def late_night(postgres_server: EmbeddedPostgres) -> Iterator[LateNight]:
    with ExitStack() as at_the_end:
        folder = Path(tempfile.mkdtemp(prefix="cx-tests-"))
        at_the_end.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "landing").mkdir()
        warehouse, metadata = (
            at_the_end.enter_context(open_database(postgres_server, "template1"))
            for _ in range(2)
        )
        box, port = at_the_end.enter_context(open_mailbox())
        zone = find_zone_where_it_is_four()
        local_time = datetime.now(ZoneInfo(zone)) + timedelta(
            minutes=MINUTES_TO_DEADLINE
        )
        settings = Settings(
            database_url=warehouse,
            landing_url=str(folder / "landing"),
            key_secret=KEY_SECRET,
            reporting_time_zone=zone,
            report_folder=folder / "report",
        )
        extra = {"from_email": "warehouse@example.com"}
        extra |= {"disable_ssl": True, "disable_tls": True}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port}
        airflow = EmbeddedAirflow(
            folder / "airflow",
            folder / "logs",
            metadata,
            PROJECT_FOLDER,
            {
                "CX_DATABASE_URL": warehouse,
                "CX_LANDING_URL": settings.landing_url,
                "CX_KEY_SECRET": KEY_SECRET,
                "CX_REPORTING_TIME_ZONE": zone,
                "CX_REPORT_FOLDER": str(settings.report_folder),
                "CX_EXPORT_DEADLINE": f"{local_time:%H:%M}",
                "CX_ALERT_EMAILS": "data@example.com",
                "AIRFLOW_CONN_CX_MAIL": json.dumps(connection | {"extra": extra}),
            },
            is_scheduled=False,
        )
        at_the_end.callback(airflow.stop)
        airflow.start()
        yield LateNight(settings, airflow, box)


def wait_until(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


@pytest.mark.timeout(1800)
def test_a_night_waits_goes_on_without_what_does_not_come_and_is_made_good(
    late_night: LateNight,
) -> None:
    api = late_night.airflow.connect()
    wait_for_dag(api, late_night.airflow.started_at)
    run_id = late_night.start(api, "nightly")

    def read_states() -> dict[str, str]:
        return late_night.read_states(api, run_id)

    waits = {f"wait_for_{role}" for role in ("crm", "survey", "ticket")}
    wait_until(
        lambda: all(read_states()[wait] == "deferred" for wait in waits),
        90,
        "all sources are awaited in the triggerer",
    )
    late_night.deliver("hubspot")
    late_night.deliver("qualtrics")
    wait_until(
        lambda: read_states()["extract_crm"] == "success", 120, "the CRM is loaded"
    )
    assert read_states()["wait_for_ticket"] == "deferred"
    wait_until(
        lambda: api.read_run_state("nightly", run_id) in ("success", "failed"),
        900,
        "the night ends",
    )
    assert {task for task, state in read_states().items() if state == "failed"} == {
        *("extract_ticket", "report")
    }
    published = "select count(*) from marts.fct_touchpoints"
    assert fetch(late_night.settings, published) != [(0,)]
    assert [str(mail["Subject"]) for mail in late_night.box.mails] == [
        "Open: Export late or missing, zendesk"
    ]

    # It comes after all, and the night is run again: nothing is awaited any more.
    late_night.deliver(LATE_SYSTEM)
    assert late_night.start(api, "nightly") == run_id
    wait_until(lambda: "waiting" in read_states().values(), 60, "the night runs again")
    wait_until(
        lambda: api.read_run_state("nightly", run_id) in ("success", "failed"),
        900,
        "the night ends again",
    )
    assert set(read_states().values()) == {"success"}
    assert fetch(late_night.settings, "select count(*) from marts.fct_tickets") != [
        (0,)
    ]
    assert [str(mail["Subject"]) for mail in late_night.box.mails[1:]] == [
        "Over: Export late or missing, zendesk"
    ]

    # A look between the nights finds nothing new, and tells nobody.
    look = late_night.start(api, "watch")
    wait_until(
        lambda: api.read_run_state("watch", look) in ("success", "failed"),
        120,
        "the look ends",
    )
    assert api.read_run_state("watch", look) == "success"
    assert len(late_night.box.mails) == 2
