"""One night through Airflow's scheduler, watched from outside.

In: a client of Airflow's API and a batch date. Out: lines of progress, and one sentence
for each task that failed.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from include.batch_dates import find_data_interval
from include.embedded.airflow import EmbeddedAirflow
from include.embedded.airflow_api import AirflowApi, TaskState
from include.errors import WarehouseError

DAG_ID = "nightly"
RUN_ENDED = ("success", "failed")
POLL_SECONDS = 0.5
SIGN_OF_LIFE_SECONDS = 10
DAG_SECONDS = 180

Say = Callable[[str], None]


def run_night(
    airflow: EmbeddedAirflow, night: date, time_zone: str, say: Say
) -> list[str]:
    """Run the DAG for a batch date and wait for its end.

    Returns one sentence for each task that failed; none for those that never ran
    because of it. Raises WarehouseError when the DAG cannot be run.
    """
    api = airflow.connect()
    wait_for_dag(api, airflow.started_at)
    triggered_at = datetime.now(UTC)
    run_id = api.start_run(DAG_ID, *find_data_interval(night, time_zone))
    say(f"The night of {night} runs through the scheduler ({run_id})")
    state = follow_run(api, run_id, say)
    tasks = api.list_tasks(DAG_ID, run_id)
    published = next((task for task in tasks if task.task_id == "publish"), None)
    if published is not None and published.state == "success":
        took = (published.read_end() - triggered_at).total_seconds()
        say(f"  published {took:.1f} s after the trigger")
    if state == "success":
        return []
    return collect_errors(
        (task.task_id, api.read_error(DAG_ID, run_id, task))
        for task in tasks
        if task.state == "failed"
    )


def collect_errors(errors: Iterable[tuple[str, str]]) -> list[str]:
    """Return "task: its error" for each failed task that has something new to say.

    The report repeats what failed before it, so that Airflow's pages show it too.
    """
    told: list[str] = []
    lines = []
    for task_id, error in errors:
        rest = error
        for sentence in told:
            rest = rest.replace(sentence, "")
        if rest.strip():
            lines.append(f"{task_id}: {rest.strip()}")
        told.append(error)
    return lines


def wait_for_dag(api: AirflowApi, since: datetime) -> None:
    """Wait until Airflow has read the DAG as it is now."""
    deadline = time.monotonic() + DAG_SECONDS
    while not api.is_dag_ready(DAG_ID, since):
        if time.monotonic() > deadline:
            raise WarehouseError(
                f"Airflow has not read the DAG {DAG_ID} after {DAG_SECONDS} seconds: "
                "look at the dag-processor's log."
            )
        time.sleep(POLL_SECONDS)


def follow_run(api: AirflowApi, run_id: str, say: Say) -> str:
    """Say what each task does until the run has ended; return its state."""
    seen: dict[str, tuple[str, int]] = {}
    last_sign = time.monotonic()
    while True:
        tasks = api.list_tasks(DAG_ID, run_id)
        for task in tasks:
            now = (task.state, task.try_number)
            if seen.get(task.task_id) != now:
                seen[task.task_id] = now
                if line := describe_change(task):
                    say(line)
                    last_sign = time.monotonic()
        if all(task.is_over for task in tasks):
            state = api.read_run_state(DAG_ID, run_id)
            if state in RUN_ENDED:
                return state
        if time.monotonic() - last_sign > SIGN_OF_LIFE_SECONDS:
            running = ", ".join(task.task_id for task in tasks if task.is_running)
            say(f"  ... {running or 'nothing yet'} at work")
            last_sign = time.monotonic()
        time.sleep(POLL_SECONDS)


def describe_change(task: TaskState) -> str | None:
    """Return the line that tells a person of the task's new state, if it matters."""
    match task.state:
        case "success":
            return f"  {task.task_id:<15} done in {task.seconds or 0:.1f} s"
        case "failed":
            return f"  {task.task_id:<15} FAILED after {task.seconds or 0:.1f} s"
        case "up_for_retry":
            return f"  {task.task_id:<15} failed, and will be tried again"
        case "upstream_failed":
            return f"  {task.task_id:<15} does not run, because of a failure before it"
        case _:
            return None
