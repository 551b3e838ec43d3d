"""The DAG that reads rejected rows again: by hand, and the whole way to the marts."""

import itertools
from typing import Any

import pytest

CHAIN = [
    *("reread", "check_raw", "build", "check_marts", "publish"),
    *("tell", "report"),
]


@pytest.fixture
def replay(described: dict[str, Any]) -> dict[str, Any]:
    dag: dict[str, Any] = described["dags"]["replay"]
    return dag


def test_one_step_follows_another_from_the_rejects_to_the_report(
    replay: dict[str, Any],
) -> None:
    upstream = {name: set(task["upstream"]) for name, task in replay["tasks"].items()}
    expected = {after: {before} for before, after in itertools.pairwise(CHAIN)}
    # It also takes what was found from there.
    assert upstream == {**expected, "reread": set(), "tell": {"publish", "reread"}}


def test_it_is_started_by_hand_for_all_rejects_or_some(replay: dict[str, Any]) -> None:
    assert replay["timetable"] == "NullTimetable"
    assert replay["params"] == ["feed", "load"]
    assert replay["max_active_runs"] == 1
    for part in ("### Replay", "**Schedule.** None", "**When it fails.**"):
        assert part in replay["doc"]
