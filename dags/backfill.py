"""
### Backfill: any range of nights, loaded (again), built once and published once

**Schedule.** None: started by hand, with a form: `from` and `to` (batch dates, both
included), `sources` (none chosen: all), and `dry_run`. The same through the API:
`POST /api/v2/dags/backfill/dagRuns` with
`{"logical_date": null, "conf": {"from": "2026-01-01", "to": "2026-01-31"}}`.

**Steps.** `plan` says in its log, and as its result, which loads would be new or
changed, how many rows, which exports are missing or cannot be read, how long it takes,
and which closed periods can read otherwise afterwards. A dry run ends there. Then the
sources are loaded side by side, gate 1 (`check_raw`) judges the loads, one `build` and
gate 2 (`check_marts`) follow, `compare` says what will change for readers, mart by
mart, and `publish` changes it in one transaction. What is loaded already and has not
changed is not loaded again.

**When it fails.** The last line of the failed task's log says what is wrong, where, and
what to do. An export that is missing or broken stops none of the others: the rest is
published, and the run ends failed. After mending, start the same backfill again or
clear the failed task together with those that follow: nothing is loaded twice. It may
run beside the nightly run: loads of one feed, and builds, wait for each other.
"""

import logging
import os
from datetime import date, timedelta

from airflow.sdk import Param, TriggerRule, dag, task
from airflow.sdk.exceptions import DownstreamTasksSkipped

from dags.shared.steps import (
    TASK_DEFAULTS,
    build,
    check_marts,
    check_raw,
    no_second_attempt,
    publish,
    report,
)

log = logging.getLogger(__name__)

SOURCES = [
    source.strip()
    for source in (os.environ.get("CX_SOURCES") or "hubspot,qualtrics,zendesk").split(
        ","
    )
]


def read_range(params):
    return date.fromisoformat(params["from"]), date.fromisoformat(params["to"])


@task
def plan(params, ti, task):
    from include.backfill.plan import describe_plan, plan_backfill
    from include.settings import read_settings

    with no_second_attempt():
        found = plan_backfill(
            read_settings(), *read_range(params), params["sources"] or []
        )
    for line in describe_plan(found):
        log.info(line)
    if params["dry_run"]:
        ti.xcom_push("return_value", found.to_json())
        raise DownstreamTasksSkipped(
            tasks=[later.task_id for later in task.get_flat_relatives(upstream=False)]
        )
    return found.to_json()


@task
def extract(role, params, run_id):
    from include.night import extract
    from include.settings import read_settings

    with no_second_attempt():
        extract(
            *(read_settings(), role, *read_range(params), run_id),
            sources=params["sources"] or [],
        )


@task
def compare(run_id):
    from include.backfill.changes import compare_marts, describe_changes
    from include.settings import read_settings

    with no_second_attempt():
        lines = describe_changes(compare_marts(read_settings(), run_id))
    for line in lines:
        log.info(line)
    return lines


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    params={
        "from": Param(
            type="string",
            format="date",
            title="From",
            description="the first night to load, by its batch date",
        ),
        "to": Param(
            type="string",
            format="date",
            title="To",
            description="the last night, included",
        ),
        "sources": Param(
            None,
            type=["null", "array"],
            items={"type": "string", "enum": SOURCES},
            examples=SOURCES,
            title="Sources",
            description="none chosen: all of them",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="only say what would be done",
        ),
    },
    default_args=TASK_DEFAULTS,
    tags=["customer-experience", "by hand"],
    doc_md=__doc__,
)
def backfill():
    sources = [
        extract.override(task_id=f"extract_{role}")(role)
        for role in ("crm", "survey", "ticket")
    ]
    # A source that failed keeps none of the others from the gate.
    judged = check_raw.override(trigger_rule=TriggerRule.ALL_DONE)()
    plan() >> sources >> judged
    judged >> build() >> check_marts() >> compare() >> publish() >> report()


backfill()
