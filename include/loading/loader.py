"""The loader: all files of one feed for one batch date become one load.

In: a landing zone, a contract, a batch date. Out: rows in the feed's raw table, one row
in audit.loads with status `loaded`, and its files, rejects and drift beside it; all in
one transaction. What is in force changes only when gate 1 accepts the load.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Literal

import psycopg

from include.contracts import FeedContract
from include.errors import ExportError, MissingExportError, WarehouseError
from include.loading.careful_path import RowCounts
from include.loading.file_content import FileProblem
from include.loading.file_copy import (
    CopiedFile,
    CopyTarget,
    Reader,
    copy_file,
    hash_file,
)
from include.loading.identities import number_rows
from include.loading.landing import LandedFile, Landing
from include.loading.load_records import (
    KnownLoad,
    begin_load,
    find_known_loads,
    finish_load,
    hash_content,
    lock_feed,
    reopen_load,
    retire_undecided,
)
from include.loading.raw_tables import RawTable, ensure_raw_table
from include.loading.snapshots import create_incoming, store_snapshot

log = logging.getLogger(__name__)

Outcome = Literal["loaded", "unchanged", "recheck"]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What became of a feed's files.

    `outcome`: "loaded" wrote a new load; "unchanged" found the content that is in
    force; "recheck" found that of an undecided or held load, which gate 1 is to look at
    again.
    """

    load_id: int
    feed: str
    batch_date: date
    outcome: Outcome
    rows_in_file: int
    rows_loaded: int
    rows_rejected: int
    bytes: int
    seconds: float


def load_feed(
    connection: psycopg.Connection,
    landing: Landing,
    contract: FeedContract,
    batch_date: date,
    run_id: str,
    reader: Reader = "fast",
) -> LoadResult | None:
    """Load what a feed sent for a batch date, in one transaction.

    Returns None when an optional feed sent nothing. Raises MissingExportError when a
    required one did, ExportError (feed, file, row, what to do) for files that cannot be
    read, and leaves the database as it was.
    """
    started = time.monotonic()
    files = landing.list_files(contract, batch_date)
    if not files:
        if not contract.required:
            return None
        raise MissingExportError(
            contract.name,
            batch_date,
            f"no file has arrived in {contract.source}/{contract.feed}/{batch_date}",
            "ask the source for it, then run this night again",
        )
    outcome: Outcome = "loaded"
    with _blame_database(connection, contract, batch_date), connection.transaction():
        lock_feed(connection, contract)
        ensure_raw_table(connection, contract)
        known = find_known_loads(connection, contract.name, batch_date, batch_date)
        same = find_same_load(
            landing, contract, batch_date, files, known.get(batch_date, [])
        )
        if same is None:
            load_id = begin_load(connection, contract, batch_date, run_id)
            copied = _copy_files(
                connection, landing, contract, batch_date, load_id, files, reader
            )
            counts = finish_load(connection, load_id, copied)
        else:
            load_id, counts = same.load_id, same.counts
            outcome = "unchanged" if same.status == "accepted" else "recheck"
            if same.status == "held":
                reopen_load(connection, load_id)
        retire_undecided(connection, contract.name, batch_date, load_id)
    result = LoadResult(
        load_id,
        contract.name,
        batch_date,
        outcome,
        rows_in_file=counts.read,
        rows_loaded=counts.loaded,
        rows_rejected=counts.rejected,
        bytes=sum(file.bytes for file in files),
        seconds=time.monotonic() - started,
    )
    log.info(
        "%s of %s %s: %d rows in %d files, %d rejected, %.2f s",
        *(contract.name, batch_date, outcome, result.rows_in_file, len(files)),
        *(result.rows_rejected, result.seconds),
    )
    return result


def find_same_load(
    landing: Landing,
    contract: FeedContract,
    batch_date: date,
    files: Sequence[LandedFile],
    known: Sequence[KnownLoad],
) -> KnownLoad | None:
    """Find the first of the known loads that has the content of these files, if any.

    Files are read for that only when a load under this contract has the same names and
    sizes. Raises ExportError when one cannot be read.
    """
    names_and_sizes = [(file.path, file.bytes) for file in files]
    candidates = [
        load
        for load in known
        if load.contract_hash == contract.content_hash
        and load.names_and_sizes == names_and_sizes
    ]
    if not candidates:
        return None
    hashes = []
    for file in files:
        with _blame(contract, batch_date, file):
            hashes.append((file.name, hash_file(landing, file)))
    content_hash = hash_content(hashes)
    same = [load for load in candidates if load.content_hash == content_hash]
    return same[0] if same else None


def _copy_files(
    connection: psycopg.Connection,
    landing: Landing,
    contract: FeedContract,
    batch_date: date,
    load_id: int,
    files: Sequence[LandedFile],
    reader: Reader,
) -> list[CopiedFile]:
    """Copy all files of a load.

    Raises ExportError, and WarehouseError when a row was lost on the way.
    """
    raw = RawTable(contract)
    dated = contract.on(batch_date)
    table = create_incoming(connection, contract) if contract.is_snapshot else raw.table
    target = CopyTarget(load_id, table, raw.row_numbers)
    copied = []
    for file_no, file in enumerate(files, start=1):
        with _blame(contract, batch_date, file):
            if file.bytes == 0:
                raise FileProblem("the file is empty", "export it again")
            done = copy_file(connection, landing, dated, target, file, file_no, reader)
        _check_counts(contract, file, done.counts)
        number_rows(connection, contract, load_id, file_no)
        copied.append(done)
    if contract.is_snapshot:
        rows = sum(done.counts.loaded for done in copied)
        stored = store_snapshot(connection, contract, table, rows)
        if stored != rows:
            raise WarehouseError(
                f"{contract.name} of {batch_date}: {rows} rows were read and {stored} "
                "stored in the snapshot: nothing was loaded; report this defect."
            )
    return copied


def _check_counts(contract: FeedContract, file: LandedFile, counts: RowCounts) -> None:
    if counts.read != counts.loaded + counts.rejected:
        raise WarehouseError(
            f"{contract.name}, file {file.path}: {counts.read} rows were counted in "
            f"the file, but {counts.loaded} loaded and {counts.rejected} rejected: "
            "nothing was loaded; report this defect."
        )


@contextmanager
def _blame_database(
    connection: psycopg.Connection, contract: FeedContract, batch_date: date
) -> Iterator[None]:
    """Say what the server lacks: room, memory, time. A broken connection is raised."""
    try:
        yield
    except psycopg.OperationalError as error:
        if connection.closed:
            raise
        lacks_room = (error.sqlstate or "").startswith(("53", "58"))
        raise ExportError(
            contract.name,
            batch_date,
            f"the database could not store it ({error.diag.message_primary})",
            "nothing of it was loaded: "
            + ("free disk space or memory on its server, then " if lacks_room else "")
            + "run this night again",
        ) from error


@contextmanager
def _blame(
    contract: FeedContract, batch_date: date, file: LandedFile
) -> Iterator[None]:
    """Say which feed, date and file a problem belongs to."""
    try:
        yield
    except FileProblem as problem:
        raise ExportError(
            contract.name,
            batch_date,
            problem.reason,
            problem.remedy,
            file=file.path,
            row=problem.row,
        ) from problem
