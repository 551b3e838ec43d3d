"""PostgreSQL's own programs for dumps, run with the password out of sight.

In: a program's name and arguments, and the address of a database. Out: nothing, or the
program's own last words as an error.
"""

import os
import subprocess
from collections.abc import Sequence

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from include.embedded.postgres import find_programs
from include.errors import WarehouseError


def run_program(name: str, arguments: Sequence[str], database_url: str) -> None:
    """Run pg_dump or pg_restore on a database.

    Raises WarehouseError with what it said last.
    """
    parts = {name: str(part) for name, part in conninfo_to_dict(database_url).items()}
    # Everybody on this machine can read the arguments of a process.
    environment = os.environ | {"PGPASSWORD": parts.pop("password", "")}
    result = subprocess.run(
        [
            str(find_programs() / "bin" / name),
            *arguments,
            f"--dbname={make_conninfo('', **parts)}",
        ],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if "error:" in line]
        words = lines[0] if lines else result.stderr.strip()
        raise WarehouseError(
            f"{name} could not do its work ({words}): see that the server has room and "
            "that no build is under way, then run again."
        )
