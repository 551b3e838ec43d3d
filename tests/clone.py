"""A copy of the code with a folder of its own for all that runs, as a newcomer's."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.settings import PROJECT_FOLDER

PARTS = ("dags", "dbt_project", "expectations", "include")


@contextmanager
def open_clone() -> Iterator[Path]:
    """Copy the code to a folder that the database server's user may enter; at the end
    stop what runs there, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="cx-tests-"))
    folder.chmod(0o755)
    for part in PARTS:
        shutil.copytree(
            PROJECT_FOLDER / part,
            folder / part,
            ignore=shutil.ignore_patterns("__pycache__", "target", "logs"),
        )
    yield folder
    call(folder, "down")
    shutil.rmtree(folder)


def start(clone: Path, verb: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a verb of the command line there."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CX_")
    }
    return subprocess.Popen(
        [sys.executable, "-m", "include.cli", verb, *arguments],
        cwd=clone,
        env=environment | {"PYTHONPATH": str(clone)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(clone: Path, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a verb of the command line there to its end."""
    process = start(clone, verb, *arguments)
    out, err = process.communicate(timeout=1100)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
