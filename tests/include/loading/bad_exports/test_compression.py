"""Compressed exports: half transferred, of another kind, and bombs."""

import gzip
import io
import lzma
import multiprocessing
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pyarrow
import pytest

from tests.include.loading.bad_exports.bad_night import GOOD, BadExport, BadNight
from tests.include.loading.bad_exports.peak_memory import load_and_measure
from tests.include.loading.bad_exports.test_sheets import HEAD, make_book

CSV = GOOD.encode()
UNREADABLE = "the file cannot be read to its end ("
BOMB = "it unpacks to more than 200 times its size, which no export does ("
# A decoded record of 4 million characters is the most expensive of all.
MOST_MEGABYTES = 320


def zip_files(*files: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def zstd(content: bytes) -> bytes:
    return bytes(pyarrow.Codec("zstd").compress(content, asbytes=True))


def set_bytes(content: bytes, changes: dict[int, bytes]) -> bytes:
    changed = bytearray(content)
    for place, piece in changes.items():
        changed[place : place + len(piece)] = piece
    return bytes(changed)


def claim_memory(content: bytes) -> bytes:
    """Let an .xz file say that its reader needs 1.5 GiB."""
    header_end = 12 + (content[12] + 1) * 4 - 4
    changed = set_bytes(content, {16: b"\x25"})
    check = zlib.crc32(changed[12:header_end]).to_bytes(4, "little")
    return set_bytes(changed, {header_end: check})


ZIPPED = zip_files(("orders.csv", CSV))
DIRECTORY = ZIPPED.find(b"PK\x01\x02")
HIDDEN = ("__MACOSX/._orders.csv", b"x")

CASES = [
    BadExport(
        "gz cut short", gzip.compress(CSV * 99)[:-9], "a.csv.gz", refused=UNREADABLE
    ),
    BadExport("xz cut short", lzma.compress(CSV)[:-9], "a.csv.xz", refused=UNREADABLE),
    BadExport("zst cut short", zstd(CSV * 99)[:-9], "a.csv.zst", refused=UNREADABLE),
    BadExport("zip cut short", ZIPPED[:-30], "a.csv.zip", refused=UNREADABLE),
    *(
        BadExport(f"CSV called {name}", CSV, name, refused=UNREADABLE)
        for name in ("a.csv.gz", "a.csv.xz", "a.csv.zst", "a.csv.zip")
    ),
    BadExport("zip called gz", ZIPPED, "a.csv.gz", refused=UNREADABLE),
    BadExport(
        "a wrong checksum in gz",
        set_bytes(gzip.compress(CSV), {-8: b"abcd"}),
        "a.csv.gz",
        refused="CRC check failed",
    ),
    BadExport(
        "a wrong checksum in zip",
        set_bytes(ZIPPED, {DIRECTORY + 16: b"abcd", 14: b"abcd"}),
        "a.csv.zip",
        refused="Bad CRC-32",
    ),
    *(
        BadExport(
            f"text after the end of {name}", data + b"x" * 9, name, refused=UNREADABLE
        )
        for name, data in {
            "a.csv.gz": gzip.compress(CSV),
            "a.csv.xz": lzma.compress(CSV),
            "a.csv.zst": zstd(CSV),
        }.items()
    ),
    BadExport("gz of nothing", gzip.compress(b""), "a.csv.gz", refused="is empty"),
    BadExport(
        "a zip of two exports",
        zip_files(("a.csv", CSV), ("b.csv", CSV)),
        "a.csv.zip",
        refused="the archive holds 2 files where one is expected; put each file into",
    ),
    BadExport(
        "a zip of nothing",
        zip_files(),
        "a.csv.zip",
        refused="the archive holds 0 files",
    ),
    BadExport(
        "a zip with a password",
        set_bytes(ZIPPED, {6: b"\1", DIRECTORY + 8: b"\1"}),
        "a.csv.zip",
        refused="protected by a password",
    ),
    BadExport(
        "a zip packed in a way of its own",
        set_bytes(ZIPPED, {8: b"\x63", DIRECTORY + 10: b"\x63"}),
        "a.csv.zip",
        refused="That compression method is not supported",
    ),
    BadExport(
        "a zip in a zip",
        zip_files(("a.csv", ZIPPED)),
        "a.csv.zip",
        refused="the header is not utf-8 text",
    ),
    BadExport("gz called CSV", gzip.compress(CSV), refused="header is not utf-8 text"),
    BadExport(
        "gz in two parts",
        gzip.compress(CSV[:20]) + gzip.compress(CSV[20:]),
        "a.csv.gz",
        loaded=("1", "2"),
    ),
    BadExport(
        "xz in two parts with zeros between and after",
        lzma.compress(CSV[:20]) + bytes(8) + lzma.compress(CSV[20:]) + bytes(4),
        "a.csv.xz",
        loaded=("1", "2"),
    ),
    BadExport(
        "zst in two parts",
        zstd(CSV[:20]) + zstd(CSV[20:]),
        "a.csv.zst",
        loaded=("1", "2"),
    ),
    BadExport(
        "a zip with what a Mac adds",
        zip_files(("orders/", b""), ("orders/orders.csv", CSV), HIDDEN),
        "a.csv.zip",
        loaded=("1", "2"),
    ),
    BadExport(
        "a zip whose file wants to go elsewhere",
        zip_files(("../../../etc/orders.csv", CSV)),
        "a.csv.zip",
        refused="a path that leads out of it",
    ),
    BadExport(
        "a suffix in capitals", gzip.compress(CSV), "A.CSV.GZ", loaded=("1", "2")
    ),
]

# Pieces of four megabytes, packed once and repeated: 800 megabytes in each bomb.
PIECES = 200
ROWS = (b"1," + b"x" * 8_000 + b",\n") * 500
LINE = b"x" * 4_000_000
LAST_CELL = '<row><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row>'
PAGES = {"format": "json", "record_path": "orders", "storage": "record"}
SHEETS = {"format": "xlsx"}
BOMBS = [
    BadExport(
        "a bomb of rows in gz",
        lambda folder: _write(
            folder, "a.csv.gz", gzip.compress(CSV) + gzip.compress(ROWS) * PIECES
        ),
        refused=BOMB,
    ),
    BadExport(
        "a bomb of rows in xz",
        lambda folder: _write(
            folder, "a.csv.xz", lzma.compress(CSV) + lzma.compress(ROWS) * PIECES
        ),
        refused=BOMB,
    ),
    BadExport(
        "a bomb of rows in zst",
        lambda folder: _write(folder, "a.csv.zst", zstd(CSV) + zstd(ROWS) * PIECES),
        refused=BOMB,
    ),
    BadExport(
        "a bomb of rows in zip",
        lambda folder: _write(
            folder, "a.csv.zip", zip_files(("a.csv", CSV + ROWS * 20))
        ),
        refused=BOMB,
    ),
    BadExport(
        "an xz that claims all memory",
        lambda folder: _write(folder, "a.csv.xz", claim_memory(lzma.compress(CSV))),
        refused="Memory usage limit",
    ),
    BadExport(
        "one line without end",
        lambda folder: _write(folder, "a.csv.gz", gzip.compress(LINE) * PIECES),
        refused="a line is longer than 32 million characters",
    ),
    BadExport(
        "one record without end",
        lambda folder: _write(
            folder,
            "a.json.gz",
            gzip.compress(b'{"orders": [{"id": [')
            + gzip.compress(b"[],{}," * 700_000) * PIECES,
        ),
        declared=PAGES,
        refused="a record has no end",
    ),
    BadExport(
        "a sheet of eighty megabytes",
        lambda folder: _write(
            folder, "a.xlsx", make_book(HEAD + "<row/>" * 14_000_000)
        ),
        declared=SHEETS,
        refused=BOMB,
    ),
    BadExport(
        "strings of eighty megabytes",
        lambda folder: _write(
            folder, "a.xlsx", make_book(HEAD, strings="<sst>" + "<si/>" * 16_000_000)
        ),
        declared=SHEETS,
        refused=BOMB,
    ),
    BadExport(
        "six hundred rows that reach to the last column",
        lambda folder: _write(folder, "a.xlsx", make_book(HEAD + LAST_CELL * 600)),
        declared=SHEETS,
        rejected=dict.fromkeys(range(1, 601), "16384 fields where the header has 2"),
    ),
]


def _write(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)


@pytest.fixture(scope="module")
def fresh_processes() -> Iterator[ProcessPoolExecutor]:
    """Processes that each do one thing, so that the peak of one is not another's."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([load_and_measure.__module__])
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        yield pool


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_a_compressed_file_is_read_whole_or_refused(
    bad_night: BadNight, bad: BadExport
) -> None:
    bad_night.check(bad)


@pytest.mark.parametrize("bomb", BOMBS, ids=str)
def test_what_unpacks_to_very_much_stays_within_bounded_memory(
    bad_night: BadNight, bomb: BadExport, fresh_processes: ProcessPoolExecutor
) -> None:
    grown = bad_night.check(bomb, elsewhere=fresh_processes)
    assert grown < MOST_MEGABYTES
