"""dags/README.md is the timetable: it must say what the DAG files do."""

import re
from typing import Any

import pytest

from include.settings import PROJECT_FOLDER

FOLDER = PROJECT_FOLDER / "dags"
SECTIONS = ("**Schedule.**", "**Steps.**", "**When it fails.**")
VERBS = {
    *("backfill", "build", "check", "compare", "extract", "look", "plan", "publish"),
    *("report", "reread", "tell", "wait", "watch"),
}


def read_timetable() -> dict[str, dict[str, str]]:
    """The rows of the table in the README, by the DAG's name."""
    lines = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    table = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines
        if line.startswith("|")
    ]
    header, _, *rows = table
    named = [dict(zip(header, row, strict=True)) for row in rows]
    return {row["DAG"]: row for row in named}


def describe_cron(expression: str | None) -> str:
    """Say in the README's words when a DAG runs."""
    if expression is None:
        return "by hand"
    minute, hour, *rest = expression.split()
    assert rest == ["*", "*", "*"], f"no words for {expression!r} yet: add them here"
    if minute.startswith("*/") and hour == "*":
        return f"every {minute[2:]} minutes"
    return f"every day at {int(hour):02}:{int(minute):02}"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (None, "by hand"),
        ("0 2 * * *", "every day at 02:00"),
        ("*/15 * * * *", "every 15 minutes"),
    ],
)
def test_schedules_have_words(expression: str | None, words: str) -> None:
    assert describe_cron(expression) == words


def test_every_dag_has_one_row_that_links_to_its_file(
    described: dict[str, Any],
) -> None:
    assert set(read_timetable()) == {
        f"[`{name}`]({name}.py)" for name in described["dags"]
    }


def test_the_row_says_when_the_dag_runs(described: dict[str, Any]) -> None:
    timetable = read_timetable()
    for name, dag in described["dags"].items():
        row = timetable[f"[`{name}`]({name}.py)"]
        assert row["When"].startswith(describe_cron(dag["cron"])), name


def test_no_run_lasts_for_ever(described: dict[str, Any]) -> None:
    assert [name for name, dag in described["dags"].items() if not dag["hours"]] == []


def test_every_page_tells_schedule_steps_and_what_to_do(
    described: dict[str, Any],
) -> None:
    for name, dag in described["dags"].items():
        missing = [section for section in SECTIONS if section not in dag["doc"]]
        assert missing == [], name


def test_tasks_are_named_as_verbs(described: dict[str, Any]) -> None:
    for name, dag in described["dags"].items():
        others = {task.split("_")[0] for task in dag["tasks"]} - VERBS
        assert others == set(), name
