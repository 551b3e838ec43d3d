"""How a file is to be read: what a contract says of format, encoding and header.

In: an export of any format that the loader reads, compressed or not. Out: a
`FileLayout`, and the doubts about it in words. Nothing here knows what the columns
mean.
"""

import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, islice
from pathlib import PurePath

from include.contracts import Format
from include.errors import WarehouseError
from include.loading.csv_reader import split_records
from include.loading.file_choices import NAMED_DELIMITER
from include.loading.file_content import COMPRESSED_SUFFIXES
from include.loading.sheet_reader import read_sheet
from include.loading.table_reader import write_cell
from include.loading.text_lines import read_lines
from include.new_source.footer import find_footer
from include.new_source.header_rows import HeaderGuess, find_header
from include.new_source.json_layout import find_records
from include.new_source.text_encoding import guess_encoding

DELIMITERS = (",", ";", "\t", "|")
# Enough rows to tell a delimiter and a header by.
ROWS_LOOKED_AT = 1_000
HEAD_BYTES = 1 << 22
OLD_EXCEL = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class FileLayout:
    """What a contract says of how a file is read; `suffix` is that of the file."""

    format: Format
    suffix: str
    encoding: str = "utf-8"
    delimiter: str = ","
    header_rows: int = 1
    header_name_row: int = 1
    record_path: str | None = None
    footer: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def find_layout(content: bytes, name: str) -> FileLayout:
    """Find how the (unpacked) content of a file is to be read.

    Raises WarehouseError: nothing that the loader reads, or nothing in it.
    """
    if not content.strip():
        raise WarehouseError(f"{name} is empty: take an export with some rows.")
    suffix = _find_suffix(name)
    if content.startswith(OLD_EXCEL):
        raise WarehouseError(
            f"{name} is a workbook of the old format, or one with a password: save it"
            " as .xlsx without a password."
        )
    if content.startswith(b"PK"):
        return _find_sheet_layout(content, suffix)
    if content.startswith(b"PAR1"):
        return FileLayout("parquet", suffix)
    encoding = guess_encoding(content)
    start = content[:256].decode(encoding.encoding, "replace").lstrip("\ufeff \t\r\n")
    if start[:1] in ("{", "["):
        text = content.decode(encoding.encoding, "replace").removeprefix("\ufeff")
        form, record_path = find_records(text)
        return FileLayout(
            *("jsonl" if form == "jsonl" else "json", suffix, encoding.encoding),
            record_path=record_path,
            doubts=encoding.doubts,
        )
    if start[:1] == "<":
        raise WarehouseError(
            f"{name} is HTML or XML, whatever its name says: export it as CSV, XLSX,"
            " JSON or Parquet."
        )
    delimiter = _find_delimiter(content, encoding.encoding)
    rows = list(_split_head(content, encoding.encoding, delimiter))
    header = find_header(rows)
    footer = find_footer(_split(BytesIO(content), encoding.encoding, delimiter))
    doubts = [*encoding.doubts, *header.doubts, *footer.doubts]
    if max(map(len, rows)) == 1:
        doubts.append("delimiter: none found, so the file has one column")
    return FileLayout(
        *("csv", suffix, encoding.encoding, delimiter),
        header_rows=header.rows,
        header_name_row=header.name_row,
        footer=footer.patterns,
        doubts=tuple(doubts),
    )


def _find_suffix(name: str) -> str:
    """Return what the feed's file names end in, without what says how it is packed."""
    path = PurePath(name)
    if path.suffix.lower() in COMPRESSED_SUFFIXES:
        path = path.with_suffix("")
    return path.suffix.lower().lstrip(".")


def _find_sheet_layout(content: bytes, suffix: str) -> FileLayout:
    every = [[write_cell(cell) for cell in row] for row in read_sheet(BytesIO(content))]
    rows = every[:ROWS_LOOKED_AT]
    if not rows:
        raise WarehouseError("The first sheet is empty: take an export with some rows.")
    header: HeaderGuess = find_header(rows)
    footer = find_footer(every)
    doubts = [*header.doubts, *footer.doubts]
    with zipfile.ZipFile(BytesIO(content)) as archive:
        sheets = sum(
            part.startswith("xl/worksheets/") and part.endswith(".xml")
            for part in archive.namelist()
        )
    if sheets > 1:
        doubts.append(f"the workbook has {sheets} sheets: only the first is read")
    return FileLayout(
        *("xlsx", suffix),
        header_rows=header.rows,
        header_name_row=header.name_row,
        footer=footer.patterns,
        doubts=tuple(doubts),
    )


def _find_delimiter(content: bytes, encoding: str) -> str:
    """Return the delimiter by which most rows have equally many fields, and many."""

    def weigh(delimiter: str) -> tuple[float, int]:
        widths = Counter(map(len, _split_head(content, encoding, delimiter)))
        # Every text "splits" into one field.
        widths.pop(1, None)
        if not widths:
            return (0.0, 1)
        width, count = widths.most_common(1)[0]
        return (round(count / widths.total(), 1), width)

    return max(DELIMITERS, key=weigh)


def _split_head(
    content: bytes, encoding: str, delimiter: str
) -> Iterator[Sequence[str]]:
    head = BytesIO(content[:HEAD_BYTES])
    if len(content) > HEAD_BYTES:
        # Not in the middle of a row; of UTF-16 a row ends in two bytes.
        cut = content.rfind(b"\n", 0, HEAD_BYTES) + (2 if "16-le" in encoding else 1)
        head = BytesIO(content[:cut])
    yield from islice(_split(head, encoding, delimiter), ROWS_LOOKED_AT)


def _split(content: BytesIO, encoding: str, delimiter: str) -> Iterator[Sequence[str]]:
    """Yield the rows of a text, without a first line that names the delimiter."""
    lines = read_lines(content, [encoding])
    first = next(lines, "")
    if not NAMED_DELIMITER.fullmatch(first):
        lines = chain([first], lines)
    for fields, _ in split_records(lines, delimiter):
        if not isinstance(fields, str):
            yield fields
