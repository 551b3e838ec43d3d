"""`make run`: from exports to published scores, and nothing left running.

In: a clone's runtime and, if wanted, a landing address and a night. Out: the earlier
nights loaded as one range, the last night run by Airflow's scheduler, and what went
wrong. Without a landing address the exports are a sample company's.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from include.contracts import read_contracts
from include.embedded.runtime import Runtime
from include.embedded.scheduled_night import run_night
from include.errors import WarehouseError
from include.loading.landing import Landing
from include.sample_exports.parameters import SampleParameters
from include.settings import Settings

Say = Callable[[str], None]


@dataclass
class RunOutcome:
    """What a run did.

    is_sample : whether the exports were the sample company's
    problems : one clear sentence for each thing that went wrong
    phases : name and seconds of each phase; Airflow starts beside the others
    """

    settings: Settings
    night: date
    is_sample: bool
    problems: list[str] = field(default_factory=list)
    phases: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure a phase."""
        started = time.monotonic()
        yield
        self.phases.append((name, time.monotonic() - started))


def run_locally(
    runtime: Runtime,
    exports: str | SampleParameters,
    night: date | None,
    say: Say,
    show: Callable[[RunOutcome], None],
) -> RunOutcome:
    """Run everything, hand the outcome to `show`, then stop what was started here.

    Parameters
    ----------
    exports : the landing address, or the sample to write first
    night : the last batch date to load; None for the last that there is

    Raises WarehouseError when it cannot be carried through. An outcome with problems
    was carried through: the rest was published.
    """
    sample = exports if isinstance(exports, SampleParameters) else None
    landing_url = exports if isinstance(exports, str) else str(runtime.sample_folder)
    with runtime.reserved(), ExitStack() as at_the_end:
        if not runtime.postgres.is_running():
            at_the_end.callback(runtime.postgres.stop)
        started = time.monotonic()
        runtime.postgres.start()
        settings = runtime.settings(landing_url)
        if sample is not None:
            first, last = sample.first_night, sample.last_night
        else:
            first, last = find_nights(settings, night)
        outcome = RunOutcome(settings, last, sample is not None)
        outcome.phases.append(("PostgreSQL started", time.monotonic() - started))
        say(describe_postgres(runtime))
        choose_warehouse(runtime, landing_url, sample, say)

        # Airflow takes its time to start; the exports and earlier nights need it not.
        pool = at_the_end.enter_context(ThreadPoolExecutor(max_workers=1))
        airflow = runtime.airflow(landing_url)
        if not runtime.is_up:
            at_the_end.callback(airflow.stop)
        airflow_started = pool.submit(airflow.start)

        if sample is not None:
            with outcome.phase("sample exports written"):
                write_sample(runtime, sample, say)
        if first < last:
            with outcome.phase("earlier nights loaded and published"):
                outcome.problems += load_earlier_nights(settings, first, last, say)
        with outcome.phase("waited for Airflow"):
            airflow_started.result()
        say(f"Airflow runs on {airflow.url}")
        with outcome.phase("the night, trigger to end"):
            outcome.problems += run_night(
                airflow, last, settings.reporting_time_zone, say
            )
        outcome.problems = list(dict.fromkeys(outcome.problems))
        show(outcome)
        return outcome


def describe_postgres(runtime: Runtime) -> str:
    """Return the line that says where the server is, and its data if elsewhere."""
    line = f"PostgreSQL runs on port {runtime.postgres.port}"
    data = runtime.postgres.data_folder
    if data.is_relative_to(runtime.folder):
        return line
    return f"{line}; it may not enter this folder, so its data is in {data}"


def choose_warehouse(
    runtime: Runtime, landing_url: str, sample: SampleParameters | None, say: Say
) -> None:
    """Keep the sample company and real exports apart in the one warehouse of a clone.

    A sample makes way for anything else; real exports make way for nothing.
    """
    loaded_from = runtime.landing_url
    sample_url = str(runtime.sample_folder)
    if loaded_from not in (None, sample_url) and sample is not None:
        raise WarehouseError(
            f"This clone's warehouse holds the exports of {loaded_from}: run "
            f"`make run LANDING={loaded_from}` to go on with them, or see the sample "
            "company in another clone."
        )
    is_same_sample = sample is not None and is_sample_written(runtime, sample)
    if loaded_from == sample_url and not is_same_sample:
        say("The warehouse held a sample company: it begins empty again")
        runtime.postgres.empty_database()
    runtime.landing_url = landing_url


def write_sample(runtime: Runtime, sample: SampleParameters, say: Say) -> None:
    """Write the sample company's exports, unless these very ones are there."""
    if is_sample_written(runtime, sample):
        say(f"The sample exports are in {runtime.sample_folder} already")
        return
    say(
        f"Writing {sample.nights} nights of exports of {sample.customers:,} customers "
        f"to {runtime.sample_folder}"
    )
    command = [sys.executable, "-m", "include.sample_exports"]
    command += ["--landing", str(runtime.sample_folder)]
    command += ["--truth", str(runtime.truth_file)]
    command += ["--customers", str(sample.customers), "--nights", str(sample.nights)]
    command += ["--seed", str(sample.seed)]
    command += ["--last-night", sample.last_night.isoformat()]
    command += ["--time-zone", sample.reporting_time_zone]
    written = subprocess.run(
        command,
        cwd=runtime.project_folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    log_file = runtime.log_folder / "sample_exports.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    log_file.write_text(written.stdout)
    if written.returncode != 0:
        raise WarehouseError(f"The sample exports were not written: read {log_file}.")


def is_sample_written(runtime: Runtime, sample: SampleParameters) -> bool:
    """Tell whether the exports on disk are those of these parameters and this code."""
    try:
        truth = json.loads(runtime.truth_file.read_text())
    except FileNotFoundError:
        return False
    return bool(sample.describe().items() <= truth.items())


def find_nights(settings: Settings, night: date | None) -> tuple[date, date]:
    """Return the first night of the landing zone, and the one to run: `night`, or the
    last that there is.
    """
    landing = Landing(settings.landing_url)
    dates = {
        batch_date
        for contract in read_contracts(
            settings.project_folder, settings.sources
        ).values()
        for batch_date in landing.list_batch_dates(contract)
    }
    if not dates:
        raise WarehouseError(
            f"No exports are in {settings.landing_url}: they belong below it in "
            "<system>/<feed>/<YYYY-MM-DD>/, for example hubspot/contacts/2026-11-19/."
        )
    last = night or max(dates)
    return min(min(dates), last), last


def load_earlier_nights(
    settings: Settings, first: date, last: date, say: Say
) -> list[str]:
    """Load [first, last) as one range, then build, check and publish once.

    Returns one sentence for each feed that failed or load that is held.
    """
    from include.backfill.run import run_backfill

    before = last - timedelta(days=1)
    say(f"Loading the nights {first} to {before} as one range")
    started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    outcome = run_backfill(
        settings,
        first,
        before,
        run_id=f"range__{started_at}",
        progress=lambda line: say(f"  {line}"),
    )
    return outcome.problems
