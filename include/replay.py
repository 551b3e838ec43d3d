"""Replay: rejected rows, read again after their feed's contract was mended.

In: ``audit.rejects``; the landing zone is not needed. Out: what can be read now is in
raw with the lineage that it had, gate 1 has judged its loads again, and a build, gate 2
and publish have taken it to ``marts``. Quarantined rows are in raw already: a build
judges them anew whenever their staging model changed.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import psycopg

from include import night
from include.building.build_lock import build_lock
from include.building.frozen_loads import touch_replayed_rows
from include.contracts import FeedContract, read_contracts
from include.errors import WarehouseError
from include.gates.raw import LOCK_NAME as GATE_LOCK
from include.loading.load_records import lock_feed, reopen_load
from include.loading.replay import replay_load
from include.runs import record_step
from include.settings import Settings, connect

log = logging.getLogger(__name__)

Progress = Callable[[str], None]

SHOWN_REASONS = 3


@dataclass
class FeedReplay:
    """What became of a feed's rejected rows, and how many were quarantined before.

    `remaining` counts the rows that still cannot be read, by reason; `rows_held` those
    of held loads that nobody named.
    """

    rows_read: int = 0
    remaining: dict[str, int] = field(default_factory=dict)
    rows_held: int = 0
    rows_quarantined: int = 0

    @property
    def rejects(self) -> int:
        """The rejected rows that were looked at."""
        return self.rows_read + sum(self.remaining.values())


@dataclass(frozen=True)
class _Load:
    load_id: int
    feed: str
    batch_date: date
    status: str


def run_replay(
    settings: Settings,
    run_id: str,
    feed: str | None = None,
    load_id: int | None = None,
    progress: Progress = log.info,
    *,
    with_tests: bool = True,
) -> tuple[list[str], list[str]]:
    """Read rejects again, check, build, check and publish.

    Returns what became of the rows, and what went wrong: one sentence each. Raises
    WarehouseError as `reread_rejects` and the steps of a night do.
    """
    replays = reread_rejects(settings, run_id, feed, load_id, progress)
    result = night.check_raw(settings, run_id)
    progress(f"gate 1: {result.checked} loads checked, {len(result.held_loads)} held")
    built = night.build(settings, run_id, with_tests=with_tests)
    progress(f"build: {built.loads_touched} loads, {built.models_rebuilt} models")
    night.check_marts(settings, run_id)
    progress("gate 2: passed")
    published = night.publish(settings, run_id)
    progress(
        f"publish: {published.rows_deleted} rows out, {published.rows_inserted} rows in"
    )
    return describe_replays(settings, replays), night.find_problems(settings, run_id)


def reread_rejects(
    settings: Settings,
    run_id: str,
    feed: str | None = None,
    load_id: int | None = None,
    progress: Progress = log.info,
) -> dict[str, FeedReplay]:
    """Read the rejects again of all feeds, of one, or of one load; by feed.

    Each load is a transaction of its own: what is done stays done. Raises
    WarehouseError when there is no such feed or load, when the load is superseded, and
    at once when a build or publish is under way.
    """
    night.prepare(settings)
    contracts = read_contracts(settings.project_folder, settings.sources)
    with (
        record_step(settings, run_id, "reread"),
        connect(settings, "loader") as connection,
    ):
        connection.autocommit = True
        if load_id is not None:
            feed = _find_feed(connection, load_id, feed)
        if feed is not None and feed not in contracts:
            raise WarehouseError(
                f"No contract declares the feed {feed}: write it as one of "
                f"{', '.join(contracts)}."
            )
        feeds = [feed] if feed else list(contracts)
        replays = {name: FeedReplay() for name in feeds}
        with build_lock(connection):
            for name, rows in count_quarantined(connection, feeds).items():
                replays[name].rows_quarantined = rows
            for load in _list_loads(connection, feeds, load_id):
                replay = replays[load.feed]
                if load.status == "held" and load_id is None:
                    replay.rows_held += _count_rejects(connection, load)
                    continue
                read = _replay(connection, contracts[load.feed], load, run_id, replay)
                progress(
                    f"{load.feed} of {load.batch_date} (load {load.load_id}):"
                    f" {read} rejected rows are read"
                )
    return replays


def describe_replays(
    settings: Settings, replays: Mapping[str, FeedReplay]
) -> list[str]:
    """Return what became of the rows, after the build: one sentence each."""
    with connect(settings, "loader") as connection:
        quarantined = count_quarantined(connection, list(replays))
    sentences = []
    for feed, replay in replays.items():
        if replay.rejects:
            sentences.append(_describe_rejects(feed, replay))
        if replay.rows_held:
            sentences.append(
                f"{replay.rows_held} rejected rows of {feed} belong to loads that are"
                " held: name the load (LOAD=<number>) to read them again."
            )
        if replay.rows_quarantined or quarantined.get(feed):
            sentences.append(
                f"{feed}: {replay.rows_quarantined} rows were quarantined before,"
                f" {quarantined.get(feed, 0)} are now."
            )
    sentences = sentences or ["No row that is in force is rejected or quarantined."]
    for sentence in sentences:
        log.info("%s", sentence)
    return sentences


def count_quarantined(
    connection: psycopg.Connection, feeds: list[str]
) -> dict[str, int]:
    """Count the quarantined rows in force, as the last build saw them, by feed."""
    rows = connection.execute(
        "select feed, sum(rows_quarantined) from audit.loads"
        " where status = 'accepted' and rows_quarantined > 0 and feed = any(%s)"
        " group by feed",
        [feeds],
    ).fetchall()
    return {feed: int(count) for feed, count in rows}


def _describe_rejects(feed: str, replay: FeedReplay) -> str:
    sentence = (
        f"{replay.rows_read} of {replay.rejects} rejected rows of {feed} are read now"
    )
    left = sum(replay.remaining.values())
    if not left:
        return f"{sentence}."
    reasons = Counter(replay.remaining).most_common()
    words = ", ".join(f"{reason} ({rows})" for reason, rows in reasons[:SHOWN_REASONS])
    if len(reasons) > SHOWN_REASONS:
        words += f" and {len(reasons) - SHOWN_REASONS} other reasons"
    verb = "still is not" if left == 1 else "still are not"
    return f"{sentence}; {left} {verb}: {words}."


def _find_feed(connection: psycopg.Connection, load_id: int, feed: str | None) -> str:
    """Return the feed of a load that may be replayed. Raises WarehouseError."""
    row = connection.execute(
        "select feed, status, batch_date, superseded_by from audit.loads"
        " where load_id = %s",
        [load_id],
    ).fetchone()
    if row is None:
        raise WarehouseError(
            f"Load {load_id} does not exist: look for those with rejected rows with"
            " `select distinct load_id from audit.rejects`."
        )
    found, status, batch_date, superseded_by = row
    if feed not in (None, found):
        raise WarehouseError(
            f"Load {load_id} is one of {found}, not of {feed}: name one of the two."
        )
    if status == "superseded":
        instead = f"load {superseded_by}" if superseded_by else "another load"
        raise WarehouseError(
            f"Load {load_id} ({found} of {batch_date}) is superseded, so none of its"
            f" rows counts: replay {instead} instead, if it has rejects."
        )
    return str(found)


def _list_loads(
    connection: psycopg.Connection, feeds: list[str], load_id: int | None
) -> list[_Load]:
    rows = connection.execute(
        "select load_id, feed, batch_date, status from audit.loads"
        " where feed = any(%s) and status <> 'superseded'"
        " and (%s::bigint is null or load_id = %s)"
        " and exists (select from audit.rejects"
        "  where rejects.load_id = loads.load_id)"
        " order by feed, batch_date, load_id",
        [feeds, load_id, load_id],
    ).fetchall()
    return [_Load(*row) for row in rows]


def _count_rejects(connection: psycopg.Connection, load: _Load) -> int:
    row = connection.execute(
        "select count(*) from audit.rejects where load_id = %s", [load.load_id]
    ).fetchone()
    assert row is not None
    return int(row[0])


def _replay(
    connection: psycopg.Connection,
    contract: FeedContract,
    load: _Load,
    run_id: str,
    replay: FeedReplay,
) -> int:
    """Read one load's rejects again; return how many rows it got."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [GATE_LOCK])
        lock_feed(connection, contract)
        row = connection.execute(
            "select status from audit.loads where load_id = %s for update",
            [load.load_id],
        ).fetchone()
        if row is None or row[0] == "superseded":
            # Newer content came in force since the loads were listed.
            return 0
        result = replay_load(connection, contract, load.load_id, run_id)
        if result.replay_id is not None:
            if row[0] == "held":
                reopen_load(connection, load.load_id)
            touch_replayed_rows(connection, contract, load.load_id, result.replay_id)
    replay.rows_read += result.rows_read
    remaining = Counter(replay.remaining)
    remaining.update(result.remaining)
    replay.remaining = dict(remaining)
    return result.rows_read
