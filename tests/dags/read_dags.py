"""Python with an Airflow of its own, which keeps out of the process of the tests."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from include.settings import PROJECT_FOLDER


def run_python(arguments: list[str], home: Path) -> str:
    """Run Python with an Airflow of its own; return the last line that it prints."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT_FOLDER,
        env=compose_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[-1]


def compose_environment(home: Path) -> dict[str, str]:
    """The environment of the tests, without any Airflow's but that of a folder."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CX_", "AIRFLOW_"))
    }
    return environment | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(PROJECT_FOLDER),
    }


class AirflowShell:
    """A process with Airflow that runs one piece of code after the other."""

    def __init__(self, home: Path) -> None:
        self._log = (home / "shell.log").open("w")
        self._said: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("airflow_shell.py"))],
            cwd=PROJECT_FOLDER,
            env=compose_environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def run(self, code: str, environment: dict[str, str] | None = None) -> Any:
        """Run code; return what it has put into `answer`. Variables stay set."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([code, environment or {}]) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("answer: "):
                return json.loads(line.removeprefix("answer: "))
            self._said.append(line)
        raise AssertionError(f"the process with Airflow has ended: {self.read_log()}")

    def read_log(self) -> str:
        """What it wrote to standard output, beside answers, and to standard error."""
        return "".join(self._said) + Path(self._log.name).read_text()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()
