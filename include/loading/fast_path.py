"""The fast path: a plain CSV streams into COPY as it is, scanned on the way.

In: the content of a CSV file. Out: its rows in a table, lineage filled by column
defaults, or `NotClean` when only the careful path can read the file.
"""

import codecs
import csv
import re
from collections.abc import Iterator

import psycopg
from psycopg import sql

from include.contracts import FeedContract
from include.loading.csv_scan import CsvScan, NotClean
from include.loading.file_content import ByteSource, FileProblem
from include.loading.table_header import TableHeader, read_header_rows
from include.loading.text_lines import EncodingCheck, read_blocks

# Encodings whose delimiters, quotes and newlines are single ASCII bytes, with the name
# PostgreSQL has for them.
SERVER_ENCODINGS = {
    "utf-8": "UTF8",
    "utf-8-sig": "UTF8",
    "ascii": "UTF8",
    "iso8859-1": "LATIN1",
    "iso8859-2": "LATIN2",
    "iso8859-15": "LATIN9",
    "cp1250": "WIN1250",
    "cp1252": "WIN1252",
}


def may_go_fast(contract: FeedContract) -> bool:
    """Tell whether the feed's files can be plain at all."""
    return (
        contract.format == "csv"
        and contract.storage == "columns"
        and contract.header_options is None
        and contract.delimiter.isascii()
        and not contract.delimiter.isalnum()
        and contract.delimiter not in '"\r\n\\.'
        and set(contract.null_markers) <= {""}
        and not contract.footer
        and codecs.lookup(contract.encoding).name in SERVER_ENCODINGS
    )


def copy_plain(
    connection: psycopg.Connection,
    contract: FeedContract,
    target: sql.Identifier,
    content: ByteSource,
) -> tuple[int, int]:
    """Stream a plain CSV into `target`.

    Returns the records counted by the scan and the rows counted by COPY. Raises
    NotClean, FileProblem, and psycopg's errors for what COPY refuses.
    """
    blocks = read_blocks(content)
    encoding = EncodingCheck(contract.encoding)
    first = next(blocks, b"")
    encoding.feed(first)
    if encoding.is_utf_8:
        raise NotClean("UTF-8 where the contract says otherwise")
    first = first.removeprefix(codecs.BOM_UTF8)
    header, rest = _split_header(contract, first)
    columns = [header.names[position] for position in header.declared]
    if header.undeclared:
        raise NotClean("undeclared columns")
    if len(columns) < 2:
        # COPY takes an empty line for a row when there is but one column.
        raise NotClean("a single column")
    statement = sql.SQL(
        "copy {} ({}) from stdin"
        " with (format csv, delimiter {}, force_null *, encoding {})"
    ).format(
        target,
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Literal(contract.delimiter),
        sql.Literal(SERVER_ENCODINGS[codecs.lookup(contract.encoding).name]),
    )
    header_lines = [
        line.rstrip(b"\r") for line in first[: -len(rest) or None].split(b"\n")
    ]
    check_header = _HeaderCheck(header_lines)
    scan = CsvScan(contract.delimiter)
    check_empty = _EmptyRowCheck(contract)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            check_header.feed(rest)
            check_empty.feed(rest)
            scan.feed(rest)
            copy.write(rest)
            for block in blocks:
                encoding.feed(block)
                check_header.feed(block)
                check_empty.feed(block)
                scan.feed(block)
                copy.write(block)
            scan.finish()
            if encoding.is_utf_8:
                raise NotClean("UTF-8 where the contract says otherwise")
        return scan.rows, cursor.rowcount


class _HeaderCheck:
    """Finds a header that comes again, where several exports were put into one file."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = tuple(line for line in lines if line)
        starts = (b"\n", codecs.BOM_UTF8)
        self._inside = [start + line for line in self._lines for start in starts]

    def feed(self, block: bytes) -> None:
        """Look at the next block, which begins after a newline."""
        if block.startswith(self._lines) or any(line in block for line in self._inside):
            raise NotClean("a line that begins like the header")


class _EmptyRowCheck:
    """Finds the empty rows of a spreadsheet, nothing but delimiters, which are none."""

    def __init__(self, contract: FeedContract) -> None:
        field = rb'(?:"")?'
        delimiter = re.escape(contract.delimiter.encode())
        self._pattern = (
            re.compile(rb"^%b(?:%b%b)+\r?$" % (field, delimiter, field), re.MULTILINE)
            if contract.padded_rows
            else None
        )

    def feed(self, block: bytes) -> None:
        """Look at the next block, which begins after a newline."""
        if self._pattern and self._pattern.search(block):
            raise NotClean("a row of empty fields")


def _split_header(contract: FeedContract, block: bytes) -> tuple[TableHeader, bytes]:
    """Read the header at the beginning of a block; return it and what follows."""
    end = 0

    def read_lines() -> Iterator[str]:
        nonlocal end
        while end < len(block):
            start, end = end, block.find(b"\n", end) + 1 or len(block)
            yield block[start:end].decode(contract.encoding)

    records = csv.reader(read_lines(), delimiter=contract.delimiter, strict=True)
    # An empty line is no record, among the header rows either.
    rows = filter(None, records)
    try:
        header = read_header_rows(contract, rows)
    except (csv.Error, UnicodeDecodeError, FileProblem) as error:
        # The careful path reads it once more, and says what is wrong where it must.
        raise NotClean(f"a header that is not plain ({error})") from error
    return header, block[end:]
