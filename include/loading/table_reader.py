"""The readers of XLSX sheets and Parquet files, in bounded memory.

In: a file that needs seeking, copied to disk on the way. Out: batches of raw rows whose
values are text: numbers in their shortest exact form, times in ISO form, nested values
as JSON. A row in which every cell is empty is no record.
"""

import datetime
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from typing import IO

import pyarrow
from pyarrow import parquet

from include.contracts import FeedContract
from include.loading.batches import Batch, FileRows, Reject, Source, make_storable
from include.loading.file_content import ByteSource, FileProblem, spool
from include.loading.footers import leave_out_footer
from include.loading.kept_records import keep_cells, restore_cells
from include.loading.misread_dates import MisreadDates
from include.loading.peeking import Peekable
from include.loading.row_plan import RowMaker, plan_rows
from include.loading.sheet_reader import CellProblem, read_sheet
from include.loading.table_header import read_header_rows
from include.loading.text_lines import has_undecoded

PARQUET_BATCH_ROWS = 2_000
LARGEST_EXACT_INTEGER = 1 << 53

Cells = Sequence[object]


def read_xlsx(contract: FeedContract, content: ByteSource) -> FileRows:
    """Read the first sheet of a workbook. Raises FileProblem, also in the batches."""
    return _read_table(contract, content, read_sheet)


def read_parquet(contract: FeedContract, content: ByteSource) -> FileRows:
    """Read a Parquet file; its column names are the header. Raises FileProblem."""
    return _read_table(contract, content, read_parquet_rows)


def _read_table(
    contract: FeedContract,
    content: ByteSource,
    read_rows: Callable[[IO[bytes]], Iterator[Cells]],
) -> FileRows:
    with ExitStack() as stack:
        rows = read_rows(stack.enter_context(spool(content)))
        return _read_rows(contract, rows, stack)


def read_kept_cells(contract: FeedContract, header: bytes, kept: bytes) -> FileRows:
    """Read one row again that was rejected. Raises FileProblem."""
    rows = [*json.loads(header), restore_cells(kept)]
    return _read_rows(contract, iter(rows), ExitStack())


def _read_rows(
    contract: FeedContract, rows: Iterator[Cells], stack: ExitStack
) -> FileRows:
    """Match the header, and let the batches follow; `stack` is closed after them."""
    header_rows: list[list[str]] = []
    rows = Peekable(rows)

    def take_rows() -> Iterator[list[str]]:
        for row in rows:
            header_rows.append([write_cell(cell) for cell in row])
            yield header_rows[-1]

    def peek() -> list[str] | None:
        row = rows.peek()
        return None if row is None else [write_cell(cell) for cell in row]

    header = read_header_rows(contract, take_rows(), peek)
    records = leave_out_footer(contract, rows, lambda row: row)
    drift: Counter[str] = Counter()
    columns, make_row = plan_rows(contract, header, drift)
    batches = _read_batches(
        *(records, len(header.names), frozenset(contract.null_markers), make_row),
        MisreadDates(contract, header),
        # From here on the copy on disk belongs to the batches.
        stack.pop_all(),
    )
    kept_header = json.dumps(header_rows).encode()
    return FileRows(columns, batches, drift, _make_reject, kept_header)


def _make_reject(row_number: int, reason: str, source: Source) -> Reject:
    texts = [write_cell(cell) for cell in source]
    return Reject(
        *(row_number, reason, make_storable(json.dumps(texts, ensure_ascii=False))),
        keep_cells(source, write_cell),
    )


def _read_batches(
    rows: Iterator[Cells],
    width: int,
    null_markers: frozenset[str],
    make_row: RowMaker,
    misread: MisreadDates,
    resources: ExitStack,
) -> Iterator[Batch]:
    with resources:
        row_number = 0
        batch = Batch()
        for cells in rows:
            if all(cell is None or cell == "" for cell in cells):
                continue
            row_number += 1
            misread.feed(cells)
            fields, problem = _read_cells(cells, width, null_markers)
            if problem is None:
                batch.rows.append(make_row(row_number, fields))
                batch.sources.append(fields)
            else:
                batch.rejects.append(_make_reject(row_number, problem, cells))
            # Empty fields take their place too.
            batch.characters += len(fields) + sum(map(len, fields))
            if batch.is_full:
                yield batch
                batch = Batch()
        misread.check()
        yield batch


def _read_cells(
    cells: Cells, width: int, null_markers: frozenset[str]
) -> tuple[list[str], str | None]:
    """Return a row's fields as text, `width` of them, and a reason to reject it."""
    fields = [write_cell(cell) for cell in cells]
    while len(fields) > width and not fields[-1]:
        fields.pop()
    fields += [""] * (width - len(fields))
    problem = None
    if found := [cell for cell in cells if isinstance(cell, CellProblem)]:
        problem = found[0].reason
    elif len(fields) > width:
        problem = f"{len(fields)} fields where the header has {width}"
    elif any(
        isinstance(cell, float)
        and not math.isfinite(cell)
        and write_cell(cell) not in null_markers
        for cell in cells
    ):
        problem = "a number that is not finite"
    elif any("\0" in field for field in fields):
        problem = "a NUL character"
    elif any(map(has_undecoded, fields)):
        problem = "bytes that are not UTF-8"
    return fields, problem


def write_cell(value: object) -> str:
    """Write a cell as text; nothing for null."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) <= LARGEST_EXACT_INTEGER:
            return str(int(value))
        case float():
            return repr(value)
        case Decimal():
            return format(value, "f")
        case datetime.datetime():
            return value.isoformat(sep=" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case CellProblem():
            return value.text
        case bytes():
            return value.decode("utf-8", "surrogateescape")
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=write_cell)
        case _:
            return str(value)


def read_parquet_rows(file: IO[bytes]) -> Iterator[Cells]:
    try:
        source = parquet.ParquetFile(file)
        yield source.schema_arrow.names
        for batch in source.iter_batches(batch_size=PARQUET_BATCH_ROWS):
            columns = [_to_python(column) for column in batch.columns]
            yield from zip(*columns, strict=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise FileProblem(
            f"the file is no readable Parquet file ({error})",
            "export it again, and transfer it again",
        ) from error


def _to_python(column: pyarrow.Array) -> list[object]:
    # Python's own times hold no nanoseconds: Arrow writes times as text itself.
    if pyarrow.types.is_temporal(column.type) and not pyarrow.types.is_duration(
        column.type
    ):
        column = column.cast(pyarrow.string())
    try:
        values: list[object] = column.to_pylist()
    except UnicodeDecodeError:
        # Bytes that are no text reject their row alone.
        if not pyarrow.types.is_string(column.type):
            raise
        values = column.cast(pyarrow.binary()).to_pylist()
    return values
