"""The DAG of backfills: a form, a plan, and then the steps of a night."""

import itertools
from typing import Any

import pytest

from include.contracts import read_contracts
from include.settings import PROJECT_FOLDER
from tests.dags.read_dags import run_python

EXTRACTS = {"extract_crm", "extract_survey", "extract_ticket"}
CHAIN = ["check_raw", "build", "check_marts", "compare", "publish", "report"]


@pytest.fixture
def backfill(described: dict[str, Any]) -> dict[str, Any]:
    dag: dict[str, Any] = described["dags"]["backfill"]
    return dag


def test_the_plan_comes_first_then_the_sources_side_by_side_then_step_by_step(
    backfill: dict[str, Any],
) -> None:
    upstream = {name: set(task["upstream"]) for name, task in backfill["tasks"].items()}
    assert upstream == {
        "plan": set(),
        **{extract: {"plan"} for extract in EXTRACTS},
        "check_raw": EXTRACTS,
        **{after: {before} for before, after in itertools.pairwise(CHAIN)},
    }


def test_a_failed_source_blocks_neither_the_gate_nor_the_report(
    backfill: dict[str, Any],
) -> None:
    rules = {name: task["trigger_rule"] for name, task in backfill["tasks"].items()}
    assert {name for name, rule in rules.items() if rule == "all_done"} == {
        *("check_raw", "report")
    }


def test_it_is_started_by_hand_with_a_form(backfill: dict[str, Any]) -> None:
    assert backfill["timetable"] == "NullTimetable"
    assert backfill["params"] == ["dry_run", "from", "sources", "to"]
    assert backfill["max_active_runs"] == 1


def test_the_form_offers_the_systems_that_have_contracts(tmp_path: Any) -> None:
    code = """
import json
from airflow.dag_processing.dagbag import DagBag
dag = DagBag("dags/backfill.py").dags["backfill"]
print(json.dumps(dag.params.get_param("sources").schema["items"]["enum"]))
"""
    systems = {contract.system for contract in read_contracts(PROJECT_FOLDER).values()}
    assert run_python(["-c", code], tmp_path) == str(sorted(systems)).replace("'", '"')
