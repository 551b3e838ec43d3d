"""How the fields of a table-like file become raw rows.

In: a contract and the header of a file. Out: the raw columns that the file fills, and a
function that makes a row out of a record's fields.
"""

import json
from collections import Counter
from collections.abc import Callable
from operator import itemgetter

from include.contracts import FeedContract
from include.loading.batches import Row
from include.loading.table_header import TableHeader

# From a record's number and its fields, as text, one per column of the file.
RowMaker = Callable[[int, list[str]], Row]


def plan_rows(
    contract: FeedContract, header: TableHeader, drift: Counter[str]
) -> tuple[tuple[str, ...], RowMaker]:
    """Return the raw columns that a file fills, and what makes a row of its fields.

    `drift` is filled with the undeclared columns as rows are made.
    """
    null_markers = frozenset(contract.null_markers) | {""}
    encode = json.JSONEncoder(ensure_ascii=False).encode
    names = header.names

    def make_record(row_number: int, fields: list[str]) -> Row:
        values = (None if field in null_markers else field for field in fields)
        return row_number, encode(dict(zip(names, values, strict=True)))

    if contract.storage == "record":
        return ("_row_number", "record"), make_record

    columns = tuple(names[position] for position in header.declared)
    pick = itemgetter(*header.declared) if len(header.declared) > 1 else None

    def make_plain_row(row_number: int, fields: list[str]) -> list[object]:
        if len(null_markers) > 1:
            fields = ["" if field in null_markers else field for field in fields]
        if pick is None:
            return [row_number, *(fields[position] for position in header.declared)]
        return [row_number, *pick(fields)]

    if not header.undeclared:
        return ("_row_number", *columns), make_plain_row

    for position in header.undeclared:
        drift[names[position]] += 0

    def make_row_with_extra(row_number: int, fields: list[str]) -> Row:
        extra = {
            names[position]: fields[position]
            for position in header.undeclared
            if fields[position] not in null_markers
        }
        drift.update(extra.keys())
        row = make_plain_row(row_number, fields)
        row.append(encode(extra) if extra else None)
        return row

    return ("_row_number", *columns, "_extra"), make_row_with_extra
