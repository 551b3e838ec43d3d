"""What a backfill would do, found out without doing it.

In: a range of batch dates, and systems; the landing zone and ``audit``. Out: a
`BackfillPlan`, and the lines that tell it to a person. Nothing is written.

A load is new, changed or unchanged as the loader itself decides it: by the content of
the files and the contract that they are read under.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from include.backfill.estimates import Estimate, estimate_rows, estimate_seconds
from include.contracts import FeedContract, read_contracts
from include.errors import ExportError, WarehouseError
from include.loading.landing import LandedFile, Landing
from include.loading.load_records import (
    REPEATABLE_STATUSES,
    KnownLoad,
    find_known_loads,
)
from include.loading.loader import find_same_load
from include.settings import Settings, connect

# A content that made way for another is loaded again when it comes back, but how many
# rows it has is known.
KNOWN_STATUSES = (*REPEATABLE_STATUSES, "superseded")
SHOWN_DATES = 5
SHOWN_PERIODS = 8


@dataclass
class FeedPlan:
    """What would become of one feed's exports.

    new, changed : batch dates without a load in force, and those whose content or
        contract is another than that of the load in force
    undecided : batch dates whose content gate 1 holds or has not judged yet; it would
        look at it again
    missing : batch dates of a required feed without any export
    not_sent : how many batch dates an optional feed has no export of
    unreadable : one sentence for each export that the loader would refuse at sight;
        what lies inside of new files is not read
    files, bytes : of what would be loaded
    rows : of what would be loaded; None where nothing tells
    estimated_rows : how many of these rows are estimated from bytes
    """

    feed: str
    new: list[date] = field(default_factory=list)
    changed: list[date] = field(default_factory=list)
    undecided: list[date] = field(default_factory=list)
    unchanged: int = 0
    missing: list[date] = field(default_factory=list)
    not_sent: int = 0
    unreadable: list[str] = field(default_factory=list)
    files: int = 0
    bytes: int = 0
    rows: int | None = 0
    estimated_rows: int = 0

    @property
    def system(self) -> str:
        """The vendor's system that sends it."""
        return self.feed.split(".")[0]

    @property
    def loads(self) -> int:
        """How many loads would be written."""
        return len(self.new) + len(self.changed)


@dataclass(frozen=True)
class Period:
    """A period of experience_scores that is over and published."""

    grain: str
    label: str
    start: date
    end: date


@dataclass(frozen=True)
class BackfillPlan:
    """What a backfill would do; dates are inclusive."""

    first: date
    last: date
    systems: tuple[str, ...]
    feeds: tuple[FeedPlan, ...]
    periods: tuple[Period, ...]
    estimate: Estimate

    @property
    def loads(self) -> int:
        """How many loads would be written."""
        return sum(feed.loads for feed in self.feeds)

    @property
    def rows(self) -> int | None:
        """How many rows would be loaded; None where a feed's are unknown."""
        counts = [feed.rows for feed in self.feeds]
        known = [rows for rows in counts if rows is not None]
        return sum(known) if len(known) == len(counts) else None

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON; dates as text."""

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: plain(item) for key, item in value.items()}
            if isinstance(value, list | tuple):
                return [plain(item) for item in value]
            return value.isoformat() if isinstance(value, date) else value

        written: dict[str, Any] = plain(asdict(self))
        return written | {"loads": self.loads, "rows": self.rows}


def plan_backfill(
    settings: Settings,
    first: date,
    last: date,
    sources: Collection[str] = (),
    today: date | None = None,
) -> BackfillPlan:
    """Find out what a backfill of first to last, inclusive, would do.

    Parameters
    ----------
    sources : systems, as hubspot; none stands for all
    today : the day that it is in the reporting time zone; None for what the clock says

    Raises WarehouseError for a range or a source that there is not, and SettingsError
    for a landing zone that cannot be read.
    """
    check_range(settings, first, last, today)
    contracts = choose_contracts(settings, sources)
    landing = Landing(settings.landing_url)
    with connect(settings) as connection:
        connection.read_only = True
        is_made = _is_there(connection, "audit.loads")
        feeds = []
        for contract in contracts:
            known: dict[date, list[KnownLoad]] = {}
            if is_made:
                known = find_known_loads(
                    connection, contract.name, first, last, KNOWN_STATUSES
                )
            feeds.append(_plan_feed(connection, landing, contract, first, last, known))
        dates = {day for feed in feeds for day in (*feed.new, *feed.changed)}
        periods = _find_periods(connection, dates)
        estimate = Estimate(None, "this warehouse has not published anything yet")
        if is_made:
            estimate = estimate_seconds(
                connection,
                {feed.feed: feed.loads for feed in feeds},
                sum(feed.rows or 0 for feed in feeds),
            )
    systems = tuple(dict.fromkeys(contract.source for contract in contracts))
    return BackfillPlan(first, last, systems, tuple(feeds), tuple(periods), estimate)


def check_range(
    settings: Settings, first: date, last: date, today: date | None
) -> None:
    """Raise WarehouseError for a range of dates that nobody can load.

    Parameters
    ----------
    today : the day that it is in the reporting time zone; None for what the clock says
    """
    today = today or datetime.now(ZoneInfo(settings.reporting_time_zone)).date()
    if first > last:
        raise WarehouseError(
            f"A backfill from {first} to {last} has no nights: the first date comes"
            " after the last one; swap them."
        )
    if last > today:
        raise WarehouseError(
            f"A backfill to {last} is not possible: today is {today}, and there are no"
            " exports of days to come; choose an earlier date."
        )


def choose_contracts(
    settings: Settings, sources: Collection[str]
) -> list[FeedContract]:
    """Return the contracts of the feeds of these systems; of all without any.

    Raises WarehouseError for a system that there is not.
    """
    contracts = list(read_contracts(settings.project_folder, settings.sources).values())
    systems = {contract.source: None for contract in contracts}
    if unknown := [source for source in sources if source not in systems]:
        raise WarehouseError(
            f"There is no source {unknown[0]!r}: choose from {', '.join(systems)}."
        )
    return [
        contract for contract in contracts if not sources or contract.source in sources
    ]


def list_dates(first: date, last: date) -> list[date]:
    """List the dates first to last, inclusive."""
    return [first + timedelta(days=day) for day in range((last - first).days + 1)]


def _plan_feed(
    connection: psycopg.Connection,
    landing: Landing,
    contract: FeedContract,
    first: date,
    last: date,
    known: dict[date, list[KnownLoad]],
) -> FeedPlan:
    plan = FeedPlan(contract.name)
    exact_rows = 0
    unknown: list[LandedFile] = []
    for day in list_dates(first, last):
        loads = known.get(day, [])
        try:
            files = landing.list_files(contract, day)
            if not files:
                if contract.required:
                    plan.missing.append(day)
                else:
                    plan.not_sent += 1
                continue
            _refuse_empty_files(contract, day, files)
            same = find_same_load(landing, contract, day, files, loads)
        except ExportError as error:
            plan.unreadable.append(str(error))
            continue
        if same is not None and same.status == "accepted":
            plan.unchanged += 1
            continue
        if same is not None and same.status != "superseded":
            plan.undecided.append(day)
            continue
        is_in_force = any(load.status == "accepted" for load in loads)
        (plan.changed if is_in_force else plan.new).append(day)
        plan.files += len(files)
        plan.bytes += sum(file.bytes for file in files)
        if same is not None:
            exact_rows += same.counts.read
        else:
            unknown += files
    estimated = estimate_rows(connection, landing, contract, unknown)
    plan.rows = None if estimated is None else exact_rows + estimated
    plan.estimated_rows = estimated or 0
    return plan


def _refuse_empty_files(
    contract: FeedContract, day: date, files: Iterable[LandedFile]
) -> None:
    for file in files:
        if file.bytes == 0:
            raise ExportError(
                contract.name, day, "the file is empty", "export it again", file.path
            )


def _find_periods(connection: psycopg.Connection, dates: set[date]) -> list[Period]:
    """Find the published periods that are over and contain one of these dates."""
    if not dates or not _is_there(connection, "marts.experience_scores"):
        return []
    rows = connection.execute(
        "select period_grain, period_label, period_start, period_end"
        " from marts.experience_scores where is_complete_period and exists ("
        "  select from unnest(%s::date[]) as changed (batch_date)"
        "  where batch_date between period_start and period_end)"
        " group by 1, 2, 3, 4 order by period_end - period_start, period_start",
        [sorted(dates)],
    ).fetchall()
    return [Period(*row) for row in rows]


def _is_there(connection: psycopg.Connection, relation: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [relation])
    return bool(row.fetchall()[0][0])


def describe_plan(plan: BackfillPlan) -> list[str]:
    """Return the lines that tell a person what would be done."""
    nights = (plan.last - plan.first).days + 1
    lines = [
        f"Backfill of {plan.first} to {plan.last}, {nights} nights:"
        f" {', '.join(plan.systems)}",
        f"  {'feed':<30}{'new':>5}{'changed':>8}{'same':>6}{'again':>6}{'missing':>8}"
        f"{'unreadable':>11}{'files':>8}{'MB':>9}{'rows':>13}",
    ]
    for feed in plan.feeds:
        lines.append(
            f"  {feed.feed:<30}{len(feed.new):>5}{len(feed.changed):>8}"
            f"{feed.unchanged:>6}{len(feed.undecided):>6}{len(feed.missing):>8}"
            f"{len(feed.unreadable):>11}{feed.files:>8,}{feed.bytes / 1e6:>9,.1f}"
            f"{_describe_rows(feed):>13}"
        )
    total = "unknown" if plan.rows is None else f"{plan.rows:,}"
    estimated = sum(feed.estimated_rows for feed in plan.feeds)
    lines.append(
        f"Loads to write: {plan.loads:,}; rows: {total}"
        + (f", {estimated:,} of them estimated from bytes (~)" if estimated else "")
    )
    if any(feed.undecided for feed in plan.feeds):
        lines.append("again: held or not judged yet; gate 1 looks at them again")
    for feed in plan.feeds:
        if feed.missing:
            days = ", ".join(map(str, feed.missing[:SHOWN_DATES]))
            more = len(feed.missing) - SHOWN_DATES
            rest = f" and {more} more" if more > 0 else ""
            lines.append(f"Missing: {feed.feed} of {days}{rest}: ask the source for it")
        lines += [f"Unreadable: {sentence}" for sentence in feed.unreadable]
    if plan.periods:
        names = [f"{period.grain} {period.label}" for period in plan.periods]
        shown = ", ".join(names[-SHOWN_PERIODS:])
        lines.append(
            f"Published figures of {len(names)} closed periods can change, among them"
            f" {shown}; whether they do shows when it is built, before it is published"
        )
    else:
        lines.append("No published figure of a closed period lies in these dates")
    lines.append(f"Time: {_describe_time(plan.estimate)}")
    return lines


def _describe_rows(feed: FeedPlan) -> str:
    if feed.rows is None:
        return "unknown"
    return f"{'~' if feed.estimated_rows else ''}{feed.rows:,}"


def _describe_time(estimate: Estimate) -> str:
    if estimate.seconds is None:
        return f"unknown ({estimate.basis})"
    minutes, seconds = divmod(round(estimate.seconds), 60)
    return f"about {minutes} min {seconds} s ({estimate.basis})"
