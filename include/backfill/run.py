"""A backfill: any range of nights, loaded at once, built once and published once.

    extract -> check_raw -> build -> check_marts -> compare -> publish

In: exports in the landing zone, and the batch dates to load (again). Out: a published
version of ``marts``. The steps are those of a night (`include.night`). What is loaded
already and has not changed costs a look at its files, so a backfill may be repeated,
and one that was killed is taken up by running it again.
"""

import logging
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from include import night
from include.backfill.changes import compare_marts, describe_changes
from include.backfill.plan import choose_contracts
from include.errors import WarehouseError
from include.loading.range_loader import Progress, load_range
from include.runs import record_step
from include.settings import Settings

log = logging.getLogger(__name__)


@dataclass
class BackfillOutcome:
    """What went wrong, one sentence each, and how many seconds each step took."""

    problems: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Note how long a step takes."""
        started = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - started


def run_backfill(
    settings: Settings,
    first: date,
    last: date,
    run_id: str,
    progress: Progress = log.info,
    *,
    sources: Collection[str] = (),
    with_tests: bool = True,
) -> BackfillOutcome:
    """Load the batch dates first to last, inclusive; build, check and publish once.

    Parameters
    ----------
    sources : systems, as hubspot, that are loaded; none stands for all
    with_tests : run the data tests of what is built, too; only a comparison of builds
        with each other does without them

    Raises WarehouseError when it cannot be carried through. An outcome with problems
    was: what is sound is published.
    """
    outcome = BackfillOutcome()

    with outcome.measure("extract"):
        _extract(settings, first, last, run_id, progress, sources)
    with outcome.measure("gate_1"):
        gate = night.check_raw(settings, run_id)
    progress(f"gate 1: {gate.checked} loads checked, {len(gate.held_loads)} held")
    with outcome.measure("build"):
        built = night.build(settings, run_id, progress, with_tests=with_tests)
    progress(f"build: {built.loads_touched} loads, {built.models_rebuilt} models")
    with outcome.measure("gate_2"):
        night.check_marts(settings, run_id)
    progress("gate 2: passed")
    with outcome.measure("compare"):
        changes = compare_marts(settings, run_id)
    for line in describe_changes(changes):
        progress(line)
    with outcome.measure("publish"):
        published = night.publish(settings, run_id)
    progress(
        f"publish: {published.rows_deleted:,} rows out,"
        f" {published.rows_inserted:,} rows in,"
        f" {published.figures_restated:,} figures of closed periods restated"
    )
    outcome.problems = night.find_problems(settings, run_id)
    return outcome


def _extract(
    settings: Settings,
    first: date,
    last: date,
    run_id: str,
    progress: Progress,
    sources: Collection[str],
) -> None:
    """Load the sources side by side, as the DAG does; what fails is in audit."""
    contracts = choose_contracts(settings, sources)
    night.prepare(settings)

    is_stopped = threading.Event()

    def tell(line: str) -> None:
        if is_stopped.is_set():
            raise WarehouseError("The backfill was stopped: run it again to go on.")
        progress(line)

    def load(role: str) -> None:
        chosen = [contract for contract in contracts if contract.role == role]
        with record_step(settings, run_id, f"extract_{role}"):
            load_range(settings, chosen, first, last, run_id, tell)

    with ThreadPoolExecutor(max_workers=len(night.ROLES)) as pool:
        try:
            for done in [pool.submit(load, role) for role in night.ROLES]:
                done.result()
        except BaseException:
            # Somebody ended it, or the landing zone cannot be read: the other sources
            # stop within seconds, between two loads.
            is_stopped.set()
            raise
