"""The DAG that looks between the nights."""

from typing import Any

import pytest


@pytest.fixture
def watch(described: dict[str, Any]) -> dict[str, Any]:
    dag: dict[str, Any] = described["dags"]["watch"]
    return dag


def test_it_looks_every_quarter_of_an_hour_one_look_at_a_time(
    watch: dict[str, Any],
) -> None:
    assert list(watch["tasks"]) == ["look"]
    assert watch["timetable"] == "CronTriggerTimetable"
    assert watch["max_active_runs"] == 1
    assert watch["catchup"] is False
    for part in ("### Watch", "**Schedule.** Every 15 minutes", "**When it fails.**"):
        assert part in watch["doc"]
