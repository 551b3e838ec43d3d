"""Measure the loads that wait for gate 1, one profile per load.

In: loads that wait for the gate, their feeds' contracts and raw tables. Out: one row
per load in ``audit.load_profiles``: what it holds (counted by one query per feed,
however many loads wait) and how that compares with the feed's other loads. Figures
only, so that nothing personal reaches a report.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from expectations.raw_contents import LARGEST_REPLACED_SHARE
from include.contracts import FeedContract
from include.gates.content_history import (
    DatedContents,
    compare_contents,
    prove_low,
)
from include.gates.list_changes import ListChanges, count_list_changes
from include.gates.load_contents import (
    OTHER,
    ROW_FIGURES,
    LoadContents,
    count_contents,
    read_time,
)
from include.gates.load_history import HISTORY_DAYS, FeedHistory, PastLoad
from include.gates.named_dates import find_misdated_files
from include.loading.raw_tables import field_of
from include.loading.upkeep import analyse_grown_feed, summarise_new_pages
from include.settings import Settings, connect

# A row is old when it happened longer before its batch date than this: exports catch
# up after a week-end or an outage, but seldom after a month.
LONG_BEFORE_DAYS = 30
FEEDS_AT_ONCE = 2


@dataclass(frozen=True)
class WaitingLoad:
    """A load that gate 1 must accept or hold."""

    load_id: int
    feed: str
    batch_date: date
    status: str
    content_hash: str
    rows_in_file: int
    rows_loaded: int
    rows_rejected: int


def read_waiting_loads(connection: psycopg.Connection) -> list[WaitingLoad]:
    """Read every load to judge, oldest batch date first, then as loaded.

    Those in force among them got rows out of their rejects since they were judged.
    """
    with connection.cursor(row_factory=class_row(WaitingLoad)) as cursor:
        return cursor.execute(
            "select load_id, feed, batch_date, status, content_hash, rows_in_file,"
            " rows_loaded, rows_rejected from audit.waiting_loads"
            " order by batch_date, feed, loaded_at, load_id"
        ).fetchall()


def profile_loads(
    settings: Settings,
    contracts: Mapping[str, FeedContract],
    loads: Sequence[WaitingLoad],
) -> None:
    """Measure the loads and write their rows of ``audit.load_profiles``, anew.

    Every feed of `loads` has a contract, and its loads come oldest batch date first.
    Each is compared with those before it, waiting ones included, so that a range of
    nights is judged like the same nights one by one. Feeds are measured side by side.
    """
    loads_by_feed: dict[str, list[WaitingLoad]] = {}
    for load in loads:
        loads_by_feed.setdefault(load.feed, []).append(load)
    # The longest first: nobody waits for it in the end.
    feeds = sorted(
        loads_by_feed,
        key=lambda feed: sum(load.rows_loaded for load in loads_by_feed[feed]),
        reverse=True,
    )
    with ThreadPoolExecutor(max_workers=FEEDS_AT_ONCE) as pool:
        measured = [
            pool.submit(
                _profile_feed, settings, contracts, contracts[feed], loads_by_feed[feed]
            )
            for feed in feeds
        ]
    for feed_measured in measured:
        feed_measured.result()


def _profile_feed(
    settings: Settings,
    contracts: Mapping[str, FeedContract],
    contract: FeedContract,
    waiting: Sequence[WaitingLoad],
) -> None:
    zone = settings.reporting_time_zone
    with connect(settings, "loader") as connection:
        summarise_new_pages(connection, contract)
        analyse_grown_feed(connection, contract)
        profiles = _count_rows(connection, contract, waiting, zone)
        load_ids = [load.load_id for load in waiting]
        contents = count_contents(connection, contracts, contract, load_ids, zone)
        history = _read_history(connection, contract, waiting)
        misdated = find_misdated_files(connection, contract.name, load_ids)
        for load, profile in zip(waiting, profiles, strict=True):
            counted = PastLoad(
                load_id=load.load_id,
                batch_date=load.batch_date,
                content_hash=load.content_hash,
                rows=load.rows_loaded,
                keys=profile["distinct_keys"],
                filled_rows=profile["filled_rows"],
                contents=contents[load.load_id],
            )
            profile |= _compare(connection, contract, history, counted)
            profile["misdated_file"] = misdated.get(load.load_id)
        _write_profiles(connection, profiles)


def _compare(
    connection: psycopg.Connection,
    contract: FeedContract,
    history: FeedHistory,
    load: PastLoad,
) -> dict[str, Any]:
    """Compare a load with the feed's others, and let later ones be compared with it."""
    comparison = history.compare(load)
    earlier = history.list_earlier(load.batch_date)
    changes = ListChanges()
    if contract.is_snapshot and earlier and load.rows:
        changes = count_list_changes(
            connection, contract, load.load_id, earlier[-1].load_id
        )
    in_contents = compare_contents(
        DatedContents(load.batch_date, load.contents),
        [DatedContents(past.batch_date, past.contents) for past in earlier],
        contract.is_snapshot,
        {
            column.name: (column.number.minimum or 0, column.number.maximum or 0)
            for column in contract.columns
            if column.number and column.is_scale
        },
    )
    strangers = max(changes.keys_gone or 0, changes.people_replaced or 0)
    history.add(
        load,
        comparison,
        is_another_list=prove_low(strangers, changes.reference_rows or 0)
        > LARGEST_REPLACED_SHARE,
    )
    return {
        **asdict(comparison),
        **asdict(in_contents),
        **asdict(changes),
        **_describe_contents(load.contents),
    }


def _describe_contents(contents: LoadContents) -> dict[str, Any]:
    """Describe what needs no past: rows of each kind, and the worst columns."""
    return {
        "contents": contents.to_json(),
        **{name: contents.rows.get(name, 0) for name in ROW_FIGURES},
        **_find_worst(
            "unlisted",
            {
                name: (counted.get(OTHER, 0), sum(counted.values()))
                for name, counted in contents.values.items()
            },
        ),
        **_find_worst(
            "unreadable",
            {
                name: (figures.filled - figures.readable, figures.filled)
                for name, figures in contents.numbers.items()
            },
        ),
        **_find_worst(
            "off_range",
            {
                name: (figures.off_range, figures.readable)
                for name, figures in contents.numbers.items()
            },
        ),
    }


def _find_worst(
    kind: str, counted: Mapping[str, tuple[int, int]]
) -> dict[str, str | int | None]:
    """Find the column of which the largest share is bad, as far as is proven."""
    column = max(counted, key=lambda name: prove_low(*counted[name]), default=None)
    rows, whole = counted[column] if column else (None, None)
    return {f"{kind}_column": column, f"{kind}_rows": rows, f"{kind}_of": whole}


def _count_rows(
    connection: psycopg.Connection,
    contract: FeedContract,
    loads: Sequence[WaitingLoad],
    reporting_time_zone: str,
) -> list[dict[str, Any]]:
    """Count the rows of the loads in the raw table: one profile each, in their order.

    The transaction's time zone and order of day and month become the source's: export
    times are read by them.
    """
    load_ids = [load.load_id for load in loads]
    parameters = {"zone": reporting_time_zone, "load_ids": load_ids}
    connection.execute(
        "select set_config('timezone', %s, true), set_config('datestyle', %s, true)",
        [contract.time_zone, f"ISO, {contract.date_order}"],
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_compose_count(contract), parameters)
        counted = {row["load_id"]: row for row in cursor}
    drifted: dict[int, int] = dict(
        connection.execute(
            "select load_id, count(*) from audit.drift where load_id = any(%s)"
            " group by load_id",
            [load_ids],
        ).fetchall()
    )
    has_event_time = contract.event_time is not None
    profiles = []
    for load in loads:
        row = counted.get(load.load_id, {})
        rows_in_raw = row.get("rows_in_raw", 0)
        with_key = rows_in_raw - row.get("rows_without_key", 0)
        filled = row.get("filled", [0] * len(contract.required_columns))
        profiles.append(
            {
                "load_id": load.load_id,
                "feed": load.feed,
                "batch_date": load.batch_date,
                "delivery": contract.delivery,
                "rows_in_file": load.rows_in_file,
                "rows_loaded": load.rows_loaded,
                "rows_rejected": load.rows_rejected,
                "rows_in_raw": rows_in_raw,
                "rows_without_key": rows_in_raw - with_key,
                "rows_repeating_key": with_key - row.get("distinct_keys", 0),
                "distinct_keys": row.get("distinct_keys", 0),
                "filled_rows": {
                    name: rows
                    for name, rows in zip(
                        contract.required_columns, filled, strict=True
                    )
                    if name not in contract.list_lacked(load.batch_date)
                },
                "undeclared_columns": (
                    drifted.get(load.load_id, 0)
                    if contract.storage == "columns"
                    else None
                ),
                **{
                    name: row.get(name, 0) if has_event_time else None
                    for name in (
                        "rows_without_event_time",
                        "rows_after_batch_date",
                        "rows_long_before_batch_date",
                    )
                },
                "earliest_event_date": row.get("earliest_event_date"),
                "latest_event_date": row.get("latest_event_date"),
            }
        )
    return profiles


def _compose_count(contract: FeedContract) -> sql.Composed:
    """Compose the query that counts the rows of %(load_ids)s, one row per load."""
    table = sql.Identifier(contract.schema_name, contract.feed)
    if contract.is_snapshot:
        members = sql.Identifier(contract.schema_name, f"{contract.feed}__snapshots")
        rows = sql.SQL(
            "{} as lineage join {} as content on content._row_id = lineage._row_id"
        ).format(members, table)
    else:
        rows = sql.SQL("{} as lineage").format(table)
    alias = "content" if contract.is_snapshot else "lineage"
    value = partial(field_of, contract, alias)
    required = [value(name) for name in contract.required_columns]
    return sql.SQL(
        # `offset 0` keeps a value from being worked out once per aggregate.
        "select load_id, count(*) as rows_in_raw,"
        " count(*) filter (where key_hash is null) as rows_without_key,"
        " count(distinct key_hash) as distinct_keys,"
        " array[{filled}]::bigint[] as filled,"
        " count(*) filter (where event_date is null) as rows_without_event_time,"
        " count(*) filter (where event_date > batch_date) as rows_after_batch_date,"
        " count(*) filter (where event_date < batch_date - {long_before})"
        "   as rows_long_before_batch_date,"
        " min(event_date) as earliest_event_date,"
        " max(event_date) as latest_event_date"
        " from (select lineage._load_id as load_id, loads.batch_date,"
        "   hashtextextended({key} || {state}, 0) as key_hash,"
        "   cast({event_time} as date) as event_date{required}"
        "   from {rows} join audit.loads as loads"
        "   on loads.load_id = lineage._load_id"
        "   where lineage._load_id = any(%(load_ids)s) offset 0) as measured"
        " group by load_id"
    ).format(
        filled=sql.SQL(", ").join(
            sql.SQL("count(*) filter (where {})").format(
                sql.Identifier(f"required_{number}")
            )
            for number in range(len(required))
        ),
        long_before=sql.Literal(LONG_BEFORE_DAYS),
        key=sql.SQL(" || chr(31) || ").join(map(value, contract.natural_key)),
        state=sql.SQL("concat_ws(chr(31), '', {})").format(
            sql.SQL(", ").join(map(value, contract.state_key))
        )
        if contract.state_key
        else sql.Literal(""),
        event_time=(
            read_time(value(contract.event_time))
            if contract.event_time
            else sql.SQL("null")
        ),
        # Not the texts themselves: rows are sorted by load.
        required=sql.SQL("").join(
            sql.SQL(", {} is not null as {}").format(
                column, sql.Identifier(f"required_{number}")
            )
            for number, column in enumerate(required)
        ),
        rows=rows,
    )


def _read_history(
    connection: psycopg.Connection,
    contract: FeedContract,
    waiting: Sequence[WaitingLoad],
) -> FeedHistory:
    """Read the loads in force that the waiting ones of a feed are compared with."""
    rows = connection.execute(
        # A snapshot is compared with the last one, however long ago that came.
        "select loads.load_id, loads.batch_date, loads.content_hash,"
        " loads.rows_loaded, coalesce(profiles.distinct_keys, loads.rows_loaded),"
        " coalesce(profiles.filled_rows, '{}'), profiles.contents"
        " from audit.loads as loads left join audit.load_profiles as profiles"
        " on profiles.load_id = loads.load_id"
        " where loads.feed = %(feed)s and loads.status = 'accepted'"
        " and loads.load_id <> all(%(waiting)s)"
        " and loads.batch_date <= %(last)s and loads.batch_date >= least("
        "   %(first)s, (select max(batch_date) from audit.loads"
        "     where feed = %(feed)s and status = 'accepted'"
        "     and batch_date < %(first_waiting)s))",
        {
            "feed": contract.name,
            "first": waiting[0].batch_date - timedelta(days=HISTORY_DAYS),
            "first_waiting": waiting[0].batch_date,
            "last": waiting[-1].batch_date,
            "waiting": [load.load_id for load in waiting],
        },
    ).fetchall()
    dates_by_content: dict[str, list[date]] = {}
    for content_hash, batch_date in connection.execute(
        "select content_hash, batch_date from audit.loads"
        " where feed = %s and status = 'accepted' and content_hash = any(%s)",
        [contract.name, [load.content_hash for load in waiting]],
    ):
        dates_by_content.setdefault(content_hash, []).append(batch_date)
    return FeedHistory(
        contract.is_snapshot,
        [
            replace(PastLoad(*row[:-1]), contents=LoadContents.from_json(row[-1]))
            for row in rows
        ],
        dates_by_content,
    )


def _write_profiles(
    connection: psycopg.Connection, profiles: Sequence[Mapping[str, Any]]
) -> None:
    names = list(profiles[0])
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from audit.load_profiles where load_id = any(%s)",
            [[profile["load_id"] for profile in profiles]],
        )
        statement = sql.SQL("copy audit.load_profiles ({}) from stdin").format(
            sql.SQL(", ").join(map(sql.Identifier, names))
        )
        with cursor.copy(statement) as copy:
            for profile in profiles:
                written = {
                    **profile,
                    "filled_rows": Jsonb(profile["filled_rows"]),
                    "contents": Jsonb(profile["contents"]),
                }
                copy.write_row([written[name] for name in names])
