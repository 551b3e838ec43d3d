"""The raw tables, made out of the contracts.

In: contracts. Out: per feed a table ``raw_<system>.<feed>`` (and for snapshot feeds the
membership ``<feed>__snapshots``), brought up to its contract: created when missing, new
columns added, nothing ever dropped. Lineage comes from column defaults that read the
session, so that COPY fills it without a second write.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.contracts import (
    IDENTITY_COLUMN,
    LOADER_COLUMNS,
    STEM_COLUMN,
    FeedContract,
)

RECORD_COLUMN = "record"
EXTRA_COLUMN = "_extra"
STEM_DEFINITION = sql.SQL("text default current_setting('cx.file_stem')")

_COLUMNS_QUERY = """
    select array_agg(attname::text) from pg_attribute
    where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
"""


@dataclass(frozen=True, slots=True)
class RawTable:
    """The names that belong to a feed's raw table, ready for SQL."""

    contract: FeedContract

    @property
    def table(self) -> sql.Identifier:
        """The table of the rows."""
        return self._name("")

    @property
    def snapshots(self) -> sql.Identifier:
        """The membership of a snapshot feed: which rows each load brought."""
        return self._name("__snapshots")

    @property
    def row_numbers(self) -> str:
        """The sequence of record numbers, as text for setval and nextval."""
        return f"{self.contract.schema_name}.{self.contract.feed}__row_number"

    @property
    def content_columns(self) -> tuple[str, ...]:
        """The columns that files fill."""
        if self.contract.storage == "record":
            return (RECORD_COLUMN,)
        return (*self.contract.column_names, EXTRA_COLUMN)

    @property
    def stem_columns(self) -> tuple[str, ...]:
        """The column with the first part of the file's name, where there is one."""
        return (STEM_COLUMN,) if self.contract.storage == "record" else ()

    def _name(self, suffix: str) -> sql.Identifier:
        return sql.Identifier(
            self.contract.schema_name, f"{self.contract.feed}{suffix}"
        )


def field_of(contract: FeedContract, alias: str, name: str) -> sql.Composable:
    """Return the text of a declared column, or of one of the loader's, in a raw row."""
    if contract.storage == "record" and name not in LOADER_COLUMNS:
        return sql.SQL("({}.{} ->> {})").format(
            *(sql.Identifier(alias), sql.Identifier(RECORD_COLUMN), sql.Literal(name))
        )
    return sql.Identifier(alias, name)


def create_raw_tables(
    connection: psycopg.Connection, contracts: Iterable[FeedContract]
) -> None:
    """Bring the raw tables of all these feeds up to their contracts.

    Tables that hold rows get their key indexes here, and not while they are loaded: a
    first history of many nights arrives without the upkeep of indexes.
    """
    for contract in contracts:
        with connection.transaction():
            ensure_raw_table(connection, contract)
            _ensure_key_indexes(connection, contract)


def ensure_raw_table(connection: psycopg.Connection, contract: FeedContract) -> None:
    """Bring a feed's raw table up to its contract; cheap when nothing is to be done."""
    row = connection.execute(_COLUMNS_QUERY, [contract.raw_table]).fetchone()
    present = row[0] if row else None
    if present is None:
        _create(connection, contract)
        return
    wanted = _content_definitions(contract)
    for name in [name for name in wanted if name not in present]:
        connection.execute(
            sql.SQL("alter table {} add column if not exists {} {}").format(
                RawTable(contract).table, sql.Identifier(name), wanted[name]
            )
        )


def _ensure_key_indexes(connection: psycopg.Connection, contract: FeedContract) -> None:
    """Index the natural key, and a snapshot's membership, of a table with rows."""
    raw = RawTable(contract)
    keys: list[sql.Composable] = [
        sql.SQL("({} ->> {})").format(sql.Identifier(RECORD_COLUMN), sql.Literal(name))
        if contract.storage == "record" and name not in LOADER_COLUMNS
        else sql.Identifier(name)
        for name in contract.natural_key
    ]
    name, key = f"{contract.feed}__natural_key", keys[0]
    if len(keys) > 1:
        # One text, as staging views and builds spell it, so that they find it here.
        name = f"{name}_text"
        key = sql.SQL("({})").format(
            sql.SQL(" || '|' || ").join(
                sql.SQL("coalesce({}, '')").format(part) for part in keys
            )
        )
    wanted = {name: (raw.table, key)}
    if contract.is_snapshot:
        wanted[f"{contract.feed}__snapshots__row_id"] = (
            raw.snapshots,
            sql.SQL("{}").format(sql.Identifier("_row_id")),
        )
    for name, (table, columns) in wanted.items():
        row = connection.execute(
            sql.SQL(
                "select to_regclass(%s) is null and exists (select from {})"
            ).format(table),
            [f"{contract.schema_name}.{name}"],
        ).fetchone()
        if row and row[0]:
            _lock_definitions(connection)
            connection.execute(
                sql.SQL("create index if not exists {} on {} ({})").format(
                    sql.Identifier(name), table, columns
                )
            )


def _lock_definitions(connection: psycopg.Connection) -> None:
    """Let one session at a time create things: "if not exists" alone is no lock."""
    connection.execute("select pg_advisory_xact_lock(hashtext('cx.raw_tables'))")


def _create(connection: psycopg.Connection, contract: FeedContract) -> None:
    _lock_definitions(connection)
    raw = RawTable(contract)
    content = [
        sql.SQL("{} {}").format(sql.Identifier(name), definition)
        for name, definition in _content_definitions(contract).items()
    ]
    number = sql.SQL("default nextval({})").format(sql.Literal(raw.row_numbers))
    lineage = lineage_definitions(number)
    if contract.is_snapshot:
        lineage = [
            sql.SQL("_row_id bigint generated always as identity primary key"),
            sql.SQL("_row_hash uuid not null unique"),
            *lineage,
        ]
    schema_name = sql.Identifier(contract.schema_name)
    statements: list[sql.Composed] = [
        sql.SQL("create schema if not exists {}").format(schema_name),
        # A cache: nextval() is called once a row, by one session at a time.
        sql.SQL("create sequence if not exists {} cache 1000").format(
            sql.Identifier(contract.schema_name, f"{contract.feed}__row_number")
        ),
        sql.SQL("create table if not exists {} ({})").format(
            raw.table, sql.SQL(", ").join([*lineage, *content])
        ),
        _brin_index(contract, "", raw.table),
    ]
    if contract.is_snapshot:
        statements += [
            sql.SQL(
                "create table if not exists {} (_load_id bigint not null,"
                " _row_id bigint not null, _file_no integer not null,"
                " _row_number bigint not null)"
            ).format(raw.snapshots),
            _brin_index(contract, "__snapshots", raw.snapshots),
        ]
    for statement in statements:
        connection.execute(statement)


def lineage_definitions(row_number: sql.Composable) -> list[sql.Composable]:
    """Return the definitions of the lineage columns, which read the session."""
    return [
        sql.SQL(
            "_load_id bigint not null default current_setting('cx.load_id')::bigint"
        ),
        sql.SQL(
            "_file_no integer not null default current_setting('cx.file_no')::integer"
        ),
        sql.SQL("_row_number bigint not null {}").format(row_number),
    ]


def _content_definitions(contract: FeedContract) -> dict[str, sql.SQL]:
    identity = {IDENTITY_COLUMN: sql.SQL("text")} if contract.identity_of else {}
    if contract.storage == "record":
        return {
            RECORD_COLUMN: sql.SQL("jsonb"),
            STEM_COLUMN: STEM_DEFINITION,
            **identity,
        }
    columns = dict.fromkeys(contract.column_names, sql.SQL("text"))
    return {**columns, EXTRA_COLUMN: sql.SQL("jsonb"), **identity}


def _brin_index(
    contract: FeedContract, suffix: str, table: sql.Identifier
) -> sql.Composed:
    return sql.SQL("create index if not exists {} on {} using brin (_load_id)").format(
        sql.Identifier(f"{contract.feed}{suffix}__load_id"), table
    )
