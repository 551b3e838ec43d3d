"""Print what the DAG files declare, as JSON; a process of its own.

Airflow takes over the logging of the process that imports it, and wants to know its
home before: both stay out of the process of the tests.

usage: describe_dags.py <folder of DAG files> <instant> ...
For each instant: the data interval that a scheduled run of that moment would have.
"""

import json
import sys
from datetime import datetime

import pendulum
from airflow.dag_processing.dagbag import DagBag
from airflow.timetables.interval import CronDataIntervalTimetable


def describe(folder: str, instants: list[str]) -> dict[str, object]:
    bag = DagBag(folder)
    return {
        "import_errors": bag.import_errors,
        "dags": {
            dag_id: {
                "max_active_runs": dag.max_active_runs,
                "catchup": dag.catchup,
                "doc": dag.doc_md,
                "timetable": type(dag.timetable).__name__,
                "cron": getattr(dag.timetable, "expression", None),
                "hours": dag.dagrun_timeout
                and dag.dagrun_timeout.total_seconds() / 3600,
                "intervals": [
                    [moment.isoformat() for moment in find_interval(dag, instant)]
                    for instant in instants
                    if hasattr(dag.timetable, "expression")
                ],
                "params": sorted(dag.params),
                "tasks": {
                    task.task_id: {
                        "upstream": sorted(task.upstream_task_ids),
                        "trigger_rule": str(task.trigger_rule.value),
                        "owner": task.owner,
                        "retries": task.retries,
                    }
                    for task in dag.tasks
                },
            }
            for dag_id, dag in bag.dags.items()
        },
    }


def find_interval(dag, instant):
    """The last data interval that was over at the instant."""
    schedule = dag.timetable
    timetable = CronDataIntervalTimetable(schedule.expression, schedule.timezone)
    moment = pendulum.instance(datetime.fromisoformat(instant))
    return timetable.infer_manual_data_interval(run_after=moment)


sys.stdout.write(json.dumps(describe(sys.argv[1], sys.argv[2:])) + "\n")
