"""What the DAG files declare, read once for all tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.settings import PROJECT_FOLDER
from tests.dags.read_dags import AirflowShell, run_python

# Before and after two in the morning in Sao Paulo, which is five o'clock in UTC.
INSTANTS = ("2026-11-21T04:59:00+00:00", "2026-11-21T05:01:00+00:00")


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    script = str(Path(__file__).with_name("describe_dags.py"))
    home = tmp_path_factory.mktemp("airflow")
    text = run_python([script, str(PROJECT_FOLDER / "dags"), *INSTANTS], home)
    described: dict[str, Any] = json.loads(text)
    return described


@pytest.fixture(scope="session")
def airflow_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowShell]:
    shell = AirflowShell(tmp_path_factory.mktemp("airflow_shell"))
    yield shell
    shell.close()
