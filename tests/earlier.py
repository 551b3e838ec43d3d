"""The warehouse that earlier code made (`tests/earlier_warehouse`), brought back."""

import lzma
import shutil
import tarfile
from datetime import date
from pathlib import Path

from include.backup.programs import run_program
from include.settings import Settings
from tests.nights import fetch

FOLDER = Path(__file__).with_name("earlier_warehouse")
FIRST, LAST = date(2026, 11, 13), date(2026, 11, 18)
# Its exports are there, and not loaded.
NEXT = date(2026, 11, 19)

# What the earlier code kept, in columns that there were then.
_KEPT = {
    "loads": "select load_id, feed, batch_date, status, content_hash, rows_in_file,"
    " rows_loaded, rows_rejected, run_id, superseded_by, loaded_at from audit.loads",
    "files": "select load_id, file_no, path, sha256, rows_loaded from audit.load_files",
    "rejects": "select reject_id, load_id, row_number, reason, raw_text"
    " from audit.rejects",
    "publishes": "select publish_id, run_id, build_id, rows_deleted, rows_inserted,"
    " published_at from audit.publishes",
    "restatements": "select publish_id, model, change, row_image"
    " from audit.published_changes",
    "contacts": "select _load_id, _row_number, record_id, email"
    " from raw_hubspot.contacts",
}


def restore_earlier(url: str, scratch: Path) -> None:
    """Fill an empty database with the warehouse."""
    dump = scratch / "warehouse.dump"
    with lzma.open(FOLDER / "warehouse.dump.xz") as packed, dump.open("wb") as file:
        shutil.copyfileobj(packed, file)
    run_program("pg_restore", ["--exit-on-error", str(dump)], url)


def unpack_exports(folder: Path) -> Path:
    """Unpack the exports below a folder; return the landing folder."""
    with tarfile.open(FOLDER / "landing.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "landing"


def read_kept(settings: Settings) -> dict[str, set[tuple]]:
    """What a warehouse keeps of what the earlier code kept, by what it is."""
    return {
        name: {tuple(map(str, row)) for row in fetch(settings, query)}
        for name, query in _KEPT.items()
    }
