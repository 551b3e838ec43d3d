"""docker-compose.yml under a project name, ports, secrets and volumes of its own.

In: an engine, and a folder of exports. Out: the containers, controlled from outside as
a person would; everything that was made is removed at the end.
"""

import os
import secrets
import shutil
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

from include.embedded import ports
from include.embedded.airflow_api import AirflowApi
from include.errors import WarehouseError
from include.settings import DEFAULT_TIME_ZONE, PROJECT_FOLDER, Settings
from tests.conftest import KEY_SECRET

NO_TIMETABLE = Path(__file__).with_name("no_timetable.yml")
PATIENCE_SECONDS = 1500
# The command lines of containers, by what is looked for in them.
FIND_PROCESS = """
import os, sys
for entry in os.listdir("/proc"):
    if entry.isdigit() and entry != "1" and int(entry) != os.getpid():
        try:
            words = open(f"/proc/{entry}/cmdline").read().replace("\\0", " ")
        except OSError:
            continue
        if sys.argv[1] in words:
            os.kill(int(entry), 9)
"""


def find_missing_engine() -> str | None:
    """Say what is missing to run containers here; None when nothing is."""
    if shutil.which("docker") is None:
        return "there is no docker on the PATH"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            words = (result.stderr.strip() or "no reason given").splitlines()[-1]
            return f"`{' '.join(command)}` fails: {words}"
    return None


class Stack:
    """One set of containers."""

    def __init__(self, folder: Path, landing: Path) -> None:
        self.folder = folder
        self.landing = landing
        self.project = f"cx-test-{secrets.token_hex(4)}"
        self.password = secrets.token_hex(16)
        self.owner_password = secrets.token_hex(16)
        self._ports = {
            name: ports.choose_port(folder / name) for name in ("postgres", "airflow")
        }
        self.variables = {
            "CX_LANDING_FOLDER": str(landing),
            "CX_KEY_SECRET": KEY_SECRET.replace(" ", "-"),
            "POSTGRES_PASSWORD": self.owner_password,
            "CX_BI_READER_PASSWORD": self.password,
            "CX_AGENT_PASSWORD": secrets.token_hex(16),
            "AIRFLOW_ADMIN_PASSWORD": self.password,
            "AIRFLOW_FERNET_KEY": urlsafe_b64encode(os.urandom(32)).decode(),
            "AIRFLOW_API_SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW_JWT_SECRET": secrets.token_hex(32),
            "POSTGRES_PORT": str(self._ports["postgres"]),
            "AIRFLOW_PORT": str(self._ports["airflow"]),
            "POSTGRES_SHARED_BUFFERS": "256MB",
        }

    def compose(self, *arguments: str, leaves_out: str = "") -> str:
        """Run docker compose; return what it says, raise when it fails."""
        environment = self.folder / "environment"
        environment.write_text(
            "".join(
                f"{name}={value}\n"
                for name, value in self.variables.items()
                if name != leaves_out
            )
        )
        command = ["docker", "compose", "--project-name", self.project]
        for file in (PROJECT_FOLDER / "docker-compose.yml", NO_TIMETABLE):
            command += ["--file", str(file)]
        command += ["--env-file", str(environment), *arguments]
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in self.variables
        }
        result = subprocess.run(
            command,
            cwd=PROJECT_FOLDER,
            env=inherited,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise WarehouseError(f"{' '.join(arguments)}: {result.stderr[-2000:]}")
        return result.stdout

    def up(self) -> None:
        """Start everything and wait until it is healthy."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", "300")

    def run(self, service: str, *command: str) -> str:
        """Run a command in a running container; return what it says."""
        return self.compose("exec", "--no-TTY", service, *command)

    def kill_main_process(self, service: str, words: str) -> None:
        """Kill, without a word, what a container was started for."""
        self.run(service, "python", "-c", FIND_PROCESS, words)

    def list_states(self) -> dict[str, str]:
        """The running services, with their health."""
        lines = self.compose("ps", "--format", "{{.Service}} {{.Health}}").splitlines()
        return {line.split()[0]: line.split()[-1] for line in lines if line.strip()}

    def wait_until(self, is_reached: Callable[[], bool], what: str) -> None:
        """Wait for something that takes a while; a server may be away meanwhile."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                if is_reached():
                    return
            except WarehouseError:
                pass
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(0.5)

    def connect(self) -> AirflowApi:
        """A client of Airflow's API that has logged in."""
        address = f"http://{ports.LOOPBACK}:{self._ports['airflow']}"
        return AirflowApi(address, "admin", self.password)

    def settings(self, user: str = "warehouse") -> Settings:
        """Settings on the warehouse, as seen from this machine."""
        password = self.owner_password if user == "warehouse" else self.password
        return Settings(
            database_url=f"postgresql://{user}:{password}@{ports.LOOPBACK}:"
            f"{self._ports['postgres']}/warehouse",
            landing_url=str(self.landing),
            key_secret=self.variables["CX_KEY_SECRET"],
            reporting_time_zone=DEFAULT_TIME_ZONE,
            report_folder=self.folder / "report",
        )

    def remove(self) -> None:
        """Remove containers, volumes, networks and the image."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "20")
        subprocess.run(
            ["docker", "image", "rm", "--force", self.project],
            capture_output=True,
            check=False,
        )
