"""What became of every row that was loaded, and of every key that was staged.

In: the loads that a build touched, after its models. Out: for each load, in
``audit.loads``, how many rows staging passed on and how many it set aside; for each
feed, in ``audit.key_accounts``, how many natural keys ended where in the star, were
left out for which reason, or are lost. A feed's contract says where its keys end
(`ends_in`, `left_out`); `staged.key` there is the number as the star has it. Gate 2
stops what does not add up.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.building.frozen_loads import TouchedLoad
from include.contracts import FeedContract
from include.settings import Settings, connect

FEEDS_AT_ONCE = 2


@dataclass(frozen=True)
class FeedAccount:
    """What became of one feed's rows and keys.

    rows : of each load, how many were staged and how many quarantined
    keys : of each place, whether it is in the star, how many ended there, an example
    """

    rows: Sequence[tuple[int, int, int]]
    keys: Sequence[tuple[str | None, bool, int, str]]


def account_for_rows(
    settings: Settings,
    connection: psycopg.Connection,
    build_id: int,
    contracts: Iterable[FeedContract],
    touched: Iterable[TouchedLoad],
    restaged: Iterable[TouchedLoad] = (),
) -> None:
    """Count rows and keys of the touched loads; before the dirty keys are cleared.

    Feeds are counted side by side, each in a session of its own, which sees what the
    build has committed; what was counted is written in the caller's transaction.

    Of a snapshot, which repeats every key each night, the keys whose row changed count.
    `restaged` are all loads of the feeds whose staging model changed: rows that it set
    aside may pass now, so they count whole.
    """
    loads_of: dict[str, list[int]] = {}
    restaged = list(restaged)
    restaged_feeds = {load.feed for load in restaged}
    kept = [load for load in touched if load.feed not in restaged_feeds]
    for load in [*kept, *restaged]:
        loads_of.setdefault(load.feed, [])
        if load.is_current:
            loads_of[load.feed].append(load.load_id)
    knows_changes = _knows_changes(connection, list(loads_of))
    chosen = [contract for contract in contracts if contract.name in loads_of]

    def count(contract: FeedContract) -> FeedAccount:
        loads = loads_of[contract.name]
        only_changed = knows_changes and contract.name not in restaged_feeds
        with connect(settings, "transformer") as session:
            _stage(session, contract, loads)
            return FeedAccount(
                rows=_count_rows(session, loads),
                keys=_count_keys(session, contract, only_changed),
            )

    with ThreadPoolExecutor(max_workers=FEEDS_AT_ONCE) as pool:
        accounts = list(pool.map(count, chosen))
    for contract, account in zip(chosen, accounts, strict=True):
        _forget_unchecked(connection, contract)
        _write(connection, build_id, contract, account)


def _forget_unchecked(connection: psycopg.Connection, contract: FeedContract) -> None:
    """Forget what builds said of a feed that gate 2 never passed."""
    connection.execute(
        "delete from audit.key_accounts where feed = %s and build_id > coalesce("
        " (select max(build_id) from audit.builds where gated_at is not null), 0)",
        [contract.name],
    )


def _write(
    connection: psycopg.Connection,
    build_id: int,
    contract: FeedContract,
    account: FeedAccount,
) -> None:
    connection.execute(
        "update audit.loads set"
        " rows_staged = counted.staged, rows_quarantined = counted.quarantined"
        " from unnest(%s::bigint[], %s::bigint[], %s::bigint[])"
        "  as counted (load_id, staged, quarantined)"
        " where loads.load_id = counted.load_id",
        [list(column) for column in zip(*account.rows, strict=True)] or [[], [], []],
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into audit.key_accounts"
            " (build_id, feed, place, is_in_star, keys, example)"
            " values (%s, %s, %s, %s, %s, %s)",
            [(build_id, contract.name, *place) for place in account.keys],
        )


def _stage(
    connection: psycopg.Connection, contract: FeedContract, loads: list[int]
) -> None:
    """Write down in rows_staged what staging makes of each row of the loads: staging
    reads and judges every value, which is dear to do twice."""
    connection.execute(
        sql.SQL(
            "create temporary table rows_staged on commit drop as"
            " select _load_id, natural_key,"
            "  quarantine_reason is not null as is_quarantined"
            " from {staging} where _load_id = any({loads})"
        ).format(
            staging=sql.Identifier("staging", contract.staging_model),
            loads=sql.Literal(loads),
        )
    )


def _count_rows(
    connection: psycopg.Connection, loads: list[int]
) -> list[tuple[int, int, int]]:
    """Of each load, also of one without a row: its number, rows staged, quarantined."""
    return connection.execute(
        sql.SQL(
            "select wanted.load_id, coalesce(counted.staged, 0),"
            "  coalesce(counted.quarantined, 0)"
            " from unnest({loads}::bigint[]) as wanted (load_id)"
            " left join ("
            "  select _load_id, count(*) filter (where not is_quarantined) as staged,"
            "   count(*) filter (where is_quarantined) as quarantined"
            "  from rows_staged group by _load_id"
            " ) as counted on counted._load_id = wanted.load_id"
        ).format(loads=sql.Literal(loads))
    ).fetchall()


def _count_keys(
    connection: psycopg.Connection,
    contract: FeedContract,
    only_changed: bool,
) -> list[tuple[str | None, bool, int, str]]:
    """Of each place where keys ended: its name, whether it is in the star, how many.

    The name is null for keys that are lost; the last column is one of the keys.
    """
    restriction: sql.Composable = sql.SQL("")
    if contract.is_snapshot and only_changed:
        restriction = sql.SQL(
            " and natural_key in (select key from audit.dirty_keys where place = {})"
        ).format(sql.Literal(contract.name))
    places = {**contract.ends_in, **contract.left_out}
    found: sql.Composable = sql.SQL("null::text")
    if places:
        found = sql.SQL("case {} end").format(
            sql.SQL(" ").join(
                sql.SQL("when exists ({}) then {}").format(
                    sql.SQL(query),
                    sql.Literal(place),
                )
                for place, query in places.items()
            )
        )
    return connection.execute(
        sql.SQL(
            "select place, coalesce(place = any({models}::text[]), false),"
            '  count(*), min(key collate "C")'
            " from (select key, {found} as place from ("
            "  select distinct {prefix} || natural_key as key from rows_staged"
            "  where not is_quarantined and natural_key is not null {restriction}"
            " ) as staged) as placed group by place"
        ).format(
            models=sql.Literal(list(contract.ends_in)),
            found=found,
            prefix=sql.Literal(contract.record_prefix),
            restriction=restriction,
        )
    ).fetchall()


def _knows_changes(connection: psycopg.Connection, feeds: list[str]) -> bool:
    """Whether the build noted what changed; one that makes everything does not."""
    row = connection.execute(
        "select exists (select from audit.dirty_keys where place = any(%s))", [feeds]
    ).fetchone()
    return row is not None and bool(row[0])
