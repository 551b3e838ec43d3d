"""What a build sees, and which keys it must rebuild.

A build works on a frozen set of accepted loads (``audit.build_loads.is_current``), so
that a load accepted meanwhile cannot be half seen. The set is committed, new loads as
*begun*, before the first model runs. Whatever differs between that set and what the
last complete build contained is *touched*: the natural keys in those loads are written
to ``audit.dirty_keys``, and so are those of loads that a build began with and that are
no longer in force. When every model has been built, `apply` settles the set.

In: ``audit.loads`` and the raw tables. Out: ``audit.build_loads``, ``audit.as_of`` and
``audit.dirty_keys`` under the feed's name.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import psycopg
from psycopg import sql

from include.contracts import FeedContract
from include.loading.raw_tables import field_of
from include.loading.upkeep import analyse_grown_feed, analyse_grown_tables

log = logging.getLogger(__name__)

# As-of of a source that has delivered nothing yet.
BEFORE_EVERYTHING = date(1900, 1, 1)


@dataclass(frozen=True)
class TouchedLoad:
    """A load whose natural keys must be rebuilt."""

    load_id: int
    feed: str
    batch_date: date
    is_current: bool
    is_applied: bool


def freeze(
    connection: psycopg.Connection, contracts: Iterable[FeedContract]
) -> list[TouchedLoad]:
    """Freeze the accepted loads as the input of the build that begins now.

    Those of a source that was switched off are out of force until it is on again. Runs
    in the caller's transaction; commit it before the first model runs.
    """
    contracts = list(contracts)
    feeds = [contract.name for contract in contracts]
    connection.execute(
        "insert into audit.build_loads"
        " (load_id, feed, batch_date, is_current, is_touched)"
        " select load_id, feed, batch_date, true, true"
        " from audit.loads where status = 'accepted' and feed = any(%s)"
        " on conflict (load_id) do nothing",
        [feeds],
    )
    connection.execute(
        "update audit.build_loads as frozen set"
        " is_current = loads.is_in_force,"
        " is_touched = frozen.is_touched or loads.is_in_force <> frozen.is_applied"
        " from (select load_id, status = 'accepted' and feed = any(%s) as is_in_force"
        "  from audit.loads) as loads"
        " where loads.load_id = frozen.load_id and ("
        "  frozen.is_current <> loads.is_in_force"
        "  or not frozen.is_touched and loads.is_in_force <> frozen.is_applied"
        " )",
        [feeds],
    )
    _move_as_of(connection, contracts)
    rows = connection.execute(
        "select load_id, feed, batch_date, is_current, is_applied"
        " from audit.build_loads where is_touched order by feed, batch_date, load_id"
    )
    return [TouchedLoad(*row) for row in rows]


def collect_touched_keys(
    connection: psycopg.Connection,
    contracts: Iterable[FeedContract],
    touched: Iterable[TouchedLoad],
) -> int:
    """Write the natural keys that the touched loads touch to ``audit.dirty_keys``.

    A delta feed touches the keys in its loads. A snapshot feed repeats every key each
    night, so only the keys count whose row differs from the snapshot before, or from
    the one that it replaces.

    Returns:
        The number of keys written that were not there yet.
    """
    by_feed: dict[str, list[TouchedLoad]] = {}
    for load in touched:
        by_feed.setdefault(load.feed, []).append(load)
    keys = 0
    for contract in contracts:
        loads = by_feed.get(contract.name, [])
        if not loads:
            continue
        if contract.is_snapshot:
            keys += _collect_snapshot_keys(connection, contract, loads)
        else:
            keys += _collect_delta_keys(connection, contract, loads)
    return keys


def touch_replayed_rows(
    connection: psycopg.Connection,
    contract: FeedContract,
    load_id: int,
    replay_id: int,
) -> None:
    """Let the next build see that a load got rows which it had not.

    The caller holds the build lock: a build under way would settle it unseen.
    """
    connection.execute(
        "update audit.build_loads set is_touched = true where load_id = %s", [load_id]
    )
    if not contract.is_snapshot:
        return
    # A row that is back may be the one of the snapshot before: comparing those two
    # would not find its key, which was gone for that night.
    connection.execute(
        sql.SQL(
            "insert into audit.dirty_keys (place, key)"
            " select distinct {feed}, {key} from audit.replayed_rejects as replayed"
            " inner join {members} as members on members._load_id = replayed.load_id"
            "  and members._file_no = replayed.file_no"
            "  and members._row_number = replayed.row_number"
            " inner join {table} as sent on sent._row_id = members._row_id"
            " where replayed.replay_id = {replay_id} and {key} is not null"
            " on conflict do nothing"
        ).format(
            feed=sql.Literal(contract.name),
            key=natural_key(contract, "sent"),
            members=sql.Identifier(contract.schema_name, f"{contract.feed}__snapshots"),
            table=sql.Identifier(contract.schema_name, contract.feed),
            replay_id=sql.Literal(replay_id),
        )
    )


def list_restaged(connection: psycopg.Connection) -> list[TouchedLoad]:
    """Return all frozen loads of the feeds whose staging model was made anew.

    Known by untouched loads whose staged rows are not counted (`forget_staged_rows`).
    """
    rows = connection.execute(
        "select load_id, feed, batch_date, is_current, is_applied"
        " from audit.build_loads where is_current and feed in ("
        "  select loads.feed from audit.build_loads as frozen"
        "  inner join audit.loads as loads on loads.load_id = frozen.load_id"
        "  where frozen.is_current and not frozen.is_touched"
        "   and loads.rows_staged is null)"
        " order by feed, batch_date, load_id"
    )
    return [TouchedLoad(*row) for row in rows]


def forget_staged_rows(connection: psycopg.Connection, feeds: Iterable[str]) -> None:
    """Let the rows of these feeds be counted again once their models are built.

    Written before the build begins, so that one which fails loses nothing.
    """
    connection.execute(
        "update audit.loads set rows_staged = null where feed = any(%s)"
        " and load_id in (select load_id from audit.build_loads where is_current)",
        [list(feeds)],
    )


def analyse_raw_tables(
    connection: psycopg.Connection,
    contracts: Iterable[FeedContract],
    touched: Iterable[TouchedLoad],
) -> None:
    """Give the planner figures of raw tables that have just grown, and of the tables
    that say what was loaded: without them the next gate 1 compares each load with each.
    """
    analyse_grown_tables(connection, "audit", ["loads", "load_files", "load_profiles"])
    feeds = {load.feed for load in touched}
    for contract in contracts:
        if contract.name in feeds:
            analyse_grown_feed(connection, contract)


def apply(connection: psycopg.Connection) -> None:
    """Settle the frozen set: the models now contain it, nothing is dirty any more."""
    connection.execute("delete from audit.build_loads where not is_current")
    connection.execute(
        "update audit.build_loads set is_applied = true, is_touched = false"
        " where is_touched or not is_applied"
    )
    connection.execute("delete from audit.dirty_keys")
    connection.execute(
        "update audit.as_of set"
        " first_low_date = first_date, first_high_date = first_date,"
        " low_date = coalesce(as_of_date, %s), high_date = as_of_date",
        [BEFORE_EVERYTHING],
    )


def natural_key(contract: FeedContract, alias: str) -> sql.Composed:
    """Return the SQL text of a row's natural key, as staging views spell it too."""
    parts = [field_of(contract, alias, name) for name in contract.natural_key]
    if len(parts) == 1:
        return sql.Composed([parts[0]])
    # As its index is written; concat_ws() is not immutable, so no index could have it.
    return sql.SQL(" || '|' || ").join(
        sql.SQL("coalesce({}, '')").format(part) for part in parts
    )


def _collect_delta_keys(
    connection: psycopg.Connection, contract: FeedContract, loads: list[TouchedLoad]
) -> int:
    statement = sql.SQL(
        "insert into audit.dirty_keys (place, key)"
        " select distinct {feed}, {key} from {table} as sent"
        " where sent._load_id = any({loads}) and {key} is not null"
        " on conflict do nothing"
    ).format(
        feed=sql.Literal(contract.name),
        key=natural_key(contract, "sent"),
        table=sql.Identifier(contract.schema_name, contract.feed),
        loads=sql.Literal([load.load_id for load in loads]),
    )
    return connection.execute(statement).rowcount


def _collect_snapshot_keys(
    connection: psycopg.Connection, contract: FeedContract, loads: list[TouchedLoad]
) -> int:
    keys = 0
    for first, second in _pairs_to_compare(connection, contract, loads):
        statement = sql.SQL(
            "insert into audit.dirty_keys (place, key)"
            " select distinct {feed}, {key} from {table} as sent"
            " inner join ("
            "  (select _row_id from {members} where _load_id = {first}"
            "   except select _row_id from {members} where _load_id = {second})"
            "  union all"
            "  (select _row_id from {members} where _load_id = {second}"
            "   except select _row_id from {members} where _load_id = {first})"
            " ) as differing on differing._row_id = sent._row_id"
            " where {key} is not null"
            " on conflict do nothing"
        ).format(
            feed=sql.Literal(contract.name),
            key=natural_key(contract, "sent"),
            table=sql.Identifier(contract.schema_name, contract.feed),
            members=sql.Identifier(contract.schema_name, f"{contract.feed}__snapshots"),
            first=sql.Literal(first),
            second=sql.Literal(second),
        )
        keys += connection.execute(statement).rowcount
    return keys


def _pairs_to_compare(
    connection: psycopg.Connection, contract: FeedContract, loads: list[TouchedLoad]
) -> list[tuple[int, int | None]]:
    """Pairs of loads whose differing keys are touched; None stands for an empty one."""
    pairs: list[tuple[int, int | None]] = []
    by_date: dict[date, list[TouchedLoad]] = {}
    for load in loads:
        by_date.setdefault(load.batch_date, []).append(load)
    for batch_date, same_date in by_date.items():
        for load, other in pairwise(same_date):
            pairs.append((load.load_id, other.load_id))
        was_there = any(load.is_applied for load in same_date)
        is_there = any(load.is_current for load in same_date)
        if was_there and is_there and len(same_date) > 1:
            continue
        # The date itself comes or goes: its neighbours in the past are compared too,
        # those in force now and those that an earlier build worked with.
        before = connection.execute(
            "select load_id from audit.build_loads where feed = %s and batch_date = ("
            " select max(batch_date) from audit.build_loads"
            " where feed = %s and batch_date < %s)",
            [contract.name, contract.name, batch_date],
        ).fetchall()
        neighbours: list[int | None] = [row[0] for row in before] or [None]
        pairs += [
            (load.load_id, neighbour) for load in same_date for neighbour in neighbours
        ]
    return pairs


def _move_as_of(
    connection: psycopg.Connection, contracts: Iterable[FeedContract]
) -> None:
    """Set what each source has delivered: from the first day of the required feed that
    began last, to the last day that all of them have reached without a gap."""
    feeds_of: dict[tuple[str, str], list[str]] = {}
    for contract in contracts:
        if contract.required:
            key = (contract.source, contract.role)
            feeds_of.setdefault(key, []).append(contract.name)
    # A source that was switched off holds nobody up.
    connection.execute(
        "delete from audit.as_of where source <> all(%s)",
        [[source for source, _ in feeds_of]],
    )
    for (source, role), feeds in feeds_of.items():
        connection.execute(
            "with numbered as ("
            " select feed, batch_date,"
            "  batch_date - cast(row_number() over feed_days as integer)"
            "   as island,"
            "  first_value(batch_date) over feed_days - 1 as first_island"
            " from audit.build_loads where is_current and feed = any(%(feeds)s)"
            " window feed_days as (partition by feed order by batch_date)"
            "), reached as ("
            " select feed, min(batch_date) as first_date,"
            "  max(batch_date) as batch_date"
            " from numbered where island = first_island group by feed"
            "), as_of as ("
            " select"
            "  case when count(*) = %(count)s then min(batch_date) end as reached,"
            "  case when count(*) = %(count)s then max(first_date) end as first_date"
            " from reached)"
            " insert into audit.as_of (source, role, first_date, first_low_date,"
            "  first_high_date, as_of_date, low_date, high_date)"
            " select %(source)s, %(role)s, first_date, first_date, first_date,"
            "  reached, %(start)s, reached from as_of"
            " on conflict (source) do update set"
            "  role = excluded.role, as_of_date = excluded.as_of_date,"
            "  first_date = excluded.first_date,"
            "  first_low_date = least(as_of.first_low_date, excluded.first_date),"
            "  first_high_date = greatest(as_of.first_high_date, excluded.first_date),"
            "  low_date = least(as_of.low_date, excluded.as_of_date),"
            "  high_date = greatest(as_of.high_date, excluded.as_of_date)",
            {
                "feeds": feeds,
                "count": len(feeds),
                "source": source,
                "role": role,
                "start": BEFORE_EVERYTHING,
            },
        )
