"""The audit schema: versioned migrations, and the status of every load.

In: an open connection to the warehouse. Out: rows in ``audit.*``; the SQL of the
schema itself lies in ``include/migrations``, one file per step, each run once.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import psycopg

from include.access.roles import grant_roles
from include.building.error_words import remove_values
from include.errors import MissingExportError, WarehouseError

log = logging.getLogger(__name__)

MIGRATIONS_FOLDER = Path(__file__).parent / "migrations"


def migrate(connection: psycopg.Connection, role_prefix: str = "") -> list[str]:
    """Run the migrations that this warehouse has not seen yet, in order, and grant the
    roles what they may do.

    All of it in one transaction under a lock, so that two processes that start at once
    do not run one twice, and one that fails leaves nothing behind.

    Parameters
    ----------
    connection : of the login that owns the warehouse
    role_prefix : what the names of its roles begin with

    Returns:
        The names of the migrations that ran, e.g. ``["001_audit"]``.

    Raises WarehouseError, and changes nothing, when a migration fails, or when newer
    code has run others.
    """
    applied: list[str] = []
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('cx.migrate'))")
        connection.execute("create schema if not exists audit")
        connection.execute(
            "create table if not exists audit.migrations (name text primary key,"
            " applied_at timestamptz not null default clock_timestamp())"
        )
        rows = connection.execute("select name from audit.migrations").fetchall()
        seen = {row[0] for row in rows}
        refuse_newer_warehouse(seen)
        for path in sorted(MIGRATIONS_FOLDER.glob("*.sql")):
            if path.stem not in seen:
                _run_migration(connection, path)
                applied.append(path.stem)
        grant_roles(connection, role_prefix)
    return applied


def refuse_newer_warehouse(seen: Iterable[str]) -> None:
    """Raise WarehouseError when migrations ran that this code does not have."""
    known = {path.stem for path in MIGRATIONS_FOLDER.glob("*.sql")}
    unknown = sorted(set(seen) - known)
    if unknown:
        raise WarehouseError(
            f"This warehouse was made by newer code, with the migrations "
            f"{', '.join(unknown)}, which this code does not know: run it with the "
            "newer code (git pull, then docker compose build where it runs in "
            "containers); nothing was changed."
        )


def _run_migration(connection: psycopg.Connection, path: Path) -> None:
    try:
        connection.execute(path.read_bytes())
    except psycopg.Error as error:
        reason = remove_values(" ".join(str(error).split()))
        raise WarehouseError(
            f"The migration {path.stem} failed ({reason}), and the warehouse is as it "
            "was before: mend the cause, or go back to the code of before, then run "
            "again."
        ) from error
    connection.execute("insert into audit.migrations (name) values (%s)", [path.stem])
    log.info("migration %s applied", path.stem)


def accept_load(connection: psycopg.Connection, load_id: int) -> None:
    """Put a load in force; the one accepted before for its feed and date is superseded.

    Only acceptance supersedes. Both changes are one transaction.
    """
    accept_loads(connection, [load_id])


def accept_loads(connection: psycopg.Connection, load_ids: Sequence[int]) -> None:
    """Put many loads in force at once; of one feed and date the last of them stays so.

    The loads accepted before are superseded, and so are those held for the same feed
    and date: nobody has to decide on them any more. All of it is one transaction.
    """
    with connection.transaction():
        connection.execute(
            "create temporary table accepting on commit drop as"
            " select distinct on (loads.feed, loads.batch_date)"
            "   loads.feed, loads.batch_date, loads.load_id"
            " from unnest(%s::bigint[]) with ordinality as given (load_id, place)"
            " join audit.loads as loads on loads.load_id = given.load_id"
            " order by loads.feed, loads.batch_date, given.place desc",
            [list(load_ids)],
        )
        connection.execute(
            "update audit.loads as old set status = 'superseded',"
            " superseded_by = new.load_id, decided_at = clock_timestamp()"
            " from accepting as new"
            " where old.feed = new.feed and old.batch_date = new.batch_date"
            " and old.load_id <> new.load_id"
            " and (old.status = 'accepted' or old.load_id = any(%s))",
            [list(load_ids)],
        )
        connection.execute(
            "update audit.loads as old set status = 'superseded',"
            " decided_at = clock_timestamp()"
            " from accepting as new"
            " where old.feed = new.feed and old.batch_date = new.batch_date"
            " and old.load_id <> new.load_id and old.status = 'held'"
        )
        connection.execute(
            "update audit.loads as loads set status = 'accepted', held_reason = null,"
            " superseded_by = null, decided_at = clock_timestamp()"
            " from accepting where loads.load_id = accepting.load_id"
        )
        connection.execute("drop table accepting")


def decide_loads(
    connection: psycopg.Connection, load_ids: Sequence[int], reasons: Mapping[int, str]
) -> list[int]:
    """Hold the loads that have a reason, accept the others; return the held ones.

    A load that no longer waits, because newer content came while it was judged, is left
    as it is. One that is in force already stays so, or makes way.
    """
    with connection.transaction():
        waiting: dict[int, str] = dict(
            connection.execute(
                "select load_id, status from audit.waiting_loads"
                " where load_id = any(%s) for update",
                [list(load_ids)],
            ).fetchall()
        )
        held = [load_id for load_id in reasons if load_id in waiting]
        for load_id in held:
            hold = hold_load if waiting[load_id] == "loaded" else hold_accepted_load
            hold(connection, load_id, reasons[load_id])
        passed = [
            load_id
            for load_id in load_ids
            if load_id in waiting and load_id not in reasons
        ]
        connection.execute(
            "update audit.loads set decided_at = clock_timestamp()"
            " where load_id = any(%s) and status = 'accepted'",
            [passed],
        )
        accept_loads(
            connection, [load_id for load_id in passed if waiting[load_id] == "loaded"]
        )
    return held


def hold_load(connection: psycopg.Connection, load_id: int, reason: str) -> None:
    """Keep a load out of every build; what was accepted before stays in force."""
    with connection.transaction():
        connection.execute(
            "update audit.loads set status = 'held', held_reason = %s,"
            " decided_at = clock_timestamp() where load_id = %s",
            [reason, load_id],
        )


def accept_held_load(connection: psycopg.Connection, load_id: int) -> str:
    """Put a load in force that a gate holds, because a person found it right.

    Returns what it is, "hubspot.contacts of 2026-11-19". Raises WarehouseError when
    there is no such load, or nobody holds it.
    """
    row = connection.execute(
        "select feed, batch_date, status from audit.loads where load_id = %s", [load_id]
    ).fetchone()
    if row is None or row[2] != "held":
        state = f"is {row[2]}, not held" if row else "does not exist"
        raise WarehouseError(
            f"Load {load_id} {state}: look for the held ones with `select * from "
            "audit.loads where status = 'held'`."
        )
    accept_load(connection, load_id)
    return f"{row[0]} of {row[1]}"


def accept_stopped_build(connection: psycopg.Connection, build_id: int) -> str:
    """Let the last build be published that gate 2 stops, because a person believes it.

    Returns the run that built it. Raises WarehouseError when gate 2 does not stop it,
    or it is not the last one.
    """
    row = connection.execute(
        "select build_id, run_id, status = 'succeeded' and gated_at is null"
        "  and exists (select from audit.gate_results where gate = 'marts'"
        "   and not is_met and severity = 'critical'"
        "   and gate_results.run_id = builds.run_id)"
        " from audit.builds order by build_id desc limit 1"
    ).fetchone()
    if row is None or row[0] != build_id:
        last = f"it is {row[0]}" if row else "there is none"
        raise WarehouseError(f"Build {build_id} is not the last one: {last}.")
    if not row[2]:
        raise WarehouseError(
            f"Build {build_id} is not stopped by gate 2: nothing to accept; see `select"
            " * from audit.builds order by build_id desc`."
        )
    connection.execute(
        "update audit.builds set gated_at = clock_timestamp(),"
        " message = 'accepted by hand' where build_id = %s",
        [build_id],
    )
    return str(row[1])


def hold_accepted_load(
    connection: psycopg.Connection, load_id: int, reason: str
) -> None:
    """Hold a load that was accepted; the load that it superseded is in force again."""
    with connection.transaction():
        hold_load(connection, load_id, reason)
        connection.execute(
            "update audit.loads set status = 'accepted', superseded_by = null,"
            " decided_at = clock_timestamp()"
            " where load_id = (select max(load_id) from audit.loads"
            "  where superseded_by = %s and status = 'superseded')",
            [load_id],
        )


def record_feed_failure(
    connection: psycopg.Connection,
    run_id: str,
    feed: str,
    batch_date: date,
    error: WarehouseError,
) -> None:
    """Remember that a feed could not be loaded, for data_status and the report."""
    with connection.transaction():
        connection.execute(
            "insert into audit.feed_failures"
            " (run_id, feed, batch_date, message, is_missing)"
            " values (%s, %s, %s, %s, %s)",
            [
                *(run_id, feed, batch_date, str(error)),
                isinstance(error, MissingExportError),
            ],
        )


def resolve_feed_failures(
    connection: psycopg.Connection, feed: str, batch_date: date
) -> None:
    """Note that a feed and date which failed before has been loaded well since."""
    with connection.transaction():
        connection.execute(
            "update audit.feed_failures set resolved_at = clock_timestamp()"
            " where feed = %s and batch_date = %s and resolved_at is null",
            [feed, batch_date],
        )


def drop_held_loads(
    connection: psycopg.Connection, feed: str, batch_date: date
) -> None:
    """Settle what is held for a feed and date: the accepted content was sent again."""
    with connection.transaction():
        connection.execute(
            "update audit.loads set status = 'superseded',"
            " decided_at = clock_timestamp()"
            " where feed = %s and batch_date = %s and status = 'held'",
            [feed, batch_date],
        )
