"""One landed file into a table: the fast path first, the careful one where needed.

In: a file of a load. Out: `CopiedFile`, with its SHA-256 and its row counts. Both paths
give the same rows; what the fast path refuses is rolled back before the careful one
begins.
"""

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

import psycopg
from psycopg import sql

from include.contracts import FeedContract
from include.loading.batches import Kept
from include.loading.careful_path import REFUSALS, RowCounts, copy_carefully
from include.loading.csv_scan import NotClean
from include.loading.fast_path import copy_plain, may_go_fast
from include.loading.file_choices import choose_reading, has_choices
from include.loading.file_content import (
    COMPRESSED_SUFFIXES,
    FileProblem,
    StoredBytes,
    open_content,
)
from include.loading.landing import LandedFile, Landing
from include.loading.readers import read_rows
from include.loading.text_lines import LongLine

log = logging.getLogger(__name__)

Reader = Literal["fast", "careful"]


@dataclass(frozen=True, slots=True)
class CopyTarget:
    """Where the files of one load go.

    `table` is the raw table, or the incoming table of a snapshot feed; `row_numbers`
    names the sequence that its `_row_number` defaults to.
    """

    load_id: int
    table: sql.Identifier
    row_numbers: str


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """What became of one file. `counts.read` was counted without COPY's help."""

    file: LandedFile
    file_no: int
    reader: Reader
    sha256: str
    bytes: int
    counts: RowCounts
    drift: Counter[str] = field(default_factory=Counter)
    header: Kept | None = None
    # How its text was read; nothing for a format that has no text.
    encodings: tuple[str, ...] = ()
    delimiter: str | None = None


def copy_file(
    connection: psycopg.Connection,
    landing: Landing,
    contract: FeedContract,
    target: CopyTarget,
    file: LandedFile,
    file_no: int,
    reader: Reader = "fast",
) -> CopiedFile:
    """Copy one file; `reader="careful"` does not try the fast path.

    Raises FileProblem when the file as a whole cannot be read.
    """
    set_lineage(connection, target, file.name, file_no)
    contract = contract.of_file(file.path)
    copy = _FileCopy(connection, landing, target, file, file_no)
    likeliest = contract.narrow()
    if reader == "fast" and (done := copy.try_fast(likeliest)):
        return done
    chosen = choose_file_reading(landing, contract, file)
    if chosen != likeliest:
        log.info("%s is read as %s", file.path, describe_reading(chosen))
        if reader == "fast" and (done := copy.try_fast(chosen)):
            return done
    return copy.copy_carefully(chosen)


def choose_file_reading(
    landing: Landing, contract: FeedContract, file: LandedFile
) -> FeedContract:
    """Return the contract of one file: in its one format, encoding and delimiter.

    Raises FileProblem when the file has none of those that the contract declares.
    """
    contract = contract.of_file(file.path)
    if contract.format != "csv" and not has_choices(contract):
        return contract
    with (
        open_stored(landing, file) as stored,
        open_content(stored, file.path) as content,
    ):
        return choose_reading(contract, content)


def describe_reading(contract: FeedContract) -> str:
    """Say how a file's text was read: its encoding, or those of its lines."""
    words = " or ".join(contract.encodings)
    if contract.other_encodings:
        words += ", line by line"
    if contract.format == "csv":
        words += f", fields between {contract.delimiter!r}"
    return words


@dataclass(frozen=True, slots=True)
class _FileCopy:
    """One file on its way into a table, by either path."""

    connection: psycopg.Connection
    landing: Landing
    target: CopyTarget
    file: LandedFile
    file_no: int

    def try_fast(self, contract: FeedContract) -> CopiedFile | None:
        """Copy a plain file; None: only the careful path can read it."""
        if not may_go_fast(contract):
            return None
        try:
            with (
                self.connection.transaction(),
                open_stored(self.landing, self.file) as stored,
            ):
                with open_content(stored, self.file.path) as content:
                    read, loaded = copy_plain(
                        self.connection, contract, self.target.table, content
                    )
                return CopiedFile(
                    *(self.file, self.file_no, "fast", _finish(stored, self.file)),
                    *(stored.bytes, RowCounts(read, loaded)),
                    encodings=contract.encodings,
                    delimiter=contract.delimiter,
                )
        except (NotClean, LongLine, *REFUSALS) as reason:
            words = str(reason).splitlines()[0]
            log.info("%s goes the careful way: %s", self.file.path, words)
            return None

    def copy_carefully(self, contract: FeedContract) -> CopiedFile:
        """Copy any file. Raises FileProblem."""
        with open_stored(self.landing, self.file) as stored:
            with open_content(stored, self.file.path) as content:
                rows = read_rows(contract, content)
                counts = copy_carefully(
                    *(self.connection, self.target.table, rows),
                    *(self.target.load_id, self.file_no),
                )
            is_text = contract.format in ("csv", "json", "jsonl")
            return CopiedFile(
                *(self.file, self.file_no, "careful", _finish(stored, self.file)),
                *(stored.bytes, counts, rows.drift, rows.header),
                encodings=contract.encodings if is_text else (),
                delimiter=contract.delimiter if contract.format == "csv" else None,
            )


def _finish(stored: StoredBytes, file: LandedFile) -> str:
    """Return the SHA-256 of a file that was read to its end, as long as it was listed.

    Raises FileProblem when it grew or shrank meanwhile: somebody is writing it.
    """
    sha256 = stored.finish()
    if stored.bytes != file.bytes:
        raise FileProblem(
            f"the file changed while it was read ({file.bytes:,} bytes were listed,"
            f" {stored.bytes:,} read)",
            "wait until it has arrived, then run this night again",
        )
    return sha256


def _find_stem(name: str) -> str:
    """Return a file's name without its suffixes: of its format and compression."""
    path = PurePosixPath(name)
    if path.suffix.lower() in COMPRESSED_SUFFIXES:
        path = path.with_suffix("")
    return path.stem


def hash_file(landing: Landing, file: LandedFile) -> str:
    """Return the SHA-256 of a file's stored bytes. Raises FileProblem."""
    with open_stored(landing, file) as stored:
        return stored.finish()


def open_stored(landing: Landing, file: LandedFile) -> StoredBytes:
    """Open a file's stored bytes, hashed as they are read. Raises FileProblem."""
    try:
        return StoredBytes(landing.open(file))
    except OSError as error:
        raise FileProblem(
            f"the file cannot be opened ({' '.join(str(error).split())})",
            "check that it is still there and may be read",
        ) from error


def set_lineage(
    connection: psycopg.Connection, target: CopyTarget, file_name: str, file_no: int
) -> None:
    """Tell the session what the lineage columns' defaults read."""
    stem = _find_stem(file_name).partition("__")[0]
    connection.execute(
        "select set_config('cx.load_id', %s, true), set_config('cx.file_no', %s, true),"
        " set_config('cx.file_stem', %s, true), setval(%s::regclass, 1, false)",
        [str(target.load_id), str(file_no), stem, target.row_numbers],
    )
