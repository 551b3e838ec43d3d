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

from include import by_hand, night
from include.backup.restore import restore_warehouse
from include.backup.save import save_warehouse
from include.errors import WarehouseError
from include.settings import Settings, connect_to_server, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one verb; return the exit code."""
    options = _build_parser().parse_args(arguments)
    verbs = {
        "prepare": _prepare,
        "backup": _back_up,
        "restore": _restore,
        "accept": _accept,
        "rollback": _roll_back,
    }
    try:
        for sentence in verbs[options.verb](read_settings(), options):
            print(sentence)
    except WarehouseError as error:
        print(f"{options.verb}: {error}", file=sys.stderr)
        return 1
    return 0


def _prepare(settings: Settings, options: argparse.Namespace) -> list[str]:
    night.prepare(settings)
    with connect_to_server(settings) as server:
        for name in options.database:
            present = server.execute(
                "select from pg_database where datname = %s", [name]
            ).fetchone()
            if present is None:
                server.execute(
                    sql.SQL("create database {}").format(sql.Identifier(name))
                )
    return ["The warehouse has its tables and roles."]


def _back_up(settings: Settings, options: argparse.Namespace) -> list[str]:
    folder, saved = save_warehouse(settings, options.to, settings.landing_url)
    return [f"{folder}: {saved.count_rows():,} rows"]


def _restore(settings: Settings, options: argparse.Namespace) -> list[str]:
    restored = restore_warehouse(settings, options.folder, replace=options.replace)
    return [restored.describe_restored()]


def _accept(settings: Settings, options: argparse.Namespace) -> list[str]:
    if options.build is not None:
        return by_hand.accept_build(settings, options.build)
    return by_hand.accept_load(settings, options.load)


def _roll_back(settings: Settings, options: argparse.Namespace) -> list[str]:
    return by_hand.roll_back(settings)


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
    accept = verbs.add_parser("accept", help="overrule a gate")
    overruled = accept.add_mutually_exclusive_group(required=True)
    overruled.add_argument("--load", type=int, help="put a held load in force")
    overruled.add_argument("--build", type=int, help="publish what gate 2 stops")
    verbs.add_parser("rollback", help="bring back the version published before")
    return parser


if __name__ == "__main__":
    sys.exit(main())
