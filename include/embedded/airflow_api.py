"""What the command line asks of Airflow's REST API.

In: the address and a password. Out: runs triggered and followed, logs of tasks.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from include.errors import WarehouseError

SECONDS_PER_REQUEST = 30
# The API is on this machine: a proxy of the environment must not come between.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class TaskState:
    """One task of one run: its state, and how long it has run or ran."""

    task_id: str
    state: str
    try_number: int
    seconds: float | None
    started_at: datetime | None

    @property
    def is_running(self) -> bool:
        """Whether it is at work now."""
        return self.state == "running"

    @property
    def is_over(self) -> bool:
        """Whether it will not run any more."""
        return self.state in ("success", "failed", "upstream_failed", "skipped")

    def read_end(self) -> datetime:
        """Return when it ended; it must have started."""
        assert self.started_at is not None
        return self.started_at + timedelta(seconds=self.seconds or 0)


class AirflowApi:
    """A logged-in client. Every method raises WarehouseError on a refused request."""

    def __init__(self, url: str, user_name: str, password: str) -> None:
        self._url = url
        self._token = ""
        body = {"username": user_name, "password": password}
        self._token = str(self._send("POST", "/auth/token", body)["access_token"])

    @staticmethod
    def find_unhealthy(url: str) -> list[str]:
        """List the parts of Airflow that are not healthy; empty when all are."""
        try:
            address = f"{url}/api/v2/monitor/health"
            with _opener.open(address, timeout=SECONDS_PER_REQUEST) as response:
                parts = json.load(response)
        except OSError:
            return ["api-server"]
        return [name for name, part in parts.items() if part.get("status") != "healthy"]

    def is_dag_ready(self, dag_id: str, since: datetime) -> bool:
        """Tell whether Airflow has read the DAG's file since then.

        Raises WarehouseError when a DAG file has an error, or the DAG is paused.
        """
        errors = self._send("GET", "/api/v2/importErrors")["import_errors"]
        if errors:
            words = str(errors[0]["stack_trace"]).strip().splitlines()[-1]
            raise WarehouseError(f"{errors[0]['filename']} cannot be read: {words}")
        query = urllib.parse.urlencode({"dag_id_pattern": dag_id})
        for dag in self._send("GET", f"/api/v2/dags?{query}")["dags"]:
            read_at = dag["last_parsed_time"]
            if (
                dag["dag_id"] == dag_id
                and read_at is not None
                and datetime.fromisoformat(read_at) >= since
            ):
                if dag["is_paused"]:
                    raise WarehouseError(
                        f"The DAG {dag_id} is paused, so that no run of it starts: "
                        f"resume it at {self._url}."
                    )
                return True
        return False

    def start_run(
        self, dag_id: str, interval_start: datetime, interval_end: datetime
    ) -> str:
        """Run the DAG for [start, end); a run that is there already runs once more.

        Returns the run's id.
        """
        logical_date = interval_start.isoformat()
        query = urllib.parse.urlencode(
            {"logical_date_gte": logical_date, "logical_date_lte": logical_date}
        )
        found = self._send("GET", f"/api/v2/dags/{dag_id}/dagRuns?{query}")["dag_runs"]
        if found:
            run_id = str(found[0]["dag_run_id"])
            self._send(
                "POST",
                f"{_run_path(dag_id, run_id)}/clear",
                {"dry_run": False, "only_failed": False},
            )
            return run_id
        body = {
            "logical_date": logical_date,
            "data_interval_start": logical_date,
            "data_interval_end": interval_end.isoformat(),
        }
        run = self._send("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)
        return str(run["dag_run_id"])

    def start_run_by_hand(self, dag_id: str, parameters: dict[str, Any]) -> str:
        """Run the DAG with what its form asks for; return the run's id."""
        body = {"logical_date": None, "conf": parameters}
        run = self._send("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)
        return str(run["dag_run_id"])

    def read_result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return what a task of a run returned."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{task_id}"
        return self._send("GET", f"{path}/xcomEntries/return_value")["value"]

    def read_run_state(self, dag_id: str, run_id: str) -> str:
        """Return the run's state: queued, running, success or failed."""
        return str(self._send("GET", _run_path(dag_id, run_id))["state"])

    def list_tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """List the run's tasks in the order in which they started, the rest last."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances"
        tasks = [
            TaskState(
                task_id=task["task_id"],
                state=task["state"] or "waiting",
                try_number=task["try_number"],
                seconds=task["duration"],
                started_at=datetime.fromisoformat(task["start_date"])
                if task["start_date"]
                else None,
            )
            for task in self._send("GET", path)["task_instances"]
        ]
        return sorted(
            tasks,
            key=lambda task: (
                task.started_at is None,
                str(task.started_at),
                task.task_id,
            ),
        )

    def read_error(self, dag_id: str, run_id: str, task: TaskState) -> str:
        """Return what the task's last attempt failed with, on one line."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{task.task_id}/logs"
        content = self._send("GET", f"{path}/{task.try_number}")["content"]
        entries = [entry for entry in content if isinstance(entry, dict)]
        for entry in reversed(entries):
            if details := entry.get("error_detail"):
                return _describe_error(details[0])
        errors = [entry["event"] for entry in entries if entry.get("level") == "error"]
        return str(errors[-1]) if errors else "its log holds no error"

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        request = urllib.request.Request(
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                **({"Authorization": f"Bearer {self._token}"} if self._token else {}),
            },
        )
        try:
            with _opener.open(request, timeout=SECONDS_PER_REQUEST) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            words = error.read().decode(errors="replace")[:300]
            raise WarehouseError(
                f"Airflow refused {method} {path} ({error.code}): {words}"
            ) from error
        except OSError as error:
            raise WarehouseError(
                f"Airflow does not answer at {self._url} ({error}): look at its logs."
            ) from error


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id, safe='')}"


def _describe_error(detail: dict[str, str]) -> str:
    lines = detail["exc_value"].strip().splitlines() or [""]
    if detail["exc_type"] == "AirflowFailException":
        return lines[0]
    return f"{detail['exc_type']}: {lines[0]}"
