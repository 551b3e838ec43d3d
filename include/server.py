"""`python -m include.server <verb>`: what is done on one server, in a container.

In: a verb, and the settings from the environment, as the tasks see them. Out: lines for
a person, and an exit code: 0 when all went well, 1 with one clear sentence. A clone has
`make` for the same.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from psycopg import sql

from include.backup.restore import restore_warehouse
from include.backup.save import save_warehouse
from include.errors import WarehouseError
from include.settings import Settings, connect_to_server, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one verb; return the exit code."""
    options = _build_parser().parse_args(arguments)
    try:
        settings = read_settings()
        if options.verb == "prepare":
            _prepare(settings, options.database)
            print("The warehouse has its tables and roles.")
        elif options.verb == "backup":
            folder, saved = save_warehouse(settings, options.to, settings.landing_url)
            print(f"{folder}: {saved.count_rows():,} rows")
        else:
            restored = restore_warehouse(
                settings, options.folder, replace=options.replace
            )
            print(
                f"The warehouse is that of {restored.saved_at}: "
                f"{restored.count_rows():,} rows, each as it was saved."
            )
    except WarehouseError as error:
        print(f"{options.verb}: {error}", file=sys.stderr)
        return 1
    return 0


def _prepare(settings: Settings, databases: Sequence[str]) -> None:
    from include.night import prepare

    prepare(settings)
    with connect_to_server(settings) as server:
        for name in databases:
            present = server.execute(
                "select from pg_database where datname = %s", [name]
            ).fetchone()
            if present is None:
                server.execute(
                    sql.SQL("create database {}").format(sql.Identifier(name))
                )


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.server")
    verbs = parser.add_subparsers(dest="verb", required=True)
    prepare = verbs.add_parser("prepare", help="bring tables and roles up to the code")
    prepare.add_argument(
        "--database", action="append", default=[], help="another one to make if missing"
    )
    backup = verbs.add_parser("backup", help="save the warehouse")
    backup.add_argument("--to", type=Path, default=Path("/backups"))
    restore = verbs.add_parser("restore", help="bring a saved warehouse back")
    restore.add_argument("folder", type=Path)
    restore.add_argument("--replace", action="store_true", help="drop what is there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
