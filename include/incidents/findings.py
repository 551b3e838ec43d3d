"""What is wrong now, as far as ``audit`` tells.

In: a connection. Out: one `Finding` per kind and subject. Findings that need a clock
(a night that did not come, a source that is behind) are made apart from the others:
they say something only where nights run on a timetable.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import psycopg

from expectations.raw import VOLUME_RULES
from include.batch_dates import find_last_night
from include.contracts import read_contracts
from include.incidents.kinds import (
    BUILD_FAILED,
    EXPORT_MISSING,
    EXPORT_UNREADABLE,
    LOAD_HELD,
    MARTS_STOPPED,
    NIGHT_OVERDUE,
    PUBLISH_BLOCKED,
    SOURCE_STALE,
    VOLUME_UNUSUAL,
    Kind,
)
from include.settings import Settings

SHOWN = 5
# How long a run may take from one step after its build to the next, or to try again.
RUN_MINUTES = 60


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: of which kind, about what, in one or more sentences.

    What `may_pass`, because a run is at work, keeps an incident open and opens none.
    """

    kind: Kind
    subject: str
    message: str
    may_pass: bool = False


def find_faults(
    connection: psycopg.Connection, settings: Settings, run_id: str | None = None
) -> list[Finding]:
    """Return what the records of loads, builds and publishes show to be wrong; not of
    sources that are switched off.

    Parameters
    ----------
    run_id : the run that has just ended; what other runs have left half done may pass
    """
    contracts = read_contracts(settings.project_folder, settings.sources)
    sources = {contract.source for contract in contracts.values()}
    of_sources = [
        *_find_missing(connection),
        *_find_unreadable(connection),
        *_find_held(connection),
        *_find_unusual(connection),
    ]
    return [
        *(fault for fault in of_sources if fault.subject.split(".")[0] in sources),
        *_find_build_faults(connection, run_id),
    ]


def find_delays(
    connection: psycopg.Connection, settings: Settings, now: datetime
) -> list[Finding]:
    """Return what is overdue now, where nights run on a timetable."""
    return [
        *_find_stale(connection, settings, now),
        *_find_overdue(connection, settings, now),
    ]


def _find_missing(connection: psycopg.Connection) -> list[Finding]:
    rows = connection.execute(
        "select split_part(feed, '.', 1), array_agg(distinct feed order by feed),"
        " min(batch_date), max(batch_date), count(distinct batch_date)"
        " from audit.feed_failures where resolved_at is null and is_missing"
        " group by 1 order by 1"
    ).fetchall()
    return [
        Finding(
            EXPORT_MISSING,
            source,
            f"{source} has not sent {_join(feeds)} of {_describe(first, last, nights)}:"
            " marts go on without it, at its last night that is whole.",
        )
        for source, feeds, first, last, nights in rows
    ]


def _find_unreadable(connection: psycopg.Connection) -> list[Finding]:
    rows = connection.execute(
        "select feed, (array_agg(message order by failure_id desc))[1],"
        " count(distinct batch_date)"
        " from audit.feed_failures where resolved_at is null and not is_missing"
        " group by feed order by feed"
    ).fetchall()
    return [
        Finding(EXPORT_UNREADABLE, feed, message + _add_nights(nights))
        for feed, message, nights in rows
    ]


def _find_held(connection: psycopg.Connection) -> list[Finding]:
    rows = connection.execute(
        "select feed, (array_agg(format('Load %s, %s of %s, is held: %s',"
        "  load_id, feed, batch_date, held_reason) order by load_id desc))[1],"
        " count(distinct batch_date)"
        " from audit.loads where status = 'held' group by feed order by feed"
    ).fetchall()
    return [
        Finding(LOAD_HELD, feed, message + _add_nights(nights))
        for feed, message, nights in rows
    ]


def _find_unusual(connection: psycopg.Connection) -> list[Finding]:
    """Find feeds whose newest load in force came in an unusual volume."""
    rows = connection.execute(
        "with newest as ("
        " select distinct on (feed) feed, batch_date, load_id from audit.loads"
        "  where status = 'accepted' order by feed, batch_date desc),"
        " judged as ("
        " select distinct on (load_id, expectation) load_id, is_met, observed"
        "  from audit.gate_results"
        "  where gate = 'raw' and load_id in (select load_id from newest)"
        "   and expectation = any(%s)"
        "  order by load_id, expectation, result_id desc)"
        " select feed, string_agg(format('%%s of %%s: %%s.', feed, batch_date,"
        "  observed), ' ' order by observed)"
        " from newest join judged using (load_id) where not is_met"
        " group by feed order by feed",
        [list(VOLUME_RULES)],
    ).fetchall()
    return [Finding(VOLUME_UNUSUAL, feed, message) for feed, message in rows]


def _find_build_faults(
    connection: psycopg.Connection, run_id: str | None
) -> list[Finding]:
    """Find what is wrong with the last build that ended: it failed, is stopped, or is
    not published. While another one is at work nothing is over."""
    row = connection.execute(
        "select build_id, status, message, gated_at is not null,"
        " exists (select from audit.publishes"
        "  where publishes.build_id = builds.build_id),"
        " run_id is distinct from %s"
        "  and coalesce(gated_at, finished_at, started_at)"
        "   > clock_timestamp() - %s"
        " from audit.builds where status <> 'running' order by build_id desc limit 1",
        [run_id, timedelta(minutes=RUN_MINUTES)],
    ).fetchone()
    if row is None:
        return []
    build_id, status, message, is_gated, is_published, may_pass = row
    if status == "failed":
        words = message or f"Build {build_id} has failed."
        return [Finding(BUILD_FAILED, "build", words, may_pass)]
    if is_published:
        return []
    before = "readers see the version before it."
    if not is_gated and (stopped := _find_what_stops(connection, build_id)):
        words = f"Gate 2 stops build {build_id}; {before} {stopped}"
        return [Finding(MARTS_STOPPED, "marts", words, may_pass)]
    words = f"Build {build_id} is not published: {before}"
    blocked = Finding(PUBLISH_BLOCKED, "publish", words, may_pass)
    if is_gated:
        return [blocked]
    # Gate 2 has not said yet that what it stopped before is all right now.
    return [blocked, Finding(MARTS_STOPPED, "marts", words, may_pass=True)]


def _find_what_stops(connection: psycopg.Connection, build_id: int) -> str:
    """Return what gate 2 has against a build, in sentences; empty: nothing, so far."""
    rows = connection.execute(
        "select format('%%s: %%s was expected, %%s was seen.', subject, expectation,"
        " observed) from audit.gate_results"
        " join audit.builds on builds.run_id = gate_results.run_id"
        " where build_id = %s and gate = 'marts' and not is_met"
        " and severity = 'critical' and checked_at >= finished_at"
        " order by result_id limit %s",
        [build_id, SHOWN],
    ).fetchall()
    return " ".join(sentence for (sentence,) in rows)


def _find_stale(
    connection: psycopg.Connection, settings: Settings, now: datetime
) -> list[Finding]:
    due = find_last_night(now, settings.export_deadline, settings.reporting_time_zone)
    allowed = settings.stale_nights
    rows = connection.execute(
        "select source, as_of_date from audit.as_of"
        " where as_of_date is not null order by source"
    ).fetchall()
    return [
        Finding(
            SOURCE_STALE,
            source,
            f"{source} is whole up to {as_of}, {(due - as_of).days} nights behind"
            f" {due}: what depends on it stays there.",
        )
        for source, as_of in rows
        if (due - as_of).days > allowed.get(source, allowed[""])
    ]


def _find_overdue(
    connection: psycopg.Connection, settings: Settings, now: datetime
) -> list[Finding]:
    row = connection.execute(
        "select max(published_at), (select min(applied_at) from audit.migrations)"
        " from audit.publishes where kind = 'publish'"
    ).fetchone()
    assert row is not None
    published_at, made_at = row
    since = published_at or made_at
    hours = (now - since).total_seconds() / 3600
    if hours <= settings.overdue_hours:
        return []
    last = (
        f"The last version of the marts was published {hours:.0f} hours ago"
        if published_at
        else f"Nothing was published since the warehouse was made, {hours:.0f} hours"
        " ago"
    )
    return [
        Finding(
            NIGHT_OVERDUE,
            "nightly",
            f"{last}: the night did not start, or did not get to its end.",
        )
    ]


def _join(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(listed[:SHOWN])
    more = len(listed) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _describe(first: date, last: date, nights: int) -> str:
    return str(first) if nights == 1 else f"{nights} nights, {first} to {last}"


def _add_nights(nights: int) -> str:
    return f" The same feed fails for {nights - 1} more nights." if nights > 1 else ""
