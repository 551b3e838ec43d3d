"""Rejected rows of one load, read again from what is kept of them.

In: ``audit.rejects`` and the contract of today. Out: what can be read now is a raw row
of its load, with the file and row number that it had, and leaves a trace in
``audit.replayed_rejects``; what still cannot stays, with its reason of today.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import psycopg
from psycopg.rows import class_row

from include.contracts import FeedContract
from include.errors import WarehouseError
from include.loading.batches import Batch, Kept
from include.loading.careful_path import copy_batch
from include.loading.file_copy import CopyTarget, set_lineage
from include.loading.identities import number_rows
from include.loading.kept_readers import (
    RereadRow,
    StillRejected,
    find_kept_contract,
    read_kept,
)
from include.loading.load_records import count_rejects_anew
from include.loading.raw_tables import RawTable, ensure_raw_table
from include.loading.snapshots import create_incoming, store_snapshot

ROWS_AT_ONCE = 1_000
NOT_KEPT = "rejected before its bytes were kept: only the whole file can be read again"


@dataclass(frozen=True, slots=True)
class LoadReplay:
    """What became of a load's rejects: `remaining` counts those left, by reason.

    `replay_id` is the one of ``audit.replays``; None where no row can be read.
    """

    replay_id: int | None
    rows_read: int
    remaining: Counter[str]


@dataclass(frozen=True, slots=True)
class _Reject:
    reject_id: int
    file_no: int
    row_number: int
    reason: str
    raw_bytes: Kept | None
    path: str
    header: Kept | None
    batch_date: date
    encodings: list[str] | None


_Judged = tuple[_Reject, RereadRow | StillRejected]


def replay_load(
    connection: psycopg.Connection, contract: FeedContract, load_id: int, run_id: str
) -> LoadReplay:
    """Read a load's rejects again, in the caller's transaction.

    The caller holds the locks of gate 1 and of the feed, and lets the next build see
    what has changed.
    """
    ensure_raw_table(connection, contract)
    raw = RawTable(contract)
    table = create_incoming(connection, contract) if contract.is_snapshot else raw.table
    target = CopyTarget(load_id, table, raw.row_numbers)
    replay_id = _begin_replay(connection, contract, load_id, run_id)
    rows_read = 0
    remaining: Counter[str] = Counter()
    for part in _split(_read_again(contract, _fetch_rejects(connection, load_id))):
        read, left = _copy_part(connection, target, part)
        _note_read(connection, replay_id, load_id, read)
        _note_left(connection, left)
        if read:
            number_rows(connection, contract, load_id, read[0][0].file_no)
        rows_read += len(read)
        remaining.update(still.reason for _, still in left)
    if not rows_read:
        connection.execute(
            "delete from audit.replays where replay_id = %s", [replay_id]
        )
        return LoadReplay(None, 0, remaining)
    if contract.is_snapshot:
        stored = store_snapshot(connection, contract, table, rows_read)
        if stored != rows_read:
            raise WarehouseError(
                f"Load {load_id} of {contract.name}: {rows_read} rejected rows were"
                f" read and {stored} stored in the snapshot: nothing was changed;"
                " report this defect."
            )
    count_rejects_anew(connection, load_id)
    connection.execute(
        "update audit.replays set rows_read = %s where replay_id = %s",
        [rows_read, replay_id],
    )
    return LoadReplay(replay_id, rows_read, remaining)


def _begin_replay(
    connection: psycopg.Connection, contract: FeedContract, load_id: int, run_id: str
) -> int:
    row = connection.execute(
        "insert into audit.replays"
        " (load_id, run_id, contract_hash_before, contract_hash_after)"
        " select load_id, %s, contract_hash, %s from audit.loads where load_id = %s"
        " returning replay_id",
        [run_id, contract.content_hash, load_id],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _fetch_rejects(connection: psycopg.Connection, load_id: int) -> Iterator[_Reject]:
    """Fetch a load's rejects in the order of its files, some at a time."""
    with connection.cursor("rejects", row_factory=class_row(_Reject)) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        yield from cursor.execute(
            "select reject_id, file_no, row_number, reason, raw_bytes, path, header,"
            " batch_date, encodings"
            " from audit.rejects join audit.load_files using (load_id, file_no)"
            " join audit.loads using (load_id)"
            " where load_id = %s order by file_no, row_number",
            [load_id],
        )


def _read_again(
    contract: FeedContract, rejects: Iterable[_Reject]
) -> Iterator[_Judged]:
    """Read each reject, knowing what a malformed one before it leaves behind."""
    before: _Reject | None = None
    is_after_malformed = False
    for reject in rejects:
        follows = before is not None and (
            (before.file_no, before.row_number + 1)
            == (reject.file_no, reject.row_number)
        )
        is_after_malformed = is_after_malformed and follows
        result: RereadRow | StillRejected = StillRejected(NOT_KEPT)
        if reject.raw_bytes is not None:
            of_file = find_kept_contract(
                contract, reject.path, reject.batch_date, reject.encodings
            )
            result = read_kept(
                *(of_file, reject.header, reject.raw_bytes, reject.row_number),
                is_after_malformed=is_after_malformed,
            )
        yield reject, result
        before = reject
        is_after_malformed = isinstance(result, StillRejected) and (
            is_after_malformed or result.is_malformed
        )


def _split(judged: Iterable[_Judged]) -> Iterator[list[_Judged]]:
    """Split into parts of one file each, small enough for memory."""
    for _, of_file in groupby(judged, lambda pair: pair[0].file_no):
        part: list[_Judged] = []
        for pair in of_file:
            part.append(pair)
            if len(part) == ROWS_AT_ONCE:
                yield part
                part = []
        if part:
            yield part


def _copy_part(
    connection: psycopg.Connection, target: CopyTarget, part: Sequence[_Judged]
) -> tuple[list[tuple[_Reject, RereadRow]], list[tuple[_Reject, StillRejected]]]:
    """Copy what can be read; return what is stored, and what is left."""
    readable = [(kept, row) for kept, row in part if isinstance(row, RereadRow)]
    left = [(kept, still) for kept, still in part if isinstance(still, StillRejected)]
    if not readable:
        return [], left
    first, example = readable[0]
    set_lineage(connection, target, first.path.rpartition("/")[2], first.file_no)
    batch = Batch(
        [reread.row for _, reread in readable],
        [reread.source for _, reread in readable],
    )
    _, rejects = copy_batch(connection, target.table, example.file, batch)
    refused = {reject.row_number: reject.reason for reject in rejects}
    left += [
        (kept, StillRejected(refused[kept.row_number]))
        for kept, _ in readable
        if kept.row_number in refused
    ]
    return [pair for pair in readable if pair[0].row_number not in refused], left


def _note_read(
    connection: psycopg.Connection,
    replay_id: int,
    load_id: int,
    read: Sequence[tuple[_Reject, RereadRow]],
) -> None:
    """Let the rejects go that are raw rows now, and leave their trace."""
    connection.execute(
        "with gone as (delete from audit.rejects where reject_id = any(%s) returning *)"
        " insert into audit.replayed_rejects"
        " (replay_id, load_id, file_no, row_number, reason)"
        " select %s, load_id, file_no, row_number, reason from gone",
        [[kept.reject_id for kept, _ in read], replay_id],
    )
    drift: Counter[str] = Counter()
    for _, reread in read:
        # Not a sum: that would lose the columns without any value.
        drift.update(reread.file.drift)
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into audit.drift as known (load_id, column_name, rows)"
            " values (%s, %s, %s) on conflict (load_id, column_name)"
            " do update set rows = known.rows + excluded.rows",
            [(load_id, name, rows) for name, rows in drift.items()],
        )


def _note_left(
    connection: psycopg.Connection, left: Sequence[tuple[_Reject, StillRejected]]
) -> None:
    """Write down why rows cannot be read today, where that is another reason."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "update audit.rejects set reason = %s where reject_id = %s",
            [
                (still.reason, kept.reject_id)
                for kept, still in left
                if kept.raw_bytes is not None and still.reason != kept.reason
            ],
        )
