"""What audit keeps of a load: its files, its counts, its drift, its status.

In: what the loader copied. Out: rows in audit.loads, audit.load_files and audit.drift.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import psycopg

from include.contracts import FeedContract
from include.loading.careful_path import RowCounts
from include.loading.file_copy import CopiedFile

log = logging.getLogger(__name__)

# In the order in which a repeated content is looked for.
REPEATABLE_STATUSES = ("accepted", "loaded", "held")

# An index entry has room for so many characters.
LONGEST_NAME = 500


@dataclass(frozen=True, slots=True)
class KnownLoad:
    """A load that may have the content that is in the landing zone now."""

    load_id: int
    status: str
    content_hash: str
    contract_hash: str
    counts: RowCounts
    names_and_sizes: list[tuple[str, int]]


def lock_feed(connection: psycopg.Connection, contract: FeedContract) -> None:
    """Wait until nobody else loads the feed; until the end of the transaction.

    Nor another instance's: they share the raw table, and the sequence of its rows.
    """
    key = "(hashtextextended('cx.load.' || %s, 0))"
    row = connection.execute(
        f"select pg_try_advisory_xact_lock{key}", [contract.raw_table]
    ).fetchone()
    if row is None or not row[0]:
        log.warning("%s waits until another run has loaded its night", contract.name)
        connection.execute(f"select pg_advisory_xact_lock{key}", [contract.raw_table])


def find_known_loads(
    connection: psycopg.Connection,
    feed: str,
    first: date,
    last: date,
    statuses: Sequence[str] = REPEATABLE_STATUSES,
) -> dict[date, list[KnownLoad]]:
    """Return the loads of a feed for first to last, inclusive, by batch date.

    Of a date they come in the order of `statuses` (the accepted one first), then the
    youngest first.
    """
    rows = connection.execute(
        "select batch_date, load_id, status, content_hash, contract_hash,"
        " rows_in_file, rows_loaded, rows_rejected, ("
        "   select jsonb_agg(jsonb_build_array(path, bytes) order by file_no)"
        "   from audit.load_files where load_files.load_id = loads.load_id"
        " ) from audit.loads as loads"
        " where feed = %s and batch_date between %s and %s and status = any(%s)"
        " order by array_position(%s, status), load_id desc",
        [feed, first, last, list(statuses), list(statuses)],
    ).fetchall()
    known: dict[date, list[KnownLoad]] = {}
    for batch_date, load_id, status, content_hash, contract_hash, *rest in rows:
        *counts, files = rest
        known.setdefault(batch_date, []).append(
            KnownLoad(
                *(load_id, status, content_hash, contract_hash),
                RowCounts(*counts),
                [(path, size) for path, size in files or []],
            )
        )
    return known


def begin_load(
    connection: psycopg.Connection,
    contract: FeedContract,
    batch_date: date,
    run_id: str,
) -> int:
    """Give a load its id; nobody sees it before the transaction commits."""
    row = connection.execute(
        "insert into audit.loads"
        " (feed, batch_date, content_hash, contract_hash, run_id)"
        " values (%s, %s, '', %s, %s) returning load_id",
        [contract.name, batch_date, contract.content_hash, run_id],
    ).fetchone()
    assert row is not None
    return int(row[0])


def finish_load(
    connection: psycopg.Connection, load_id: int, copied: Sequence[CopiedFile]
) -> RowCounts:
    """Write down the files, the drift and the sums of a load; return the sums."""
    counts = RowCounts(
        sum(done.counts.read for done in copied),
        sum(done.counts.loaded for done in copied),
        sum(done.counts.rejected for done in copied),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into audit.load_files (load_id, file_no, path, bytes, sha256,"
            " rows_in_file, rows_loaded, rows_rejected, reader, header,"
            " encodings, delimiter)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    *(load_id, done.file_no, done.file.path, done.bytes, done.sha256),
                    *(done.counts.read, done.counts.loaded, done.counts.rejected),
                    *(done.reader, done.header),
                    *(list(done.encodings), done.delimiter),
                )
                for done in copied
            ],
        )
        drift: Counter[str] = Counter()
        for done in copied:
            # Not a sum: that would lose the columns without any value.
            for name, rows in done.drift.items():
                drift[name[:LONGEST_NAME]] += rows
        cursor.executemany(
            "insert into audit.drift (load_id, column_name, rows) values (%s, %s, %s)",
            [(load_id, name, rows) for name, rows in drift.items()],
        )
    content_hash = hash_content((done.file.name, done.sha256) for done in copied)
    connection.execute(
        "update audit.loads set content_hash = %s, bytes = %s, rows_in_file = %s,"
        " rows_loaded = %s, rows_rejected = %s, loaded_at = clock_timestamp()"
        " where load_id = %s",
        [
            content_hash,
            sum(done.bytes for done in copied),
            *(counts.read, counts.loaded, counts.rejected),
            load_id,
        ],
    )
    return counts


def hash_content(names_and_hashes: Iterable[tuple[str, str]]) -> str:
    """Hash the content of a load: its files' names, their SHA-256, and their order."""
    text = json.dumps([list(pair) for pair in names_and_hashes], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def count_rejects_anew(connection: psycopg.Connection, load_id: int) -> None:
    """Count a load's rejects anew, file by file: what left them is in raw now."""
    connection.execute(
        "update audit.load_files as files set"
        " rows_rejected = counted.rejects,"
        " rows_loaded = files.rows_in_file - counted.rejects"
        " from (select files.file_no, count(rejects.reject_id) as rejects"
        "  from audit.load_files as files left join audit.rejects as rejects"
        "  on rejects.load_id = files.load_id and rejects.file_no = files.file_no"
        "  where files.load_id = %(load)s group by files.file_no) as counted"
        " where files.load_id = %(load)s and files.file_no = counted.file_no",
        {"load": load_id},
    )
    connection.execute(
        "update audit.loads set rows_loaded = counted.loaded,"
        " rows_rejected = counted.rejected, replayed_at = clock_timestamp()"
        " from (select sum(rows_loaded) as loaded, sum(rows_rejected) as rejected"
        "  from audit.load_files where load_id = %(load)s) as counted"
        " where load_id = %(load)s",
        {"load": load_id},
    )


def reopen_load(connection: psycopg.Connection, load_id: int) -> None:
    """Put a held load before gate 1 again."""
    connection.execute(
        "update audit.loads set status = 'loaded', held_reason = null,"
        " decided_at = null where load_id = %s",
        [load_id],
    )


def retire_undecided(
    connection: psycopg.Connection, feed: str, batch_date: date, load_id: int
) -> None:
    """Set aside undecided loads whose content is no longer in the landing zone.

    Otherwise gate 1 might put an older content in force after the newer one.
    """
    connection.execute(
        "update audit.loads set status = 'superseded', superseded_by = %s,"
        " decided_at = clock_timestamp()"
        " where feed = %s and batch_date = %s and status = 'loaded' and load_id <> %s",
        [load_id, feed, batch_date, load_id],
    )
