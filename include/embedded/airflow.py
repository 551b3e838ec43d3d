"""The embedded Airflow: its own processes, on loopback, stopped without a trace.

In: a folder, the address of an empty metadata database, and the variables that tasks
shall see. Out: api-server, scheduler, dag-processor and triggerer, with LocalExecutor.
The folder keeps Airflow's home, its secrets, the ports and which processes run; the
processes' output goes to the folder of logs.
"""

import hashlib
import json
import logging
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from include.embedded import ports, processes
from include.embedded.airflow_api import AirflowApi
from include.embedded.private_files import write_private
from include.errors import WarehouseError

logger = logging.getLogger(__name__)

USER_NAME = "admin"
START_SECONDS = 300
# The scheduler ends in three. The others may take ten, with nothing left to do.
STOP_SECONDS = 4
COMMANDS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
NO_TELEMETRY = {
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


class EmbeddedAirflow:
    """Airflow for one clone.

    Parameters
    ----------
    folder : where Airflow keeps everything; created when missing
    log_folder : where the processes write what they say
    database_url : libpq URL of the metadata database
    project_folder : the repository; its `dags` folder is what runs
    task_environment : variables that tasks see (CX_*)
    is_scheduled : False to run only what is asked for through the API
    """

    def __init__(
        self,
        folder: Path,
        log_folder: Path,
        database_url: str,
        project_folder: Path,
        task_environment: Mapping[str, str],
        is_scheduled: bool = True,
    ) -> None:
        self.folder = folder.absolute()
        self.log_folder = log_folder.absolute()
        self._database_url = database_url
        self._project_folder = project_folder
        self._task_environment = dict(task_environment)
        self._is_scheduled = is_scheduled
        self._is_stopped = False
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address of the user interface and the API."""
        return f"http://{ports.LOOPBACK}:{self._port_file.read_text().strip()}"

    @property
    def password(self) -> str:
        """The password of the user `admin`."""
        text = (self.folder / "passwords.json").read_text()
        return str(json.loads(text)[USER_NAME])

    def start(self) -> None:
        """Start what does not run, and wait until all of it is healthy.

        Processes that were started with other settings are started again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._list_running() == list(COMMANDS) and self._has_same_settings():
            return
        self._stop_processes()
        ports.choose_port(self._port_file)
        self._write_secrets()
        write_private(self._settings_file, self._fingerprint())
        environment = self.environment()
        self._migrate(environment)
        with self._lock:
            if self._is_stopped:
                return
            for name, command in COMMANDS.items():
                processes.start_process(
                    [sys.executable, "-m", "airflow", *command],
                    self._process_files[name],
                    self.log_folder / f"{name}.log",
                    environment,
                    folder=self.folder,
                )
        self._wait_until_healthy()

    def stop(self) -> None:
        """Stop all processes with their children; stopped ones are fine.

        A start that is under way in another thread starts nothing more.
        """
        with self._lock:
            self._is_stopped = True
            self._stop_processes()

    def is_running(self) -> bool:
        """Tell whether any of the processes runs."""
        return bool(self._list_running())

    @property
    def started_at(self) -> datetime:
        """When the processes were started."""
        started = self._process_files["dag-processor"].stat().st_mtime
        return datetime.fromtimestamp(started, UTC)

    def connect(self) -> AirflowApi:
        """Return a client of the API that has logged in."""
        return AirflowApi(self.url, USER_NAME, self.password)

    def environment(self) -> dict[str, str]:
        """Return the variables under which every Airflow command of this clone runs."""
        secret = json.loads(self._secrets_file.read_text())
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AIRFLOW_", "PYTHONDONTWRITEBYTECODE"))
        }
        alchemy = self._database_url.replace(
            "postgresql://", "postgresql+psycopg2://", 1
        )
        elsewhere = inherited.get("NO_PROXY") or inherited.get("no_proxy") or ""
        no_proxy = ",".join(filter(None, [ports.LOOPBACK, elsewhere]))
        return inherited | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self._project_folder),
            # Tasks talk to the API server on this machine, never through a proxy.
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": alchemy,
            "AIRFLOW__CORE__DAGS_FOLDER": str(self._project_folder / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(
                self._project_folder / "dags" / "plugins"
            ),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__FERNET_KEY": secret["fernet_key"],
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER_NAME}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(
                self.folder / "passwords.json"
            ),
            "AIRFLOW__API__HOST": ports.LOOPBACK,
            "AIRFLOW__API__PORT": self._port_file.read_text().strip(),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": secret["api_secret_key"],
            "AIRFLOW__API_AUTH__JWT_SECRET": secret["jwt_secret"],
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.log_folder / "tasks"),
            "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(
                self.log_folder / "dag-files"
            ),
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            # One machine, a handful of tasks: look often, so that nothing waits.
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(self._is_scheduled),
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            **NO_TELEMETRY,
            **self._task_environment,
        }

    @property
    def _port_file(self) -> Path:
        return self.folder / "port"

    @property
    def _secrets_file(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def _settings_file(self) -> Path:
        return self.folder / "started-with"

    @property
    def _process_files(self) -> dict[str, Path]:
        return {name: self.folder / "processes" / name for name in COMMANDS}

    def _list_running(self) -> list[str]:
        return [
            name
            for name, process_file in self._process_files.items()
            if processes.find_process(process_file) is not None
        ]

    def _stop_processes(self) -> None:
        processes.stop_processes(list(self._process_files.values()), STOP_SECONDS)

    def _has_same_settings(self) -> bool:
        return (
            self._settings_file.exists()
            and self._settings_file.read_text() == self._fingerprint()
        )

    def _fingerprint(self) -> str:
        parts = (
            sorted(self._task_environment.items()),
            self._database_url,
            self._is_scheduled,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def _write_secrets(self) -> None:
        """Generate, once, the keys that the processes share and the password."""
        from cryptography.fernet import Fernet

        if not self._secrets_file.exists():
            keys = {
                "fernet_key": Fernet.generate_key().decode(),
                "api_secret_key": secrets.token_hex(32),
                "jwt_secret": secrets.token_hex(32),
            }
            write_private(self._secrets_file, json.dumps(keys))
            write_private(
                self.folder / "passwords.json",
                json.dumps({USER_NAME: secrets.token_urlsafe(16)}),
            )

    def _migrate(self, environment: Mapping[str, str]) -> None:
        """Create or bring up to date Airflow's tables; done once per version."""
        marker = self.folder / "migrated"
        state = f"{version('apache-airflow')} {self._database_url}"
        if marker.exists() and marker.read_text() == state:
            return
        result = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            cwd=self.folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.log_folder.mkdir(parents=True, exist_ok=True)
        log_file = self.log_folder / "db-migrate.log"
        log_file.write_text(result.stdout + result.stderr)
        if result.returncode != 0:
            raise WarehouseError(
                f"Airflow could not prepare its metadata database: read {log_file}."
            )
        write_private(marker, state)

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if ended := set(COMMANDS) - set(self._list_running()):
                name = min(ended)
                raise WarehouseError(
                    f"Airflow's {name} ended while it started: read "
                    f"{self.log_folder / name}.log."
                )
            unhealthy = AirflowApi.find_unhealthy(self.url)
            if not unhealthy:
                return
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"Airflow was not ready after {START_SECONDS} seconds "
                    f"({', '.join(unhealthy)}): read the logs in {self.log_folder}."
                )
            time.sleep(0.2)
