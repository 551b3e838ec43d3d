"""Processes end with their children, and a stale file never points at a stranger."""

import os
import sys
import time
from pathlib import Path

from include.embedded import processes

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""


def start(code: str, folder: Path) -> tuple[Path, str]:
    """Start Python code; return its process file and the first line that it prints."""
    process_file, log_file = folder / "it.pid", folder / "it.log"
    processes.start_process(
        [sys.executable, "-c", code], process_file, log_file, os.environ, folder
    )
    deadline = time.monotonic() + 20
    while not (said := log_file.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process_file, said


def test_children_end_with_their_parent(tmp_path: Path) -> None:
    process_file, said = start(FAMILY, tmp_path)
    parent = processes.find_process(process_file)
    assert parent is not None
    child = int(said)
    assert set(processes.list_session(parent)) == {parent, child}
    processes.stop_processes([process_file])
    assert not processes.is_alive(parent)
    assert not processes.is_alive(child)
    assert not process_file.exists()


def test_a_process_that_does_not_listen_is_ended(tmp_path: Path) -> None:
    process_file, _ = start(STUBBORN, tmp_path)
    process_id = processes.find_process(process_file)
    assert process_id is not None
    processes.stop_processes([process_file], patience_seconds=0.2)
    assert not processes.is_alive(process_id)


def test_a_stale_file_does_not_point_at_a_stranger(tmp_path: Path) -> None:
    process_file = tmp_path / "it.pid"
    own_start = processes.read_start_time(os.getpid())
    assert own_start is not None
    process_file.write_text(f"{os.getpid()} {own_start - 1}\n")
    assert processes.find_process(process_file) is None
    processes.stop_processes([process_file])
    assert not process_file.exists()


def test_a_missing_or_empty_file_names_no_process(tmp_path: Path) -> None:
    assert processes.find_process(tmp_path / "none.pid") is None
    (tmp_path / "empty.pid").touch()
    assert processes.find_process(tmp_path / "empty.pid") is None
