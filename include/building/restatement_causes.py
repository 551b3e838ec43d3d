"""Why figures of a closed period changed: what lies between two versions of a mart.

In: the version that marts showed before, the build that is published now, and what the
builds in between recorded. Out: one row of ``audit.restatement_causes`` for a mart and
a publish: the loads of the feeds that the mart rests on, changed code, a sentence.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import psycopg

from include.building.shown_version import ShownVersion

# So many corrections, or names, a sentence about causes spells out.
MOST_NAMED = 10


@dataclass(frozen=True)
class _Load:
    load_id: int
    feed: str
    batch_date: date
    change: str

    def __str__(self) -> str:
        return f"{self.feed} of {self.batch_date} (load {self.load_id})"


def note_cause_of_publish(
    connection: psycopg.Connection,
    publish_id: int,
    model: str,
    before: ShownVersion,
    build_id: int,
) -> None:
    """Note which loads and which code lie between the version before and a build, of
    what the model rests on."""
    loads = _read_loads(connection, model, before.build_id, build_id)
    code = _read_changed_code(connection, model, before.build_id, build_id)
    _insert_cause(
        connection, publish_id, model, _describe_cause(loads, code), loads, code
    )


def note_cause_of_rollback(
    connection: psycopg.Connection, publish_id: int, model: str, shown: ShownVersion
) -> None:
    """Note that somebody went back to an earlier version."""
    cause = f"rolled back to the version published {shown.published_at}"
    _insert_cause(connection, publish_id, model, cause, [], [])


def _insert_cause(
    connection: psycopg.Connection,
    publish_id: int,
    model: str,
    cause: str,
    loads: Sequence[_Load],
    code: Sequence[str],
) -> None:
    listed = [
        {
            "load_id": load.load_id,
            "feed": load.feed,
            "batch_date": load.batch_date.isoformat(),
            "change": load.change,
        }
        for load in loads
    ]
    connection.execute(
        "insert into audit.restatement_causes"
        " (publish_id, model, cause, loads, changed_code) values (%s, %s, %s, %s, %s)",
        [publish_id, model, cause, json.dumps(listed), list(code)],
    )


def _read_loads(
    connection: psycopg.Connection, model: str, after_build: int, build_id: int
) -> list[_Load]:
    """What became of the loads, on the whole: one that came and went again did not
    matter."""
    rows = connection.execute(
        "select load_id, feed, batch_date, change from ("
        " select load_id, feed, batch_date,"
        "  case sign(count(*) filter (where change = 'came')"
        "    - count(*) filter (where change = 'went'))"
        "   when 1 then 'came' when -1 then 'went'"
        "   else max(change) filter (where change = 'read again') end as change"
        " from audit.built_loads"
        " where build_id > %(after)s and build_id <= %(build)s and feed = any("
        "  (select rests_on from audit.models where model = %(model)s)::text[])"
        " group by load_id, feed, batch_date"
        ") as loads where change is not null"
        ' order by batch_date, feed collate "C", load_id',
        {"after": after_build, "build": build_id, "model": model},
    ).fetchall()
    return [_Load(*row) for row in rows]


def _read_changed_code(
    connection: psycopg.Connection, model: str, after_build: int, build_id: int
) -> list[str]:
    rows = connection.execute(
        "select distinct code.name from audit.builds"
        " cross join lateral unnest(builds.changed_code) as code (name)"
        " where builds.build_id > %(after)s and builds.build_id <= %(build)s"
        " and code.name = any("
        "  (select rests_on from audit.models where model = %(model)s)::text[])"
        " order by code.name",
        {"after": after_build, "build": build_id, "model": model},
    ).fetchall()
    return [name for (name,) in rows]


def _describe_cause(loads: Sequence[_Load], code: Sequence[str]) -> str:
    """Say what changed: what a person looks for first, what comes every night last."""
    came = {(load.feed, load.batch_date) for load in loads if load.change == "came"}
    went = {(load.feed, load.batch_date) for load in loads if load.change == "went"}
    new: list[_Load] = []
    told: dict[str, list[_Load]] = {"corrected": [], "withdrawn": [], "read again": []}
    for load in loads:
        place = (load.feed, load.batch_date)
        if load.change == "came":
            (told["corrected"] if place in went else new).append(load)
        elif load.change == "read again":
            told["read again"].append(load)
        elif place not in came:
            told["withdrawn"].append(load)
    parts = [
        f"{word}: {_name_some([str(load) for load in listed])}"
        for word, listed in told.items()
        if listed
    ]
    if code:
        parts.append(f"changed code: {_name_some(code)}")
    if new:
        days = sorted({load.batch_date for load in new})
        span = f"{days[0]} to {days[-1]}" if len(days) > 1 else str(days[0])
        word = "load" if len(new) == 1 else "loads"
        parts.append(f"new: {len(new):,} {word} of {span}")
    return "; ".join(parts) or "nothing that audit knows of"


def _name_some(names: Sequence[str]) -> str:
    named = ", ".join(names[:MOST_NAMED])
    left = len(names) - MOST_NAMED
    return f"{named} and {left:,} more" if left > 0 else named
