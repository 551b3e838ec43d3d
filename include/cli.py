"""`python -m include.cli <verb>`: what the Makefile calls.

In: a verb and its arguments. Out: lines for a person, and an exit code: 0 when all went
well, 1 with one clear sentence for each thing that did not.
"""

import argparse
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict

from include.access.roles import Role
from include.embedded.runtime import Runtime
from include.errors import WarehouseError
from include.settings import Settings, connect

# pandas and pyarrow take a second to import: only `run` needs them.
if TYPE_CHECKING:
    from include.embedded.local_run import RunOutcome

INTERRUPTED = 130
LOGINS: dict[str, Role | None] = {
    "owner": None,
    "bi_reader": "bi_reader",
    "cx_agent": "cx_agent",
}
MOST_DIFFERENCES = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one verb; return the exit code."""
    options = _build_parser().parse_args(arguments)
    runtime = Runtime()
    _write_log(runtime)
    _stop_in_good_order()
    verbs = {
        "run": lambda: _run(runtime, options),
        "up": lambda: _start(runtime, options.landing),
        "down": lambda: _stop(runtime),
        "accept": lambda: _accept(runtime, options.load, options.build),
        "backfill": lambda: _backfill(runtime, options),
        "replay": lambda: _replay(runtime, options.feed, options.load),
        "backup": lambda: _back_up(runtime, options.to),
        "restore": lambda: _restore(runtime, options.folder, options.replace),
        "rollback": lambda: _roll_back(runtime),
        "new-source": lambda: _make_source(runtime, options),
        "airflow": lambda: _run_airflow(runtime, options.arguments),
        "url": lambda: _print_url(runtime, options.role),
        "psql": lambda: _open_psql(runtime, options.role, options.arguments),
    }
    try:
        return verbs[options.verb]()
    except WarehouseError as error:
        print(f"make {options.verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"make {options.verb}: interrupted; what it started is stopped.")
        return INTERRUPTED


def _run(runtime: Runtime, options: argparse.Namespace) -> int:
    from include.embedded.local_run import run_locally
    from include.sample_exports import parameters as sample

    exports = _find_landing_url(options.landing) or sample.SampleParameters(
        customers=options.customers or sample.DEFAULT_CUSTOMERS,
        nights=options.nights or sample.DEFAULT_NIGHTS,
        last_night=options.night or sample.DEFAULT_LAST_NIGHT,
        reporting_time_zone=runtime.reporting_time_zone,
    )
    say = _measure_time()

    def show(outcome: "RunOutcome") -> None:
        _show_outcome(runtime, outcome)

    outcome = run_locally(runtime, exports, options.night, say, show)
    say("everything that was started is stopped" if not runtime.is_up else "done")
    return 1 if outcome.problems else 0


def _measure_time() -> Callable[[str], None]:
    """Return what prints a line after the seconds since now."""
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)

    return say


def _start(runtime: Runtime, landing: str | None) -> int:
    sample_url = str(runtime.sample_folder)
    with runtime.reserved():
        landing_url = _find_landing_url(landing) or runtime.landing_url or sample_url
        runtime.postgres.start()
        if landing_url != sample_url:
            from include.embedded.local_run import choose_warehouse

            choose_warehouse(runtime, landing_url, None, print)
        runtime.is_up = True
        airflow = runtime.airflow(landing_url)
        airflow.start()
    print(f"Airflow    {airflow.url}  user admin, password {airflow.password}")
    print(f"Warehouse  {runtime.url('bi_reader')}")
    if landing_url == sample_url:
        print("Timetable  none: a sample has no further nights; make up LANDING=...")
    else:
        print(f"Timetable  every night at 02:00, exports from {landing_url}")
    print("Stop both  make down")
    return 0


def _stop(runtime: Runtime) -> int:
    with runtime.reserved():
        runtime.is_up = False
        if runtime.postgres.has_data():
            runtime.airflow("").stop()
            runtime.postgres.stop()
    print("Airflow and PostgreSQL are stopped.")
    return 0


def _accept(runtime: Runtime, load_id: int | None, build_id: int | None) -> int:
    from include import by_hand

    settings = _start_postgres(runtime)
    if build_id is not None:
        return _say(by_hand.accept_build(settings, build_id))
    assert load_id is not None
    return _say(by_hand.accept_load(settings, load_id))


def _backfill(runtime: Runtime, options: argparse.Namespace) -> int:
    if options.first is None or options.last is None:
        raise WarehouseError(
            "A backfill needs its first and its last date: make backfill"
            " FROM=2026-11-17 TO=2026-11-19."
        )
    from include.backfill.plan import describe_plan, plan_backfill
    from include.backfill.run import run_backfill

    say = _measure_time()
    sources = [name for name in options.sources.replace(" ", "").split(",") if name]
    settings = _start_postgres(runtime)
    plan = plan_backfill(settings, options.first, options.last, sources)
    for line in describe_plan(plan):
        print(line)
    if options.dry_run:
        print("A dry run: nothing was loaded or written.")
        return 0
    from include.scorecard import write_scorecard

    run_id = f"backfill {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    outcome = run_backfill(
        settings, options.first, options.last, run_id, say, sources=sources
    )
    write_scorecard(settings)
    say("published; the scorecard is written")
    for problem in outcome.problems:
        print(f"Problem: {problem}", file=sys.stderr)
    return 1 if outcome.problems else 0


def _replay(runtime: Runtime, feed: str | None, load_id: int | None) -> int:
    from include.replay import run_replay
    from include.scorecard import write_scorecard

    say = _measure_time()
    settings = _start_postgres(runtime)
    run_id = f"replay {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    sentences, problems = run_replay(settings, run_id, feed, load_id, say)
    write_scorecard(settings)
    for sentence in sentences:
        print(sentence)
    for problem in problems:
        print(f"Problem: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _back_up(runtime: Runtime, parent: Path | None) -> int:
    from include.backup.save import save_warehouse

    runtime.postgres.start()
    landing_url = runtime.landing_url or str(runtime.sample_folder)
    is_sample = landing_url == str(runtime.sample_folder)
    folder, saved = save_warehouse(
        runtime.settings(landing_url),
        (parent or runtime.folder / "backups").absolute(),
        None if is_sample else landing_url,
    )
    print(f"{folder}: {saved.count_rows():,} rows")
    print(
        "Keep a copy on another disk, and the key secret apart from it "
        f"({runtime.key_secret_place}): without it nobody can build on the backup."
    )
    return 0


def _restore(runtime: Runtime, folder: Path, replace: str) -> int:
    from include.backup.restore import restore_warehouse

    if replace not in ("", "yes"):
        raise WarehouseError(f"REPLACE is {replace!r}: say REPLACE=yes, or leave it.")
    with runtime.reserved():
        if runtime.is_up:
            raise WarehouseError(
                "Airflow is up and could start a night meanwhile: make down, restore, "
                "then make up."
            )
        restored = restore_warehouse(
            _start_postgres(runtime), folder, replace=replace == "yes"
        )
        runtime.keep_key_secret()
        runtime.landing_url = restored.landing_url or str(runtime.sample_folder)
    return _say([restored.describe_restored()])


def _roll_back(runtime: Runtime) -> int:
    from include import by_hand

    return _say(by_hand.roll_back(_start_postgres(runtime)))


def _make_source(runtime: Runtime, options: argparse.Namespace) -> int:
    from include.new_source import make_source

    if not options.system or not options.file:
        raise WarehouseError(
            "A new source needs its name and one of its exports: make new-source"
            " SYSTEM=bank FILE=complaints.csv."
        )
    return _say(
        make_source(
            *(runtime.project_folder, options.system, Path(options.file).expanduser()),
            *(options.feed, options.role or None),
        )
    )


def _start_postgres(runtime: Runtime) -> Settings:
    """Start the server; return settings on what was last loaded."""
    runtime.postgres.start()
    return runtime.settings(runtime.landing_url or str(runtime.sample_folder))


def _say(sentences: Sequence[str]) -> int:
    for sentence in sentences:
        print(sentence)
    return 0


def _run_airflow(runtime: Runtime, arguments: Sequence[str]) -> int:
    landing_url = runtime.landing_url or str(runtime.sample_folder)
    if not runtime.is_up:
        raise WarehouseError("Airflow is not up: `make up` starts it.")
    runtime.postgres.start()
    environment = runtime.airflow(landing_url).environment()
    command = [sys.executable, "-m", "airflow", *arguments]
    os.execve(sys.executable, command, environment)


def _print_url(runtime: Runtime, role: str) -> int:
    runtime.postgres.start()
    print(runtime.url(LOGINS[role]))
    return 0


def _open_psql(runtime: Runtime, role: str, arguments: Sequence[str]) -> int:
    runtime.postgres.start()
    program = shutil.which("psql") or str(runtime.postgres.program("psql"))
    # Everybody on this machine can read the arguments of a process.
    url = runtime.url(LOGINS[role])
    password = str(conninfo_to_dict(url)["password"])
    address = url.replace(f":{password}@", "@", 1)
    environment = os.environ | {"PGPASSWORD": password}
    os.execve(program, [program, address, *arguments], environment)


def _show_outcome(runtime: Runtime, outcome: "RunOutcome") -> None:
    from include.embedded.sample_truth import compare_with_truth
    from include.embedded.score_summary import (
        describe_movers,
        describe_totals,
        read_movers,
        read_totals,
    )

    print(f"\nScores after the night of {outcome.night}:")
    with connect(outcome.settings) as connection:
        totals = describe_totals(read_totals(connection))
        for line in [*totals, *describe_movers(read_movers(connection))]:
            print(f"  {line}")
        if outcome.is_sample:
            truth = compare_with_truth(connection, runtime.truth_file)
            equal = truth.figures - len(truth.differences)
            print(
                f"  {equal:,} of {truth.figures:,} monthly figures equal the sample "
                f"company's plan ({runtime.truth_file.name})"
            )
            outcome.problems += truth.differences[:MOST_DIFFERENCES]
    print("\nWhere the time went:")
    for name, seconds in outcome.phases:
        print(f"  {seconds:6.1f} s  {name}")
    page = outcome.settings.report_folder / "scorecard.html"
    if page.exists():
        print(f"\nScorecard   {page}")
    print("Ask in SQL  make psql\n", flush=True)
    for problem in outcome.problems:
        print(f"Problem: {problem}", file=sys.stderr)


def _find_landing_url(landing: str | None) -> str | None:
    """Return an address as it is, and a folder as an absolute path."""
    if not landing or "://" in landing:
        return landing or None
    folder = Path(landing).expanduser().absolute()
    if not folder.is_dir():
        raise WarehouseError(
            f"LANDING is {landing}, which is no folder: give the folder, or the s3:// "
            "or gs:// address, below which the exports lie."
        )
    return str(folder)


def _write_log(runtime: Runtime) -> None:
    """Write what the modules log to a file; the console is for the reader."""
    runtime.log_folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=runtime.log_folder / "command-line.log",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


def _stop_in_good_order() -> None:
    """Let the first signal end the work, and no other one the cleaning up after it."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in signals:
        signal.signal(each, interrupt)


def _read_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no date: write it as 2026-11-19"
        ) from error


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="load, build, check and publish; then stop")
    run.add_argument("--landing", help="where the exports lie; else sample exports")
    run.add_argument("--night", type=_read_date, help="the last batch date to load")
    run.add_argument("--customers", type=int, help="size of the sample")
    run.add_argument("--nights", type=int, help="length of the sample")
    up = verbs.add_parser(
        "up", help="start Airflow with its timetable, and leave it up"
    )
    up.add_argument("--landing", help="where the exports arrive")
    verbs.add_parser("down", help="stop Airflow and PostgreSQL")
    accept = verbs.add_parser("accept", help="overrule a gate")
    overruled = accept.add_mutually_exclusive_group(required=True)
    overruled.add_argument("--load", type=int, help="put a held load in force")
    overruled.add_argument("--build", type=int, help="publish what gate 2 stops")
    backfill = verbs.add_parser("backfill", help="load a range of nights (again)")
    backfill.add_argument(
        "--from", dest="first", type=_read_date, help="first batch date"
    )
    backfill.add_argument("--to", dest="last", type=_read_date, help="last batch date")
    backfill.add_argument("--sources", default="", help="systems, with commas; or all")
    backfill.add_argument("--dry-run", action="store_true", help="only say what it is")
    replay = verbs.add_parser("replay", help="read rejected rows again, and publish")
    replay.add_argument("--feed", help="of this feed alone: <system>.<feed>")
    replay.add_argument("--load", type=int, help="of the load of this number alone")
    backup = verbs.add_parser("backup", help="save the warehouse")
    backup.add_argument("--to", type=Path, help="the folder that receives backups")
    restore = verbs.add_parser("restore", help="bring a saved warehouse back")
    restore.add_argument("--folder", type=Path, required=True, help="one backup")
    restore.add_argument("--replace", default="", help="yes: drop what is there")
    verbs.add_parser("rollback", help="bring back the version published before")
    source = verbs.add_parser("new-source", help="draft a source from an export")
    source.add_argument("--system", default="", help="what the system is called")
    source.add_argument("--file", default="", help="one of its exports")
    source.add_argument("--feed", default="", help="what the feed is called")
    source.add_argument("--role", default="", choices=("", "crm", "survey", "ticket"))
    airflow = verbs.add_parser("airflow", help="a command of this clone's Airflow")
    airflow.add_argument("arguments", nargs="*", help="handed to airflow")
    url = verbs.add_parser("url", help="start PostgreSQL and print its address")
    url.add_argument("--role", choices=LOGINS, default="bi_reader")
    psql = verbs.add_parser("psql", help="open psql on the warehouse")
    psql.add_argument("--role", choices=LOGINS, default="owner")
    psql.add_argument("arguments", nargs="*", help="handed to psql")
    return parser


if __name__ == "__main__":
    sys.exit(main())
