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
from include.loading.file_content import (
    COMPRESSED_SUFFIXES,
    FileProblem,
    StoredBytes,
    open_content,
)
from include.loading.landing import LandedFile, Landing
from include.loading.readers import read_rows

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
    if reader == "fast" and may_go_fast(contract):
        try:
            with connection.transaction(), open_stored(landing, file) as stored:
                with open_content(stored, file.path) as content:
                    read, loaded = copy_plain(
                        connection, contract, target.table, content
                    )
                sha256 = _finish(stored, file)
                return CopiedFile(
                    *(file, file_no, "fast", sha256, stored.bytes),
                    RowCounts(read, loaded),
                )
        except (NotClean, *REFUSALS) as reason:
            words = str(reason).splitlines()[0]
            log.info("%s goes the careful way: %s", file.path, words)
    with open_stored(landing, file) as stored:
        with open_content(stored, file.path) as content:
            rows = read_rows(contract, content)
            counts = copy_carefully(
                connection, target.table, rows, target.load_id, file_no
            )
        sha256 = _finish(stored, file)
        return CopiedFile(
            *(file, file_no, "careful", sha256, stored.bytes),
            *(counts, rows.drift, rows.header),
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
