"""A rejected record, read again by the reader of its format.

In: what was kept of the record and of its file's header, and the contract of today.
Out: the raw row that it makes now, or the reason why it still makes none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO

from include.contracts import FeedContract
from include.loading.batches import FileRows, Kept, Row, Source
from include.loading.csv_reader import read_csv
from include.loading.file_choices import choose_delimiter
from include.loading.file_content import FileProblem
from include.loading.json_reader import read_json, read_jsonl
from include.loading.kept_records import find_kept_encoding
from include.loading.table_reader import read_kept_cells


@dataclass(frozen=True, slots=True)
class RereadRow:
    """A record that can be read now; `file` makes rows and rejects as its file does."""

    file: FileRows
    row: Row
    source: Source


@dataclass(frozen=True, slots=True)
class StillRejected:
    """Why a record cannot be read today either.

    After a malformed one nobody knows where the next record begins.
    """

    reason: str
    is_malformed: bool = False


def read_kept(
    contract: FeedContract,
    header: Kept | None,
    kept: Kept,
    row_number: int,
    *,
    is_after_malformed: bool = False,
) -> RereadRow | StillRejected:
    """Read one kept record as if it stood in its file.

    `contract` is that of the file (`find_kept_contract`); `is_after_malformed`: the
    record before it in the file is malformed still.
    """
    try:
        file = _open(contract, header, kept, is_after_malformed)
        rows, sources, rejects = [], [], []
        for batch in file.batches:
            rows += batch.rows
            sources += batch.sources
            rejects += batch.rejects
    except FileProblem as problem:
        return StillRejected(problem.reason)
    if len(rows) + len(rejects) != 1:
        return StillRejected(
            f"it reads as {len(rows) + len(rejects)} rows where the file had one: only"
            " the whole file can be read again"
        )
    if rejects:
        return StillRejected(rejects[0].reason, rejects[0].is_malformed)
    return RereadRow(file, (row_number, *rows[0][1:]), sources[0])


def find_kept_contract(
    contract: FeedContract,
    path: str,
    batch_date: date,
    encodings: Sequence[str] | None,
) -> FeedContract:
    """Return today's contract of a file of the batch date, read in these encodings.

    What a file was read in holds as long as the contract declares it.
    """
    contract = contract.of_file(path)
    first = encodings[0] if encodings else None
    if first not in contract.encodings:
        first = contract.encoding
    others = contract.encodings if contract.mixed_encodings else ()
    chosen = contract.on(batch_date).narrow(tuple(dict.fromkeys((first, *others))))
    return chosen.model_copy(update={"other_delimiters": contract.other_delimiters})


def _open(
    contract: FeedContract, header: Kept | None, kept: Kept, is_after_malformed: bool
) -> FileRows:
    encoded = contract.model_copy(
        update={"encoding": find_kept_encoding(contract), "record_path": ""}
    )
    match contract.format:
        case "json":
            return read_json(encoded, BytesIO(b"[" + kept + b"]"))
        case "jsonl":
            return read_jsonl(encoded, BytesIO(kept + b"\n"))
        case _ if header is None:
            raise FileProblem(
                "its file had no header when it was read",
                "load the whole file again",
            )
        case "csv":
            return read_csv(
                choose_delimiter(encoded, encoded.encodings, header),
                BytesIO(header + kept + b"\n"),
                is_after_malformed=is_after_malformed,
            )
        case _:
            return read_kept_cells(contract, header, kept)
