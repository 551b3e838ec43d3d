"""The careful path: every record is parsed, and only then copied.

In: the batches of a careful reader. Out: rows in a table with their record numbers, and
the rows that nobody can store in audit.rejects.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

from include.loading.batches import Batch, FileRows, Reject, Row

# What PostgreSQL says of values that it cannot store.
REFUSALS = (
    psycopg.DataError,
    errors.ProgramLimitExceeded,
    errors.StatementTooComplex,
)
_QUOTE = '"'


@dataclass(slots=True)
class RowCounts:
    """Rows read by the reader, and what became of them."""

    read: int = 0
    loaded: int = 0
    rejected: int = 0


def copy_carefully(
    connection: psycopg.Connection,
    target: sql.Identifier,
    rows: FileRows,
    load_id: int,
    file_no: int,
) -> RowCounts:
    """Copy a file's batches into `target` and its rejects into audit.rejects.

    Raises FileProblem when the file turns out to be unreadable as a whole.
    """
    counts = RowCounts()
    for batch in rows.batches:
        counts.read += len(batch.rows) + len(batch.rejects)
        loaded, refused = copy_batch(connection, target, rows, batch)
        rejects = batch.rejects + refused
        _save_rejects(connection, load_id, file_no, rejects)
        counts.loaded += loaded
        counts.rejected += len(rejects)
    return counts


def copy_batch(
    connection: psycopg.Connection,
    target: sql.Identifier,
    rows: FileRows,
    batch: Batch,
) -> tuple[int, list[Reject]]:
    """Copy a batch's rows; return how many, and what the server refuses."""
    statement = sql.SQL(
        "copy {} ({}) from stdin with (format csv, force_null *, encoding 'UTF8')"
    ).format(target, sql.SQL(", ").join(map(sql.Identifier, rows.columns)))
    loaded, refused = _copy_rows(connection, statement, batch.rows)
    if not refused:
        return loaded, []
    numbers = [row[0] for row in batch.rows]
    return loaded, [
        rows.make_reject(number, reason, batch.sources[numbers.index(number)])
        for number, reason in refused
    ]


def _copy_rows(
    connection: psycopg.Connection, statement: sql.Composed, rows: Sequence[Row]
) -> tuple[int, list[tuple[int, str]]]:
    """Copy rows; what the server refuses is cut in half until the row is found."""
    if not rows:
        return 0, []
    try:
        with connection.transaction(), connection.cursor() as cursor:
            with cursor.copy(statement) as copy:
                copy.write(_render(rows))
            return cursor.rowcount, []
    except REFUSALS as error:
        if len(rows) == 1:
            row_number = rows[0][0]
            assert isinstance(row_number, int)
            reason = f"the database refuses it: {error.diag.message_primary}"
            return 0, [(row_number, reason)]
    middle = len(rows) // 2
    first, first_rejects = _copy_rows(connection, statement, rows[:middle])
    second, second_rejects = _copy_rows(connection, statement, rows[middle:])
    return first + second, first_rejects + second_rejects


def _render(rows: Sequence[Row]) -> bytes:
    """Write rows as CSV; None and empty text both become null."""
    if len(rows[0]) == 2:
        # Records: quoting a long text in one go takes half the time of csv.writer.
        lines = [
            f'{row[0]},"{str(row[1]).replace(_QUOTE, _QUOTE * 2)}"' for row in rows
        ]
        return "\r\n".join(lines).encode()
    buffer = io.StringIO()
    # With this end of line every writer quotes lone carriage returns and newlines.
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode()


def _save_rejects(
    connection: psycopg.Connection,
    load_id: int,
    file_no: int,
    rejects: Sequence[Reject],
) -> None:
    if not rejects:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into audit.rejects"
            " (load_id, file_no, row_number, reason, raw_text, raw_bytes)"
            " values (%s, %s, %s, %s, %s, %s)",
            [
                (
                    *(load_id, file_no, reject.row_number, reject.reason),
                    *(reject.raw_text, reject.raw_bytes),
                )
                for reject in rejects
            ],
        )
