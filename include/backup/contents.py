"""What a database holds, table by table, so that a copy can be held against it.

In: an open connection. Out: for each table its rows and a hash over all its columns,
whatever the order of the rows.
"""

import psycopg
from psycopg import sql

# A table's rows and the sum of their hashes.
Contents = dict[str, tuple[int, str]]

# Values are hashed as text, which these decide on.
_FORMATS = {
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}


def read_contents(connection: psycopg.Connection) -> Contents:
    """Count and hash every table but the server's own."""
    for name, value in _FORMATS.items():
        connection.execute("select set_config(%s, %s, true)", [name, value])
    tables = connection.execute(
        "select nspname, relname from pg_class"
        " join pg_namespace on pg_namespace.oid = relnamespace"
        " where relkind = 'r' and nspname <> 'information_schema'"
        " and not starts_with(nspname, 'pg_') order by 1, 2"
    ).fetchall()
    contents: Contents = {}
    for schema, table in tables:
        row = connection.execute(
            sql.SQL(
                "select count(*),"
                " coalesce(sum(hashtextextended(cast(whole_row as text), 0)), 0)"
                " from {} as whole_row"
            ).format(sql.Identifier(schema, table))
        ).fetchone()
        assert row is not None
        contents[f"{schema}.{table}"] = (int(row[0]), str(row[1]))
    return contents
