"""Roll back: bring the version before into marts again, in one transaction.

In: the last publish that changed something, and its log in
``audit.published_changes``. Out: ``marts`` as they were before it, and a row of kind
rollback in ``audit.publishes``. What it takes back is marked in
``audit.unpublished_keys``: the next publish catches up, and that is also the way to
undo a rollback. Twice in a row goes back two versions.
"""

import logging
from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.building.build_lock import build_lock
from include.building.marts_transaction import change_marts
from include.building.published_changes import (
    has_columns,
    list_changed_models,
    read_back_differing_rows,
)
from include.building.published_tables import (
    PublishedModel,
    note_rows,
    read_columns,
    read_models,
    swap_rows,
)
from include.building.restatement_causes import note_cause_of_rollback
from include.building.restatements import note_restatements, read_declarations
from include.building.shown_version import ShownVersion, read_shown_version
from include.errors import PublishError
from include.settings import Settings, connect

log = logging.getLogger(__name__)

UNCHANGED = "marts stay as they were"


@dataclass(frozen=True)
class RollbackResult:
    """What one rollback changed, and the version that marts show since.

    undone : the publishes that it took back, newest first, with their runs
    """

    shown: ShownVersion
    undone: tuple[tuple[int, str], ...]
    rows_deleted: int
    rows_inserted: int
    figures_restated: int


@dataclass(frozen=True)
class _Undoing:
    """The publish to take back, and what marts show until then."""

    publish_id: int
    rows_deleted: int
    rows_inserted: int
    before: ShownVersion


def roll_back(settings: Settings, run_id: str) -> RollbackResult:
    """Bring the version before into marts again.

    Publishes since then that changed no row are taken back with it: what they showed
    is no version of its own.

    Raises PublishError when there is no way back, or when marts cannot be changed
    (`change_marts`).
    """
    with connect(settings, "publisher") as connection, build_lock(connection):
        result = change_marts(
            connection, settings, "roll back", lambda: _roll_back(connection, run_id)
        )
    log.warning(
        "rolled back to the publish of %s: %s rows out, %s rows in",
        result.shown.published_at,
        result.rows_deleted,
        result.rows_inserted,
    )
    return result


def _roll_back(connection: psycopg.Connection, run_id: str) -> RollbackResult:
    undoing = _find_publish_to_undo(connection)
    row = connection.execute(
        "insert into audit.publishes (run_id, build_id, kind)"
        " values (%s, %s, 'rollback') returning publish_id",
        [run_id, undoing.before.build_id],
    ).fetchone()
    assert row is not None
    rollback_id = int(row[0])
    undone = connection.execute(
        "update audit.publishes set undone_by = %s where publish_id >= %s"
        " and kind = 'publish' and undone_by is null returning publish_id, run_id",
        [rollback_id, undoing.publish_id],
    ).fetchall()
    shown = read_shown_version(connection)
    assert shown is not None
    models = {model.name: model for model in read_models(connection)}
    published = read_columns(connection, "marts")
    declarations = read_declarations(connection)
    deleted = inserted = restated = 0
    swapped: dict[str, tuple[int, int]] = {}
    for name in list_changed_models(connection, undoing.publish_id):
        columns = published.get(name, {})
        model = models.get(name)
        if model is None or not columns.keys() >= {*model.row_key}:
            raise PublishError(
                f"The code of {name} has changed since publish {undoing.publish_id}, "
                f"its rows cannot be told apart; {UNCHANGED}; mend the data or the "
                "code, build and publish."
            )
        if not has_columns(connection, undoing.publish_id, name, columns):
            raise PublishError(
                f"The columns of marts.{name} have changed since publish "
                f"{undoing.publish_id}: its rows cannot be brought back; {UNCHANGED}; "
                "mend the data or the code, build and publish."
            )
        read_back_differing_rows(connection, undoing.publish_id, model, columns)
        declaration = declarations.get(name)
        if declaration is not None:
            noted = note_restatements(
                connection, rollback_id, model, declaration, undoing.before
            )
            if noted:
                note_cause_of_rollback(connection, rollback_id, name, shown)
            restated += noted
        changes = swapped[name] = swap_rows(
            connection, model, list(columns), model.row_key
        )
        _mark_unpublished(connection, model, columns)
        connection.execute("drop table rows_differing")
        deleted += changes[0]
        inserted += changes[1]
    if (inserted, deleted) != (undoing.rows_deleted, undoing.rows_inserted):
        raise PublishError(
            f"Publish {undoing.publish_id} put in {undoing.rows_inserted:,} rows and "
            f"took out {undoing.rows_deleted:,}, but only {deleted:,} are still there "
            f"and {inserted:,} in its log: marts were changed by hand, or the log is "
            f"incomplete; {UNCHANGED}; mend the data, build and publish."
        )
    note_rows(
        connection,
        [model for name, model in models.items() if name in published],
        swapped,
    )
    connection.execute(
        "update audit.publishes set build_id = %s, rows_deleted = %s,"
        " rows_inserted = %s, first_date = %s, as_of_date = %s where publish_id = %s",
        [
            *(shown.build_id, deleted, inserted),
            *(shown.first_date, shown.as_of_date, rollback_id),
        ],
    )
    return RollbackResult(
        shown, tuple(sorted(undone, reverse=True)), deleted, inserted, restated
    )


def _find_publish_to_undo(connection: psycopg.Connection) -> _Undoing:
    """Find the last publish that changed something; raise when there is no way back."""
    before = read_shown_version(connection)
    if before is None:
        raise PublishError(
            f"Nothing has been published yet, there is no version before: {UNCHANGED}."
        )
    row = connection.execute(
        "select publish_id, rows_deleted, rows_inserted, irreversible_because,"
        " to_char(published_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI \"UTC\"')"
        " from audit.publishes where kind = 'publish' and undone_by is null"
        " and (rows_deleted > 0 or rows_inserted > 0"
        "  or irreversible_because is not null)"
        " order by publish_id desc limit 1"
    ).fetchone()
    if row is None:
        raise PublishError(
            f"No publish has changed a row yet, so there is no version before: "
            f"{UNCHANGED}."
        )
    publish_id, rows_deleted, rows_inserted, reason, published_at = row
    if reason is not None:
        raise PublishError(
            f"There is no way back to before publish {publish_id} of {published_at}: "
            f"{reason}; {UNCHANGED}. Mend the data or the code instead, build and "
            "publish."
        )
    return _Undoing(publish_id, rows_deleted, rows_inserted, before)


def _mark_unpublished(
    connection: psycopg.Connection, model: PublishedModel, columns: dict[str, str]
) -> None:
    """Let the next publish compare these rows again, by their keys, or else all."""
    keys: sql.Composable = sql.SQL("null")
    if model.publish_by in columns:
        keys = sql.SQL("cast({} as text)").format(sql.Identifier(model.publish_by))
    connection.execute(
        sql.SQL(
            "insert into audit.unpublished_keys (model, key)"
            " select distinct {model}, {keys} from rows_differing"
            " on conflict do nothing"
        ).format(model=sql.Literal(model.name), keys=keys)
    )
