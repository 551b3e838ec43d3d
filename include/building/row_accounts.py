"""What became of every row that was loaded, and of every key that was staged.

In: the loads that a build touched, after its models. Out: for each load, in
``audit.loads``, how many rows staging passed on and how many it set aside; for each
feed, in ``audit.key_accounts``, how many natural keys ended where in the star, were
left out for which reason, or are lost. A feed's contract says where its keys end
(`ends_in`, `left_out`); `staged.key` there is the number as the star has it. Gate 2
stops what does not add up.
"""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from include.building.frozen_loads import TouchedLoad
from include.contracts import FeedContract


def account_for_rows(
    connection: psycopg.Connection,
    build_id: int,
    contracts: Iterable[FeedContract],
    touched: Iterable[TouchedLoad],
    restaged: Iterable[TouchedLoad] = (),
) -> None:
    """Count rows and keys of the touched loads; before the dirty keys are cleared.

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
    for contract in contracts:
        if contract.name in loads_of:
            loads = loads_of[contract.name]
            _forget_unchecked(connection, contract)
            _count_rows(connection, contract, loads)
            only_changed = knows_changes and contract.name not in restaged_feeds
            _count_keys(connection, build_id, contract, loads, only_changed)


def _forget_unchecked(connection: psycopg.Connection, contract: FeedContract) -> None:
    """Forget what builds said of a feed that gate 2 never passed."""
    connection.execute(
        "delete from audit.key_accounts where feed = %s and build_id > coalesce("
        " (select max(build_id) from audit.builds where gated_at is not null), 0)",
        [contract.name],
    )


def _count_rows(
    connection: psycopg.Connection, contract: FeedContract, loads: list[int]
) -> None:
    connection.execute(
        sql.SQL(
            "update audit.loads set"
            " rows_staged = coalesce(counted.staged, 0),"
            " rows_quarantined = coalesce(counted.quarantined, 0)"
            " from unnest({loads}::bigint[]) as wanted (load_id)"
            " left join ("
            "  select _load_id,"
            "   count(*) filter (where quarantine_reason is null) as staged,"
            "   count(quarantine_reason) as quarantined"
            "  from {staging} where _load_id = any({loads}) group by _load_id"
            " ) as counted on counted._load_id = wanted.load_id"
            " where loads.load_id = wanted.load_id"
        ).format(loads=sql.Literal(loads), staging=_staging(contract))
    )


def _count_keys(
    connection: psycopg.Connection,
    build_id: int,
    contract: FeedContract,
    loads: list[int],
    only_changed: bool,
) -> None:
    restriction: sql.Composable = sql.SQL("")
    if contract.is_snapshot and only_changed:
        restriction = sql.SQL(
            " and natural_key in (select key from audit.dirty_keys where place = {})"
        ).format(sql.Literal(contract.name))
    places = {**contract.ends_in, **contract.left_out}
    found: sql.Composable = sql.SQL("null")
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
    connection.execute(
        sql.SQL(
            "insert into audit.key_accounts"
            " (build_id, feed, place, is_in_star, keys, example)"
            " select {build_id}, {feed}, place, coalesce(place = any({models}), false),"
            '  count(*), min(key collate "C")'
            " from (select key, {found} as place from ("
            "  select distinct {prefix} || natural_key as key from {staging}"
            "  where _load_id = any({loads}) and quarantine_reason is null"
            "   and natural_key is not null {restriction}"
            " ) as staged) as placed group by place"
        ).format(
            build_id=sql.Literal(build_id),
            feed=sql.Literal(contract.name),
            models=sql.Literal(list(contract.ends_in)),
            found=found,
            prefix=sql.Literal(contract.record_prefix),
            staging=_staging(contract),
            loads=sql.Literal(loads),
            restriction=restriction,
        )
    )


def _knows_changes(connection: psycopg.Connection, feeds: list[str]) -> bool:
    """Whether the build noted what changed; one that makes everything does not."""
    row = connection.execute(
        "select exists (select from audit.dirty_keys where place = any(%s))", [feeds]
    ).fetchone()
    return row is not None and bool(row[0])


def _staging(contract: FeedContract) -> sql.Identifier:
    return sql.Identifier("staging", contract.staging_model)
