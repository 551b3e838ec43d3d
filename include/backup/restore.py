"""Restore a warehouse: beside the one that is there, verified, then in its place.

In: the folder of a backup and the address of a database on the server that shall hold
it. Out: that database with every row of the backup, its roles and grants. Whatever goes
wrong, the database is what it was before.
"""

import logging
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from include.access.roles import create_roles, name_roles, set_passwords
from include.audit import migrate, refuse_newer_warehouse
from include.backup.contents import Contents, read_contents
from include.backup.manifest import DUMP_NAME, Manifest, read_manifest
from include.backup.programs import run_program
from include.building.build_lock import build_lock
from include.errors import WarehouseError
from include.settings import Settings, connect, connect_to_server

log = logging.getLogger(__name__)


def restore_warehouse(settings: Settings, folder: Path, *, replace: bool) -> Manifest:
    """Put a backup into the database of the settings.

    Parameters
    ----------
    replace : drop the warehouse that is there; otherwise the database must be empty

    Returns what the backup says of itself.

    Raises WarehouseError when the backup is damaged, or of another key secret, other
    roles or newer code; when a warehouse is there or a build under way; when what was
    restored is not what was saved. Nothing is changed then.
    """
    manifest = read_manifest(folder)
    _check_settings(settings, manifest)
    target = str(conninfo_to_dict(settings.database_url)["dbname"])
    beside, before = f"{target}_restored", f"{target}_before_restore"
    _check_target(settings, target, replace=replace)
    url = make_conninfo(settings.database_url, dbname=beside)
    with connect_to_server(settings) as server:
        # What a restore that was killed left behind; of no use to anybody.
        for leftover in (beside, before):
            _drop_database(server, leftover)
        server.execute(sql.SQL("create database {}").format(sql.Identifier(beside)))
        try:
            _fill(settings, url, folder, manifest)
            _check_target(settings, target, replace=replace)
            _swap(server, target, beside, before)
        finally:
            _drop_database(server, beside)
    with connect(settings) as connection:
        migrate(connection, settings.role_prefix)
        set_passwords(connection, settings.read_passwords(), settings.key_secret)
    log.info("restored %s rows from %s", manifest.count_rows(), folder)
    return manifest


def _check_settings(settings: Settings, manifest: Manifest) -> None:
    if manifest.key_fingerprint not in (None, settings.fingerprint_key()):
        raise WarehouseError(
            "CX_KEY_SECRET is not the secret that the saved warehouse was built with, "
            "and nothing could be built on it: set that secret, then restore; nothing "
            "was changed."
        )
    if manifest.role_prefix != settings.role_prefix:
        raise WarehouseError(
            f"The roles of the saved warehouse begin with {manifest.role_prefix!r}, "
            f"not with {settings.role_prefix!r}: set CX_ROLE_PREFIX to that, then "
            "restore; nothing was changed."
        )
    refuse_newer_warehouse(manifest.migrations)


def _check_target(settings: Settings, target: str, *, replace: bool) -> None:
    """Raise WarehouseError when the database is not free to be replaced."""
    # A build or a publish at work refuses to let go of it.
    with connect(settings) as connection, build_lock(connection):
        row = connection.execute(
            "select count(*) from pg_class where relkind = 'r' and relnamespace in ("
            " select oid from pg_namespace where nspname <> 'information_schema'"
            " and not starts_with(nspname, 'pg_'))"
        ).fetchone()
    assert row is not None
    if row[0] and not replace:
        raise WarehouseError(
            f"The database {target} is not empty ({row[0]} tables): restore into an "
            "empty one, or say REPLACE=yes to drop what is there; nothing was changed."
        )


def _fill(settings: Settings, url: str, folder: Path, manifest: Manifest) -> None:
    """Restore the dump into an empty database, and hold it against the manifest."""
    with psycopg.connect(url) as connection:
        # They belong to the server, and its owner may have none of them yet.
        create_roles(connection, name_roles(settings.role_prefix))
    options = ["--exit-on-error", "--jobs=2", str(folder / DUMP_NAME)]
    run_program("pg_restore", options, url)
    with psycopg.connect(url) as connection:
        _compare(manifest.contents, read_contents(connection))
        # Rights of a database, and passwords, are the server's: to be given again.
        connection.execute(
            "delete from audit.settings"
            " where name = 'grants' or starts_with(name, 'password of ')"
        )
    with psycopg.connect(url, autocommit=True) as connection:
        # A dump carries neither statistics nor which pages everybody may see.
        connection.execute("vacuum (analyze)")


def _compare(saved: Contents, restored: Contents) -> None:
    differing = sorted(
        table
        for table in saved.keys() | restored.keys()
        if saved.get(table) != restored.get(table)
    )
    if differing:
        raise WarehouseError(
            f"What was restored is not what was saved: {len(differing)} tables differ, "
            f"the first is {differing[0]}; nothing was changed: take another backup."
        )


def _swap(server: psycopg.Connection, target: str, beside: str, before: str) -> None:
    """Let the restored database take the target's place, in one transaction."""
    with server.transaction():
        server.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where datname = any(%s)",
            [[target, beside]],
        )
        for old, new in ((target, before), (beside, target)):
            server.execute(
                sql.SQL("alter database {} rename to {}").format(
                    sql.Identifier(old), sql.Identifier(new)
                )
            )
    _drop_database(server, before)


def _drop_database(server: psycopg.Connection, name: str) -> None:
    server.execute(
        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    )
