"""
### Nightly: one day's exports, from the landing folder to the marts

**Schedule.** Every night at 02:00 in the reporting time zone. The run that starts on
the 21st loads the exports of the 20th (the start of its data interval). One run at a
time; missed nights are not caught up by themselves: use a backfill.

**Steps.** The three sources are loaded side by side. Gate 1 (`check_raw`) accepts or
holds each load, `build` brings the models up to date, gate 2 (`check_marts`) asks
whether a reader would believe the result, `publish` copies what changed into `marts` in
one transaction, `report` writes the scorecard page.

**When it fails.** The last line of the failed task's log says what is wrong, where, and
what to do. A source that fails never blocks the others: `marts` moves on without it,
`marts.data_status` says so, and the run ends failed although it published. After
mending, clear the failed task together with those that follow: nothing is loaded twice.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import CronDataIntervalTimetable, TriggerRule, dag, task
from airflow.sdk.exceptions import AirflowFailException

TIME_ZONE = os.environ.get("CX_REPORTING_TIME_ZONE") or "America/Sao_Paulo"


@contextmanager
def no_second_attempt() -> Iterator[None]:
    """Fail at once on what a person must mend: trying again would not help."""
    from include.errors import WarehouseError

    try:
        yield
    except WarehouseError as error:
        raise AirflowFailException(str(error)) from None


@task
def extract(role, dag_run, run_id):
    from include.batch_dates import find_batch_date
    from include.night import extract
    from include.settings import read_settings

    with no_second_attempt():
        day = find_batch_date(dag_run.data_interval_start, dag_run.run_after, TIME_ZONE)
        extract(read_settings(), role, day, day, run_id)


@task(trigger_rule=TriggerRule.ALL_DONE)
def check_raw(run_id):
    from include.night import check_raw
    from include.settings import read_settings

    with no_second_attempt():
        check_raw(read_settings(), run_id)


@task
def build(run_id):
    from include.night import build
    from include.settings import read_settings

    with no_second_attempt():
        build(read_settings(), run_id)


@task
def check_marts(run_id):
    from include.night import check_marts
    from include.settings import read_settings

    with no_second_attempt():
        check_marts(read_settings(), run_id)


@task
def publish(run_id):
    from include.night import publish
    from include.settings import read_settings

    with no_second_attempt():
        publish(read_settings(), run_id)


@task(trigger_rule=TriggerRule.ALL_DONE)
def report(run_id):
    from include.night import report
    from include.settings import read_settings

    with no_second_attempt():
        report(read_settings(), run_id)


@dag(
    schedule=CronDataIntervalTimetable("0 2 * * *", timezone=TIME_ZONE),
    start_date=datetime(2015, 1, 1, tzinfo=ZoneInfo(TIME_ZONE)),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args={
        "owner": "customer-experience",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": True,
    },
    tags=["customer-experience", "nightly"],
    doc_md=__doc__,
)
def nightly():
    sources = [
        extract.override(task_id=f"extract_{role}")(role)
        for role in ("crm", "survey", "ticket")
    ]
    sources >> check_raw() >> build() >> check_marts() >> publish() >> report()


nightly()
