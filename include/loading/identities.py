"""Numbers for the rows of a source that gives them none.

In: the rows of one file, just copied into their raw table. Out: their `_identity`, made
of the columns that the contract names. The order of rows in the file plays no part:
those that are alike are counted in the order of what else they say, so that a list
exported again, sorted otherwise, brings the same rows.
"""

from collections.abc import Sequence

import psycopg
from psycopg import sql

from include.contracts import (
    IDENTITY_COLUMN,
    STEM_COLUMN,
    FeedContract,
)
from include.loading.raw_tables import RawTable, field_of

# Functions take a hundred arguments at most.
MOST_ARGUMENTS = 100


def number_rows(
    connection: psycopg.Connection, contract: FeedContract, load_id: int, file_no: int
) -> None:
    """Give the rows of one file of a load their identity, where a contract wants it.

    A row in which all the columns are empty gets none.
    """
    if not contract.identity_of:
        return
    raw = RawTable(contract)
    own = [name for name in contract.identity_of if name != STEM_COLUMN]
    content = [sql.Identifier("sent", name) for name in raw.content_columns]
    connection.execute(
        sql.SQL(
            "update {table} as numbered set {identity} = alike.key"
            "  || case when alike.place > 1 then '-' || alike.place else '' end"
            " from ("
            "  select keyed.place_of_row, keyed.key, row_number() over ("
            '   partition by keyed.key order by keyed.content collate "C") as place'
            "  from ("
            "   select sent.ctid as place_of_row, {key} as key, {content} as content"
            "   from {table} as sent"
            "   where sent._load_id = %(load_id)s and sent._file_no = %(file_no)s"
            "    and num_nonnulls({own}) > 0"
            "  ) as keyed"
            " ) as alike where numbered.ctid = alike.place_of_row"
        ).format(
            table=raw.table,
            identity=sql.Identifier(IDENTITY_COLUMN),
            key=_hash(
                [field_of(contract, "sent", name) for name in contract.identity_of]
            ),
            content=_hash(content),
            own=sql.SQL(", ").join(field_of(contract, "sent", name) for name in own),
        ),
        {"load_id": load_id, "file_no": file_no},
    )


def _hash(values: Sequence[sql.Composable]) -> sql.Composable:
    """Return the hash of values that tells them apart, nulls included."""
    parts = [
        sql.SQL("jsonb_build_array({})").format(
            sql.SQL(", ").join(values[start : start + MOST_ARGUMENTS])
        )
        for start in range(0, len(values), MOST_ARGUMENTS)
    ]
    return sql.SQL("md5(cast({} as text))").format(sql.SQL(" || ").join(parts))
