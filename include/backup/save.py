"""Save a warehouse: one dump, and beside it what must be in it.

In: a warehouse, at work or not. Out: a folder with the dump and its manifest, both of
one snapshot: what was committed then is in it, whole. Of a build under way it holds
what a crash would leave, and the first build after a restore takes that up.
"""

import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from include.backup.contents import read_contents
from include.backup.manifest import DUMP_NAME, Manifest, hash_file
from include.backup.programs import run_program
from include.errors import WarehouseError
from include.settings import Settings, connect

log = logging.getLogger(__name__)


def save_warehouse(
    settings: Settings, parent: Path, landing_url: str | None
) -> tuple[Path, Manifest]:
    """Write a backup into a new folder below `parent`, named after the moment.

    Parameters
    ----------
    landing_url : where the exports come from, remembered for who restores it; None for
        a sample company

    Returns the folder, and the manifest in it.

    Raises WarehouseError when there is no warehouse, or pg_dump could not finish; then
    no folder is left.
    """
    now = datetime.now(UTC)
    folder = parent / f"warehouse-{now:%Y-%m-%dT%H%M%SZ}"
    # What is cut short never looks like a backup.
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise WarehouseError(
            f"The backup cannot be written to {parent} ({error.strerror}): give a "
            "folder that can be written to."
        ) from error
    try:
        with connect(settings) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            _check_that_warehouse_is_there(connection)
            row = connection.execute("select pg_export_snapshot()").fetchone()
            assert row is not None
            run_program(
                "pg_dump",
                [
                    "--format=custom",
                    f"--snapshot={row[0]}",
                    f"--file={partial / DUMP_NAME}",
                ],
                settings.database_url,
            )
            manifest = Manifest(
                saved_at=now.isoformat(timespec="seconds"),
                dump_sha256=hash_file(partial / DUMP_NAME),
                key_fingerprint=_read_key_fingerprint(connection),
                role_prefix=settings.role_prefix,
                migrations=_list_migrations(connection),
                landing_url=landing_url,
                contents=read_contents(connection),
            )
        manifest.write(partial)
        partial.chmod(0o700)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    log.info("saved %s rows in %s", manifest.count_rows(), folder)
    return folder, manifest


def _check_that_warehouse_is_there(connection: psycopg.Connection) -> None:
    row = connection.execute("select to_regclass('audit.migrations')").fetchone()
    if row is None or row[0] is None:
        raise WarehouseError(
            f"The database {connection.info.dbname} holds no warehouse yet: run a "
            "night first, then save it."
        )


def _read_key_fingerprint(connection: psycopg.Connection) -> str | None:
    row = connection.execute(
        "select value from audit.settings where name = 'key_fingerprint'"
    ).fetchone()
    return None if row is None else str(row[0])


def _list_migrations(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute("select name from audit.migrations order by name")
    return [name for (name,) in rows.fetchall()]
