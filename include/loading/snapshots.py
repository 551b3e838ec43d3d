"""Snapshot feeds in raw: each distinct row once, and which load brought which row.

In: a whole list, copied into a temporary table. Out: new distinct rows in
``raw_<system>.<feed>`` and one membership row per record in ``<feed>__snapshots``: a
night in which little changed costs little disk.
"""

import psycopg
from psycopg import sql

from include.contracts import FeedContract
from include.loading.raw_tables import (
    EXTRA_COLUMN,
    STEM_DEFINITION,
    RawTable,
    lineage_definitions,
)

ROWS_WORTH_STATISTICS = 10_000


def create_incoming(
    connection: psycopg.Connection, contract: FeedContract
) -> sql.Identifier:
    """Create the temporary table that receives a list; return its name.

    It is dropped at the end of the transaction.
    """
    raw = RawTable(contract)
    incoming = sql.Identifier("pg_temp", f"{contract.feed}__incoming")
    kind = sql.SQL("jsonb") if contract.storage == "record" else sql.SQL("text")
    content = [
        sql.SQL("{} {}").format(
            sql.Identifier(name), sql.SQL("jsonb") if name == EXTRA_COLUMN else kind
        )
        for name in raw.content_columns
    ]
    content += [
        sql.SQL("{} {}").format(sql.Identifier(name), STEM_DEFINITION)
        for name in raw.stem_columns
    ]
    number = sql.SQL("default nextval({})").format(sql.Literal(raw.row_numbers))
    row_hash = sql.SQL("_row_hash uuid generated always as ({}) stored").format(
        _row_hash(contract)
    )
    connection.execute(sql.SQL("drop table if exists {}").format(incoming))
    connection.execute(
        sql.SQL("create temporary table {} ({}) on commit drop").format(
            sql.Identifier(f"{contract.feed}__incoming"),
            sql.SQL(", ").join([*lineage_definitions(number), *content, row_hash]),
        )
    )
    return incoming


def store_snapshot(
    connection: psycopg.Connection,
    contract: FeedContract,
    incoming: sql.Identifier,
    rows: int,
) -> int:
    """Store the new distinct rows of a list of `rows` records, and its membership.

    Returns the number of membership rows.
    """
    raw = RawTable(contract)
    if rows >= ROWS_WORTH_STATISTICS:
        connection.execute(sql.SQL("analyze {} (_row_hash)").format(incoming))
    names = [
        *("_load_id", "_file_no", "_row_number", "_row_hash"),
        *(*raw.stem_columns, *raw.content_columns),
    ]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    connection.execute(
        sql.SQL(
            "insert into {raw} ({columns}) select {columns} from {incoming} as incoming"
            " where not exists (select from {raw} as known"
            " where known._row_hash = incoming._row_hash)"
            " on conflict (_row_hash) do nothing"
        ).format(raw=raw.table, columns=columns, incoming=incoming)
    )
    cursor = connection.execute(
        sql.SQL(
            "insert into {snapshots} (_load_id, _row_id, _file_no, _row_number)"
            " select incoming._load_id, known._row_id, incoming._file_no,"
            " incoming._row_number from {incoming} as incoming"
            " join {raw} as known on known._row_hash = incoming._row_hash"
        ).format(snapshots=raw.snapshots, incoming=incoming, raw=raw.table)
    )
    return cursor.rowcount


def _row_hash(contract: FeedContract) -> sql.Composable:
    """Return the hash of all that a row holds.

    Each value that is not null goes in as name, length, value: two different rows never
    give the same text, and a column that a later contract adds changes no hash of rows
    in which it is null.
    """
    parts = [
        sql.SQL(
            "coalesce({} || octet_length({}::text)::text || ' ' || {}::text, '')"
        ).format(sql.Literal(f"{name} "), sql.Identifier(name), sql.Identifier(name))
        for name in sorted(RawTable(contract).content_columns)
    ]
    return sql.SQL("md5({})::uuid").format(sql.SQL(" || ").join(parts))
