"""The upkeep of tables that have just grown: indexes by load, figures for the planner.

The server does both by itself, but minutes later, or when a table has grown by a fifth;
until then, whoever looks for the rows of a load reads many others.
"""

from collections.abc import Sequence

import psycopg
from psycopg import sql

from include.contracts import FeedContract


def summarise_new_pages(connection: psycopg.Connection, contract: FeedContract) -> int:
    """Enter in a feed's indexes by load the pages that are not in them yet.

    In: as the role that owns the tables. Out: how many ranges of pages that were.
    """
    rows = connection.execute(
        "select brin_summarize_new_values(indexes.indexrelid)"
        " from pg_index as indexes"
        " inner join pg_class as named on named.oid = indexes.indexrelid"
        " inner join pg_am as methods on methods.oid = named.relam"
        " where methods.amname = 'brin' and indexes.indrelid in"
        "  (select to_regclass(name) from unnest(%s::text[]) as names (name))",
        [
            [
                sql.Identifier(contract.schema_name, name).as_string()
                for name in _list_tables(contract)
            ]
        ],
    ).fetchall()
    return sum(ranges for (ranges,) in rows)


def analyse_grown_feed(connection: psycopg.Connection, contract: FeedContract) -> None:
    """Analyse the raw tables of a feed where they have grown."""
    analyse_grown_tables(connection, contract.schema_name, _list_tables(contract))


def analyse_grown_tables(
    connection: psycopg.Connection, schema_name: str, names: Sequence[str]
) -> None:
    """Analyse those of the tables that changed by more than a tenth, or have an index
    by an expression without figures: these are gathered after the index was made, which
    may be after the table was analysed."""
    grown = connection.execute(
        "select relname from pg_stat_user_tables as tables"
        " where schemaname = %s and relname = any(%s) and ("
        "  n_mod_since_analyze > 0.1 * n_live_tup"
        "  or n_live_tup > 0 and exists ("
        "   select from pg_index as indexes"
        "   inner join pg_class as named on named.oid = indexes.indexrelid"
        "   where indexes.indrelid = tables.relid and indexes.indexprs is not null"
        "   and not exists ("
        "    select from pg_stats where pg_stats.schemaname = tables.schemaname"
        "    and pg_stats.tablename = named.relname)))",
        [schema_name, list(names)],
    ).fetchall()
    for (name,) in grown:
        connection.execute(
            sql.SQL("analyze {}").format(sql.Identifier(schema_name, name))
        )


def _list_tables(contract: FeedContract) -> list[str]:
    return [contract.feed] + [f"{contract.feed}__snapshots"] * contract.is_snapshot
