"""Crashes in tests: a night in a process of its own, that is killed while it works.

A process to be killed stops itself (SIGSTOP) at a drawn place of a step, for example in
the middle of a COPY. While it stands still the server is asked whether the step is at
work; only then the process, or the whole server, is killed. So no kill comes too late
unseen, however slow the machine is.
"""

import itertools
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import psycopg

from include import audit, statistics
from include.building import dbt, marts_transaction, publish
from include.embedded import processes
from include.embedded.postgres import EmbeddedPostgres
from include.gates import marts as gate_2
from include.gates import raw as gate_1
from include.settings import Settings
from tests import nights
from tests.nights import fetch

log = logging.getLogger(__name__)

# In the order of a night.
STEPS = ("copy", "gate 1", "models", "between the parts", "gate 2", "publish")
PATIENCE_SECONDS = 900

# Where a step may stop: the function, at which of its calls, and before or after it.
GATE_1_PLACES = [
    (gate_1, "profile_loads", 1, "before"),
    (gate_1, "profile_loads", 1, "after"),
    (gate_1, "run_suites", 1, "after"),
    (gate_1, "record_results", 1, "after"),
    # In the transaction that decides.
    (audit, "accept_loads", 1, "after"),
]
PLACES_BETWEEN_PARTS = [
    (statistics, "compute", 1, "before"),
    # In their transaction.
    (statistics, "compute", 1, "after"),
    (dbt.Dbt, "build", 2, "before"),
]
GATE_2_PLACES = [
    (gate_2, "run_suites", 1, "before"),
    (gate_2, "record_results", 1, "after"),
]
# After one model or another, and when nothing but the commit is left.
PUBLISH_PLACES = [
    *((publish, "swap_rows", call, "after") for call in range(1, 20, 2)),
    (marts_transaction, "restrict_agent_tables", 1, "after"),
]

# Whether a step of this run is at work, asked while its process stands still.
_HOLDS_LOCK = (
    "exists (select from pg_locks where locktype = 'advisory' and granted and database"
    " = (select oid from pg_database where datname = current_database())"
    " and cast(objid as bigint) = cast(hashtext('{}') as bigint) & 4294967295)"
)
_IS_BUILDING = (
    f"select {_HOLDS_LOCK.format('cx.build')} and exists (select from audit.builds"
    " where build_id = (select max(build_id) from audit.builds) and run_id = %(run)s"
    " and status = 'running')"
)
_AT_WORK = {
    "copy": "select exists (select from pg_stat_progress_copy"
    " where datname = current_database() and command = 'COPY FROM')",
    "gate 1": f"select {_HOLDS_LOCK.format('cx.check_raw')}"
    " and exists (select from audit.loads where run_id = %(run)s"
    " and status = 'loaded')",
    "models": _IS_BUILDING,
    "between the parts": _IS_BUILDING,
    "gate 2": "select status = 'succeeded' and gated_at is null"
    " and not exists (select from audit.publishes where run_id = %(run)s)"
    " from audit.builds order by build_id desc limit 1",
    # Rows are written, and nobody sees them.
    "publish": f"select {_HOLDS_LOCK.format('cx.build')} and exists (select from"
    " pg_stat_activity where datname = current_database() and backend_xid is not null"
    " and application_name = 'cx' and state = 'idle in transaction')"
    " and not exists (select from audit.publishes where run_id = %(run)s)",
}


@dataclass(frozen=True)
class Kill:
    """One kill: in which step, of the whole server or of the process alone, and where
    in the step, from 0 to 1."""

    step: str
    of_server: bool
    place: float


def start_night(
    settings: Settings, day: date, kill: Kill | None, log_file: Path
) -> ForkServerProcess:
    """Start a night in a process of its own, which stops where it is to be killed."""
    context = multiprocessing.get_context("forkserver")
    # What takes seconds to import is imported once.
    context.set_forkserver_preload(["tests.crashes", "great_expectations"])
    process = context.Process(target=_run_night, args=(settings, day, kill, log_file))
    process.start()
    return process


def wait_until_stopped(process: ForkServerProcess) -> bool:
    """Wait until the process stands still; False: it has ended without that."""
    assert process.pid is not None
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.is_alive():
        assert time.monotonic() < deadline, "the night neither stops nor ends"
        if _read_state(process.pid) == "T":
            return True
        time.sleep(0.02)
    return False


def is_at_work(settings: Settings, day: date, kill: Kill) -> bool:
    """Whether the server sees the step at work, whose process stands still.

    A backend may be a moment behind: it tells of a COPY after it has answered.
    """
    deadline = time.monotonic() + 2
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        while True:
            row = connection.execute(
                _AT_WORK[kill.step].encode(), {"run": name_run(day)}
            ).fetchone()
            if row is not None and row[0]:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)


def resume(process: ForkServerProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)


def kill_process(process: ForkServerProcess) -> None:
    process.kill()
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == -signal.SIGKILL


def kill_server(server: EmbeddedPostgres) -> None:
    """Kill the postmaster and all its children; none of them may clean up."""
    text = (server.data_folder / "postmaster.pid").read_text()
    postmaster = int(text.split()[0])
    # It must not start new ones meanwhile, nor notice that any died.
    os.kill(postmaster, signal.SIGSTOP)
    family = [*_list_children(postmaster), postmaster]
    for process_id in family:
        processes.send_signal(process_id, signal.SIGKILL)
    assert processes.wait_until_gone(family, 30)


def wait_until_noticed(settings: Settings) -> None:
    """Wait until the server has let go of the locks of a process that was killed."""
    locks = (
        "select count(*) from pg_locks where locktype = 'advisory'"
        " and database = (select oid from pg_database"
        "  where datname = current_database())"
    )
    deadline = time.monotonic() + 60
    while fetch(settings, locks) != [(0,)]:
        assert time.monotonic() < deadline, "a dead process holds no lock for ever"
        time.sleep(0.05)


def name_run(day: date) -> str:
    """The run of a night: the same when it is run again, as in Airflow."""
    return f"night {day}"


def _run_night(
    settings: Settings, day: date, kill: Kill | None, log_file: Path
) -> None:
    with log_file.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    logging.basicConfig(level=logging.WARNING)
    log.warning("%s, %s", name_run(day), kill)
    if kill is not None:
        _prepare_to_stop(kill)
    problems = nights.run(settings, day, day, name_run(day), with_tests=False)
    log.warning("%s ended: %s", name_run(day), problems)
    sys.exit(1 if problems else 0)


def _prepare_to_stop(kill: Kill) -> None:
    def draw(places: list[tuple[Any, str, int, str]]) -> tuple[Any, str, int, str]:
        return places[int(kill.place * len(places))]

    match kill.step:
        case "copy":
            _stop_in_copy(1 + int(kill.place * 3))
        case "gate 1":
            _stop_at_call(*draw(GATE_1_PLACES))
        case "models":
            _stop_in_models(kill.place)
        case "between the parts":
            _stop_at_call(*draw(PLACES_BETWEEN_PARTS))
        case "gate 2":
            _stop_at_call(*draw(GATE_2_PLACES))
        case "publish":
            _stop_at_call(*draw(PUBLISH_PLACES))


def _stop() -> None:
    # To this thread, which then stops here: sent to the process, the signal is the main
    # thread's to handle, and another one goes on until that has its turn.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def _stop_at_call(owner: Any, name: str, call: int, when: str) -> None:
    """Stop before or after a certain call of a function."""
    original: Callable[..., Any] = getattr(owner, name)
    calls = itertools.count(1)

    def call_and_stop(*arguments: Any, **options: Any) -> Any:
        is_here = next(calls) == call
        if is_here and when == "before":
            _stop()
        result = original(*arguments, **options)
        if is_here and when == "after":
            _stop()
        return result

    setattr(owner, name, call_and_stop)


def _stop_in_copy(number: int) -> None:
    """Stop when half of the first block of a certain COPY is written."""
    original = psycopg.Copy.write
    seen: list[psycopg.Copy] = []

    def write(copy: psycopg.Copy, buffer: bytes) -> None:
        if copy not in seen:
            seen.append(copy)
            if len(seen) == number:
                middle = len(buffer) // 2
                original(copy, buffer[:middle])
                _stop()
                buffer = buffer[middle:]
        original(copy, buffer)

    psycopg.Copy.write = write  # type: ignore[method-assign, assignment]


def _stop_in_models(place: float) -> None:
    """Stop when dbt begins a certain node of one of its two parts, or soon after.

    The first half of the places is in the first part.
    """
    part, share = divmod(place * 2, 1)
    parts = itertools.count(0)
    # Not at the beginning of a statement alone.
    delay = share * 7 % 1 * 0.3
    state = {"part": -1, "is_done": False}

    def watch(event: Any) -> None:
        if event.info.name != "LogStartLine" or state["is_done"]:
            return
        if event.data.index == 1:
            state["part"] = next(parts)
        if state["part"] == part and event.data.index >= share * event.data.total:
            state["is_done"] = True
            threading.Timer(delay, _stop).start()

    class WatchedRunner(dbt.dbtRunner):
        def __init__(self, manifest: Any = None, callbacks: Any = None) -> None:
            super().__init__(manifest, [*(callbacks or []), watch])

    dbt.dbtRunner = WatchedRunner  # type: ignore[misc]


def _read_state(process_id: int) -> str | None:
    try:
        text = Path(f"/proc/{process_id}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()[0]


def _list_children(parent: int) -> list[int]:
    children = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(text.rpartition(")")[2].split()[1]) == parent:
                children.append(int(entry.name))
    return children
