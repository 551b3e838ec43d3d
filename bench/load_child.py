"""One measured load in a process of its own, so that its peak memory is its own.

In: `python -m bench.load_child <kind> <database url> <landing> <feed> <format> <date>`.
Out: one JSON line: rows, bytes, seconds (without the start of Python), peak_mb, and the
seconds in which the raw tables were prepared before.
"""

import json
import resource
import sys
import time
from datetime import date
from pathlib import Path

import psycopg
import pyarrow
from psycopg import sql

from bench.files import BATCH_DATE, COLUMNS, make_contract
from include.loading.landing import LandedFile, Landing
from include.loading.loader import load_feed
from include.loading.raw_tables import create_raw_tables

CHUNK_BYTES = 1 << 20


def main() -> None:
    """Run one load and print its figures."""
    kind, url, landing_folder, feed, file_format, batch_date = sys.argv[1:]
    prepare_seconds = 0.0
    with psycopg.connect(url) as connection:
        if kind == "bare":
            rows, size, seconds = copy_bare(connection, Path(landing_folder), feed)
        else:
            repeats = int(kind.removeprefix("loader_x")) if "_x" in kind else 1
            landing = RepeatedLanding(landing_folder, repeats)
            contract = make_contract(file_format, feed)
            # As a night does; and as the yardstick's table is: made before, so that its
            # rows are written to the log.
            started = time.perf_counter()
            create_raw_tables(connection, [contract])
            prepare_seconds = time.perf_counter() - started
            started = time.perf_counter()
            result = load_feed(
                connection, landing, contract, date.fromisoformat(batch_date), "bench"
            )
            seconds = time.perf_counter() - started
            assert result is not None
            rows, size = result.rows_loaded, result.bytes
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"rows": rows, "bytes": size, "seconds": seconds, "peak_mb": peak_mb}
    print(json.dumps({**figures, "prepare_seconds": prepare_seconds}))


def copy_bare(
    connection: psycopg.Connection, landing_folder: Path, feed: str
) -> tuple[int, int, float]:
    """Copy the file into a plain table, with nothing else: the yardstick."""
    path = landing_folder / "bench" / feed / str(BATCH_DATE) / "tickets.csv"
    statement = sql.SQL("copy public.bare ({}) from stdin with (format csv, header)")
    columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    started = time.perf_counter()
    with connection.cursor() as cursor:
        with path.open("rb") as file, cursor.copy(statement.format(columns)) as copy:
            while chunk := file.read(CHUNK_BYTES):
                copy.write(chunk)
        rows = cursor.rowcount
    connection.commit()
    return rows, path.stat().st_size, time.perf_counter() - started


class RepeatedLanding(Landing):
    """A landing zone whose CSV files are as long as one `times` over."""

    def __init__(self, url: str, times: int) -> None:
        super().__init__(url)
        self._times = times

    def open(self, file: LandedFile) -> "pyarrow.NativeFile | RepeatedFile":
        """Open a file, repeated without its header."""
        if self._times == 1:
            return super().open(file)
        return RepeatedFile(super().open, file, self._times)


class RepeatedFile:
    """Reads a file with a one-line header several times over."""

    def __init__(self, open_file, file: LandedFile, times: int) -> None:  # type: ignore[no-untyped-def]
        self._open = lambda: open_file(file)
        self._source = self._open()
        self._left = times - 1

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        data: bytes = self._source.read(size)
        if not data and self._left:
            self._left -= 1
            self._source.close()
            self._source = self._open()
            header_bytes = len(",".join(COLUMNS)) + 1
            self._source.read(header_bytes)
            data = self._source.read(size)
        return data


if __name__ == "__main__":
    main()
