"""The careful reader of CSV: every record is parsed here, in bounded memory.

In: a CSV stream that the fast path refused, or that is stored as records. Out: batches
of raw rows, and a reject with its raw text for each record that cannot be read.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from include.contracts import FeedContract
from include.loading.batches import Batch, FileRows
from include.loading.csv_scan import CsvScan, NotClean
from include.loading.file_choices import NAMED_DELIMITER
from include.loading.file_content import ByteSource, FileProblem
from include.loading.footers import leave_out_footer
from include.loading.kept_records import keep_text, make_text_reject, reject_texts_of
from include.loading.peeking import Peekable
from include.loading.row_plan import RowMaker, plan_rows
from include.loading.table_header import TableHeader, read_header_rows, trim_fields
from include.loading.text_lines import UndecodedCount, has_undecoded, read_lines

LONGEST_FIELD = 1 << 23
# A record of many lines costs memory for each of them, about this many characters.
LONGEST_RECORD = 1 << 25
COST_OF_LINE = 64


def read_csv(
    contract: FeedContract, content: ByteSource, *, is_after_malformed: bool = False
) -> FileRows:
    """Read a CSV file; its header is read and matched at once.

    `is_after_malformed`: the first record comes after a malformed one.

    Raises FileProblem, also while the batches are read.
    """
    csv.field_size_limit(LONGEST_FIELD)
    lines = read_lines(content, contract.encodings)
    first = next(lines, "")
    # A line before the header in which a spreadsheet names its delimiter.
    named = first if NAMED_DELIMITER.fullmatch(first) else ""
    if not named:
        lines = chain([first], lines)
    split = split_records(lines, contract.delimiter)
    if contract.padded_rows:
        split = (record for record in split if any(record[0]))
    records = Peekable(split)
    header, header_rows = _read_header(contract, records)
    rows = leave_out_footer(contract, records, lambda record: record[0])
    drift: Counter[str] = Counter()
    columns, make_row = plan_rows(contract, header, drift)
    batches = _read_batches(
        *(contract, header, header_rows, rows, make_row, is_after_malformed)
    )
    return FileRows(
        *(columns, batches, drift, reject_texts_of(contract)),
        keep_text(contract, named + "".join(header_rows)),
    )


def split_records(
    lines: Iterator[str], delimiter: str
) -> Iterator[tuple[list[str] | str, str]]:
    """Yield each record's fields, or the reason why it has none, and its raw text.

    After a malformed record reading goes on with the next line.
    """
    consumed: list[str] = []
    cost = 0

    def pass_on() -> Iterator[str]:
        nonlocal cost
        for line in lines:
            cost = cost + len(line) + COST_OF_LINE if consumed else len(line)
            if cost > LONGEST_RECORD:
                raise FileProblem(
                    f"a record goes on for more than {len(consumed):,} lines (perhaps a"
                    " quote is missing)",
                    "export it again",
                )
            consumed.append(line)
            yield line

    reader = csv.reader(pass_on(), delimiter=delimiter, strict=True)
    while True:
        try:
            for fields in reader:
                raw = consumed[0] if len(consumed) == 1 else "".join(consumed)
                consumed.clear()
                if fields:
                    yield fields, raw
            return
        except csv.Error as error:
            yield _explain(error), "".join(consumed)
            consumed.clear()


def _explain(error: csv.Error) -> str:
    words = str(error)
    if "expected after" in words:
        return "text after the closing quote of a field"
    if "unexpected end" in words:
        return "a quoted field that is never closed"
    if "new-line character" in words:
        return "a carriage return outside quotes"
    if "field larger" in words:
        return "a field longer than 8 million characters (perhaps a missing quote)"
    return words


def _read_header(
    contract: FeedContract, records: Peekable[tuple[list[str] | str, str]]
) -> tuple[TableHeader, list[str]]:
    """Return the header, and the text of each of its rows."""
    texts: list[str] = []

    def take_rows() -> Iterator[list[str]]:
        for fields, raw in records:
            if isinstance(fields, str):
                raise FileProblem(
                    f"the header cannot be read: {fields}", "export it again"
                )
            if has_undecoded(raw) or "\0" in raw:
                raise FileProblem(
                    f"the header is not {contract.encoding} text",
                    "write the file's encoding into the contract, or export it again",
                )
            texts.append(raw)
            yield trim_fields(fields) if contract.padded_rows else fields

    def peek() -> list[str] | None:
        fields, raw = records.peek() or ("", "")
        if isinstance(fields, str) or has_undecoded(raw) or "\0" in raw:
            return None
        return fields

    return read_header_rows(contract, take_rows(), peek), texts


def _read_batches(
    contract: FeedContract,
    header: TableHeader,
    header_rows: list[str],
    records: Iterator[tuple[list[str] | str, str]],
    make_row: RowMaker,
    is_after_malformed: bool,
) -> Iterator[Batch]:
    width = len(header.names)
    header_texts = frozenset(row.rstrip("\r\n") for row in header_rows)
    undecoded = UndecodedCount(contract.encoding)
    row_number = 0
    batch = Batch()
    for row_number, (fields, raw) in enumerate(records, start=1):
        reason = None
        if contract.padded_rows and not isinstance(fields, str):
            fields = _pad_fields(fields, width)
        if isinstance(fields, str):
            reason = fields
            is_after_malformed = True
        elif "\0" in raw:
            reason = "a NUL character"
        elif has_undecoded(raw):
            reason = undecoded.add(row_number)
        elif raw.lstrip("\ufeff").rstrip("\r\n") in header_texts:
            # Where several exports were put into one file.
            reason = "the header comes again"
        elif len(fields) != width:
            reason = f"{len(fields)} fields where the header has {width}"
        elif is_after_malformed:
            # What follows may be the rest of the malformed record, not a row.
            if _has_stray_quotes(raw, contract.delimiter):
                reason = "stray quotes after a malformed row"
            else:
                is_after_malformed = False
        if reason is None and not isinstance(fields, str):
            batch.rows.append(make_row(row_number, fields))
            batch.sources.append(raw)
        else:
            is_malformed = isinstance(fields, str)
            batch.rejects.append(
                make_text_reject(
                    *(contract, row_number, str(reason), raw), is_malformed=is_malformed
                )
            )
        batch.characters += len(raw)
        if batch.is_full:
            yield batch
            batch = Batch()
    undecoded.check(row_number)
    yield batch


def _pad_fields(fields: list[str], width: int) -> list[str]:
    """Bring a row to its width by empty fields at its end, more of them or fewer."""
    if len(fields) > width:
        fields = fields[:width] + trim_fields(fields[width:])
    return fields + [""] * (width - len(fields))


def _has_stray_quotes(raw: str, delimiter: str) -> bool:
    scan = CsvScan(delimiter)
    try:
        scan.feed(raw.encode())
    except NotClean:
        return True
    return False
