"""The rows of a sample file, read by the loader's own readers, column by column.

In: the content of a file and its layout. Out: a `Sample`: the texts of each column, as
raw would hold them, and what the reader rejects.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Literal

from include.contracts import FeedContract
from include.errors import WarehouseError
from include.loading.file_content import FileProblem
from include.loading.readers import read_rows
from include.new_source.file_layout import FileLayout

# Rows that columns are judged by; a sample needs no more.
MOST_ROWS = 200_000
DEEPEST = 3

Path = tuple[str, ...]


@dataclass
class ColumnTexts:
    """The filled texts of one column: `path` leads to it, inside nested records too.

    `nested` says what a JSON value is that is no single text.
    """

    path: Path
    texts: Counter[str] = field(default_factory=Counter)
    nested: Literal["", "object", "list"] = ""

    @property
    def header(self) -> str:
        """What the export calls it."""
        return ".".join(self.path)

    @property
    def is_inner(self) -> bool:
        """Whether it lies inside another column's JSON."""
        return len(self.path) > 1


@dataclass
class Sample:
    """The rows of a sample file; `rows` holds those that columns are judged by.

    A row has the texts of the outer columns, by position; None where nothing is.
    """

    columns: list[ColumnTexts]
    rows: list[tuple[str | None, ...]]
    rows_in_file: int
    rejects: Counter[str]


def read_sample(layout: FileLayout, content: bytes) -> Sample:
    """Read a file as its layout says. Raises WarehouseError when it cannot be read."""
    rejects: Counter[str] = Counter()
    records: list[dict[str, Any]] = []
    rows_in_file = 0
    try:
        file = read_rows(_make_contract(layout), BytesIO(content))
        for batch in file.batches:
            rejects.update(reject.reason for reject in batch.rejects)
            rows_in_file += len(batch.rows) + len(batch.rejects)
            if len(records) < MOST_ROWS:
                records += [_decode(str(row[-1])) for row in batch.rows]
    except FileProblem as problem:
        raise WarehouseError(
            f"The file cannot be read: {problem.reason}; {problem.remedy}."
        ) from problem
    if not records:
        raise WarehouseError("The file has no row: take an export with some.")
    del records[MOST_ROWS:]
    return _collect(records, rows_in_file, rejects)


def _make_contract(layout: FileLayout) -> FeedContract:
    """Make a contract that asks for no column and keeps every row as a record."""
    return FeedContract.model_validate(
        {
            **{"system": "sample", "feed": "sample", "role": "crm"},
            **{"delivery": "delta", "path": "*", "natural_key": ["any"]},
            "format": layout.format,
            "storage": "record",
            "record_path": layout.record_path,
            "encoding": layout.encoding,
            "delimiter": layout.delimiter,
            "header_rows": layout.header_rows,
            "header_name_row": layout.header_name_row,
            "footer": layout.footer,
            "columns": [{"name": "any", "headers": ["any"]}],
        }
    )


def _decode(text: str) -> dict[str, Any]:
    """Decode a record; numbers stay as they are written."""
    record: dict[str, Any] = json.loads(text, parse_float=str, parse_int=str)
    return record


def _collect(
    records: list[dict[str, Any]],
    rows_in_file: int,
    rejects: Counter[str],
) -> Sample:
    columns: dict[Path, ColumnTexts] = {}
    for record in records:
        for path, value in _walk(record, ()):
            if path not in columns:
                columns[path] = ColumnTexts(path)
            if isinstance(value, dict | list):
                columns[path].nested = "object" if isinstance(value, dict) else "list"
            elif value not in (None, ""):
                columns[path].texts[_to_text(value)] += 1
    outer = [path[0] for path in columns if len(path) == 1]
    rows = [
        tuple(
            None
            if (value := record.get(name)) in (None, "")
            or isinstance(value, dict | list)
            else _to_text(value)
            for name in outer
        )
        for record in records
    ]
    # What lies inside a column comes right after it.
    first = {name: place for place, name in enumerate(outer)}
    ordered = sorted(columns.values(), key=lambda column: first[column.path[0]])
    return Sample(ordered, rows, rows_in_file, rejects)


def _walk(record: dict[str, Any], above: Path) -> Iterator[tuple[Path, Any]]:
    for name, value in record.items():
        yield (*above, name), value
        if isinstance(value, dict) and len(above) + 1 < DEEPEST:
            yield from _walk(value, (*above, name))


def _to_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
