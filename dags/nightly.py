"""
### Nightly: one day's exports, from the landing folder to the marts

**Schedule.** Every night at 02:00 in the reporting time zone. The run that starts on
the 21st loads the exports of the 20th (the start of its data interval). One run at a
time; missed nights are not caught up by themselves: use a backfill.

**Steps.** Each source waits for its required exports until the deadline
(`CX_EXPORT_DEADLINE`, 06:00), holding no worker, and is then loaded with what there is,
beside the others. A night that is run before or after its time waits for nothing. Gate
1 (`check_raw`) accepts or holds each load, `build` brings the models up to date, gate 2
(`check_marts`) asks whether a reader would believe the result, `publish` copies what
changed into `marts` in one transaction, `report` writes the
[scorecard](/report/scorecard.html) and tells of incidents that are new or over; what
the gates saw is in the [Data Docs](/report/data_docs/index.html).

**When it fails.** The last line of the failed task's log says what is wrong, where, and
what to do. A source that fails never blocks the others: `marts` moves on without it,
`marts.data_status` says so, and the run ends failed although it published. After
mending, clear the failed task together with those that follow: nothing is loaded twice.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import CronDataIntervalTimetable, TriggerRule, dag, task

from dags.shared.steps import (
    TASK_DEFAULTS,
    TIME_ZONE,
    build,
    check_marts,
    check_raw,
    no_second_attempt,
    publish,
    report,
)
from dags.shared.waiting import WaitForExports


@task
def extract(role, dag_run, run_id):
    from include.batch_dates import find_batch_date
    from include.night import extract
    from include.settings import read_settings

    with no_second_attempt():
        day = find_batch_date(dag_run.data_interval_start, dag_run.run_after, TIME_ZONE)
        extract(read_settings(), role, day, day, run_id)


@dag(
    schedule=CronDataIntervalTimetable("0 2 * * *", timezone=TIME_ZONE),
    start_date=datetime(2015, 1, 1, tzinfo=ZoneInfo(TIME_ZONE)),
    catchup=False,
    max_active_runs=1,
    # Up to ten hours of waiting, and six of work.
    dagrun_timeout=timedelta(hours=16),
    default_args=TASK_DEFAULTS,
    tags=["customer-experience", "nightly"],
    doc_md=__doc__,
)
def nightly():
    sources = []
    for role in ("crm", "survey", "ticket"):
        # What could not be waited for is loaded as it is.
        load = extract.override(
            task_id=f"extract_{role}", trigger_rule=TriggerRule.ALL_DONE
        )(role)
        WaitForExports(task_id=f"wait_for_{role}", role=role) >> load
        sources.append(load)
    # A source that failed keeps none of the others from the gate.
    judged = check_raw.override(trigger_rule=TriggerRule.ALL_DONE)()
    sources >> judged >> build() >> check_marts() >> publish() >> report()


nightly()
