"""What stands beside a dump: what it is of, and what must be in it.

In: the folder of a backup. Out: `Manifest`, read and checked. A folder without one is
no backup: it is written last.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from include.backup.contents import Contents
from include.errors import WarehouseError

DUMP_NAME = "warehouse.dump"
MANIFEST_NAME = "backup.json"
BLOCK = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """One backup.

    saved_at : ISO 8601, UTC
    dump_sha256 : of the dump beside it
    key_fingerprint : of the secret that its customer keys were made with; None before
        the first build
    role_prefix : what the names of its roles begin with
    migrations : those that it has seen
    landing_url : where its exports came from; None for a sample company
    contents : rows and hash of each table
    """

    saved_at: str
    dump_sha256: str
    key_fingerprint: str | None
    role_prefix: str
    migrations: list[str]
    landing_url: str | None
    contents: Contents

    def write(self, folder: Path) -> None:
        """Write it into the folder of its backup."""
        text = json.dumps(asdict(self), indent=1)
        (folder / MANIFEST_NAME).write_text(text + "\n")

    def count_rows(self) -> int:
        """Return the rows of all tables."""
        return sum(rows for rows, _ in self.contents.values())

    def describe_restored(self) -> str:
        """Say, after a restore, what the warehouse now is."""
        return (
            f"The warehouse is that of {self.saved_at}: {self.count_rows():,} rows, "
            "each as it was saved."
        )


def read_manifest(folder: Path) -> Manifest:
    """Read what a backup says of itself, and check that its dump is as it was written.

    Raises WarehouseError when the folder is no backup, or its dump was changed.
    """
    try:
        values = json.loads((folder / MANIFEST_NAME).read_text())
        values["contents"] = {
            table: (rows, digest)
            for table, (rows, digest) in values["contents"].items()
        }
        manifest = Manifest(**values)
        digest = hash_file(folder / DUMP_NAME)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WarehouseError(
            f"{folder} is no backup ({error}): give the folder that holds "
            f"{DUMP_NAME} and {MANIFEST_NAME}."
        ) from error
    if digest != manifest.dump_sha256:
        raise WarehouseError(
            f"{folder / DUMP_NAME} is not what was saved: its copy is damaged or cut "
            "off; copy it again, or take another backup."
        )
    return manifest


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
