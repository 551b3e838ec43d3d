"""Start and stop the processes of the local runtime.

A process is known by a small file with its id and its start time, so that a stale file
never points at a stranger that got the same id after a restart of the machine.
"""

import os
import signal
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path


def start_process(
    command: Sequence[str | Path],
    process_file: Path,
    log_file: Path,
    environment: Mapping[str, str],
    folder: Path,
) -> None:
    """Start `command` in `folder`, in a session of its own.

    What it says is appended to `log_file`; `process_file` remembers which it is.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    process_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
    process_file.write_text(f"{process.pid} {read_start_time(process.pid)}\n")


def find_process(process_file: Path) -> int | None:
    """Return the id of the live process that `process_file` names, else None."""
    try:
        process_id, start_time = map(int, process_file.read_text().split())
    except (FileNotFoundError, ValueError):
        return None
    return process_id if read_start_time(process_id) == start_time else None


def stop_processes(process_files: Sequence[Path], patience_seconds: float = 10) -> None:
    """End these processes with everything that they started, politely first."""
    leaders = [
        process_id
        for process_file in process_files
        if (process_id := find_process(process_file)) is not None
    ]
    families = {member for leader in leaders for member in list_session(leader)}
    for leader in leaders:
        send_signal(leader, signal.SIGTERM)
    wait_until_gone(leaders, patience_seconds)
    # Leaders end their children. What is left did not listen, or lost its parent.
    for number in (signal.SIGTERM, signal.SIGKILL):
        families.update(member for leader in leaders for member in list_session(leader))
        for member in families:
            send_signal(member, number)
        if wait_until_gone(families, min(patience_seconds, 2)):
            break
    for process_file in process_files:
        process_file.unlink(missing_ok=True)


def list_session(leader: int) -> list[int]:
    """List the live processes of the session that `leader` opened, itself included."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit()
        and (fields := _read_stat(int(entry.name))) is not None
        and int(fields[3]) == leader
    ]


def is_alive(process_id: int) -> bool:
    """Tell whether the process runs; one that only waits to be collected does not."""
    return _read_stat(process_id) is not None


def read_start_time(process_id: int) -> int | None:
    """Return when the process started, in ticks since boot; None when it ended."""
    fields = _read_stat(process_id)
    return int(fields[19]) if fields is not None else None


def send_signal(process_id: int, number: signal.Signals) -> None:
    """Send a signal; a process that has just ended is fine."""
    try:
        os.kill(process_id, number)
    except ProcessLookupError:
        return


def wait_until_gone(process_ids: Collection[int], seconds: float) -> bool:
    """Wait until none of them runs; False when the time is over before."""
    deadline = time.monotonic() + seconds
    while any(is_alive(process_id) for process_id in process_ids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _read_stat(process_id: int) -> list[str] | None:
    """Return the fields of /proc/<id>/stat from the state on; None when it ended."""
    try:
        text = Path(f"/proc/{process_id}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the name, is in brackets and may hold anything.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else fields
