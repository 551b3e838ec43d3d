"""Python with an Airflow of its own, which keeps out of the process of the tests."""

import os
import subprocess
import sys
from pathlib import Path

from include.settings import PROJECT_FOLDER


def run_python(arguments: list[str], home: Path) -> str:
    """Run Python with an Airflow of its own; return the last line that it prints."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CX_", "AIRFLOW_"))
    }
    environment |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(PROJECT_FOLDER),
    }
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT_FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[-1]
