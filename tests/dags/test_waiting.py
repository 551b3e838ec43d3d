"""Waiting for exports in the triggerer: until they are there, or the deadline."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.batch_dates import find_batch_date
from include.contracts import read_contracts
from include.settings import Settings
from tests.conftest import settings_of
from tests.dags.read_dags import AirflowShell
from tests.dags.zones import find_zone_where_it_is_four

# The role with the fewest required feeds.
ROLE = "survey"

RUN_TRIGGER = """
import asyncio
from airflow.triggers.base import BaseTrigger
from airflow.sdk.module_loading import import_string
from dags.shared.exports_trigger import ExportsTrigger

path, arguments = ExportsTrigger({role!r}, {day!r}, seconds=0.2).serialize()
trigger = import_string(path)(**arguments)
assert isinstance(trigger, BaseTrigger)

async def wait():
    async for event in trigger.run():
        return event.payload

answer = asyncio.run(asyncio.wait_for(wait(), 30))
"""
EXECUTE = """
from datetime import date
from types import SimpleNamespace
from airflow.sdk.exceptions import TaskDeferred
import dags.shared.waiting
from include.batch_dates import find_data_interval

dags.shared.waiting.TIME_ZONE = {zone!r}
start, end = find_data_interval(date.fromisoformat({day!r}), {zone!r})
run = SimpleNamespace(data_interval_start=start, run_after=end)
task = dags.shared.waiting.WaitForExports(task_id="wait", role={role!r})
try:
    task.execute({{"dag_run": run}})
    answer = "goes on"
except TaskDeferred as deferred:
    answer = [deferred.method_name, *deferred.trigger.serialize()]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    landing = tmp_path / "landing"
    landing.mkdir()
    return settings_of("postgresql://nobody@nowhere/none", landing)


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return {
        "CX_DATABASE_URL": settings.database_url,
        "CX_LANDING_URL": settings.landing_url,
        "CX_KEY_SECRET": settings.key_secret,
        "CX_REPORT_FOLDER": str(settings.report_folder),
        "CX_REPORTING_TIME_ZONE": find_zone_where_it_is_four(),
        "CX_EXPORT_DEADLINE": "06:00",
    }


def find_tonight(environment: dict[str, str]) -> str:
    """The batch date of the night that it is there now."""
    zone = environment["CX_REPORTING_TIME_ZONE"]
    return find_batch_date(None, datetime.now(UTC), zone).isoformat()


def put_exports(settings: Settings, day: str) -> list[str]:
    """Put an old file into the folder of each required feed; return the feeds."""
    feeds = []
    for contract in read_contracts(settings.project_folder).values():
        if contract.role == ROLE and contract.required:
            path = Path(settings.landing_url, contract.system, contract.feed, day)
            path.mkdir(parents=True)
            (path / "export.csv").write_text("a\n")
            os.utime(path / "export.csv", (1_600_000_000, 1_600_000_000))
            feeds.append(contract.name)
    return feeds


def test_the_trigger_fires_when_the_exports_are_there(
    airflow_shell: AirflowShell, settings: Settings, environment: dict[str, str]
) -> None:
    day = find_tonight(environment)
    put_exports(settings, day)
    code = RUN_TRIGGER.format(role=ROLE, day=day)
    assert airflow_shell.run(code, environment) == []


def test_the_trigger_fires_at_the_deadline_and_says_what_is_missing(
    airflow_shell: AirflowShell, settings: Settings, environment: dict[str, str]
) -> None:
    # The deadline of the night before is over.
    day = (datetime.fromisoformat(find_tonight(environment)) - timedelta(days=1)).date()
    code = RUN_TRIGGER.format(role=ROLE, day=day.isoformat())
    missing = airflow_shell.run(code, environment)
    assert missing
    assert all("has not arrived" in sentence for sentence in missing)


def test_the_trigger_looks_again_while_there_is_time(
    airflow_shell: AirflowShell, settings: Settings, environment: dict[str, str]
) -> None:
    day = find_tonight(environment)
    late = Path(settings.landing_url)
    prepared = late.with_name("prepared")
    late.rename(prepared)
    put_exports(settings_of("postgresql://nobody@nowhere/none", prepared), day)
    # The landing folder itself comes back only after some looks.
    code = f"""
import os, threading
threading.Timer(1, os.rename, [{str(prepared)!r}, {str(late)!r}]).start()
""" + RUN_TRIGGER.format(role=ROLE, day=day)
    assert airflow_shell.run(code, environment) == []


def test_a_task_waits_only_for_tonight_and_only_for_what_is_missing(
    airflow_shell: AirflowShell, settings: Settings, environment: dict[str, str]
) -> None:
    day = find_tonight(environment)

    zone = environment["CX_REPORTING_TIME_ZONE"]

    def execute(batch_date: str) -> object:
        code = EXECUTE.format(role=ROLE, day=batch_date, zone=zone)
        return airflow_shell.run(code, environment)

    assert execute("2020-01-01") == "goes on"
    assert execute(day) == [
        "tell",
        "dags.shared.exports_trigger.ExportsTrigger",
        {"role": ROLE, "batch_date": day, "seconds": 30.0},
    ]
    put_exports(settings, day)
    assert execute(day) == "goes on"


def test_a_role_without_a_source_is_not_waited_for(
    airflow_shell: AirflowShell, environment: dict[str, str]
) -> None:
    only_surveys = environment | {"CX_SOURCES": "qualtrics"}
    for role in ("crm", "ticket"):
        code = EXECUTE.format(
            role=role,
            day=find_tonight(environment),
            zone=environment["CX_REPORTING_TIME_ZONE"],
        )
        assert airflow_shell.run(code, only_surveys) == "goes on"
