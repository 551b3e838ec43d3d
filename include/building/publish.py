"""Publish: copy what changed from ``warehouse`` into ``marts``, in one transaction.

In: a build that succeeded and passed gate 2, and ``audit.unpublished_keys``. Out: the
same rows in ``marts``, and the old and new image of each row that differs in
``audit.published_changes``, the log of rollbacks; changed figures of closed periods in
``audit.restatements``. Readers see the version before or the version after, whole.

Its tables have the indexes that readers and the next publish need
(`published_indexes`). A published view is made again in ``marts`` over the published
tables (`published_views`); of a model with a `publish_where` only the rows that meet it
are published.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.building import published_indexes, published_views
from include.building.build_lock import build_lock
from include.building.marts_transaction import change_marts
from include.building.published_changes import forget_old_changes, log_differing_rows
from include.building.published_tables import (
    PublishedModel,
    note_rows,
    read_columns,
    read_models,
    swap_rows,
)
from include.building.restatement_causes import note_cause_of_publish
from include.building.restatements import note_restatements, read_declarations
from include.building.shown_version import ShownVersion, read_shown_version
from include.building.unpublished_rows import compose_difference, read_unpublished
from include.errors import PublishError
from include.settings import Settings, connect

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishResult:
    """What one publish changed; all zero when nothing differed."""

    publish_id: int
    rows_deleted: int
    rows_inserted: int
    figures_restated: int


def publish(settings: Settings, run_id: str) -> PublishResult:
    """Publish the last build.

    Raises PublishError when it did not succeed or did not pass gate 2, or when marts
    cannot be changed (`change_marts`).
    """
    with connect(settings, "publisher") as connection, build_lock(connection):
        build_id = _find_gated_build(connection)

        def publish_build() -> PublishResult:
            result = _publish_build(connection, run_id, build_id)
            forget_old_changes(connection, settings.rollback_publishes)
            return result

        result = change_marts(connection, settings, "publish", publish_build)
    log.info(
        "published build %s: %s rows out, %s rows in, %s figures restated",
        build_id,
        result.rows_deleted,
        result.rows_inserted,
        result.figures_restated,
    )
    return result


def verify_published(settings: Settings) -> dict[str, int]:
    """Compare every published table with the warehouse, row by row, and every view.

    Returns:
        The number of rows that differ, by model, 1 for a view that is another one;
        empty when all is equal.
    """
    differences: dict[str, int] = {}
    with connect(settings, "publisher") as connection:
        built = read_columns(connection, "warehouse")
        for model in read_models(connection):
            names = sql.SQL(", ").join(map(sql.Identifier, built[model.name]))
            row = connection.execute(
                sql.SQL(
                    "select count(*) from ("
                    "(select {names} from {built} where {condition} except all"
                    " select {names} from {published}) union all"
                    " (select {names} from {published} except all"
                    " select {names} from {built} where {condition})) as differing"
                ).format(
                    names=names,
                    built=model.built,
                    published=model.published,
                    condition=model.condition,
                )
            ).fetchone()
            if row is not None and row[0]:
                differences[model.name] = row[0]
        differences |= dict.fromkeys(published_views.find_differing(connection), 1)
    return differences


def _find_gated_build(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "select build_id, status, gated_at from audit.builds"
        " order by build_id desc limit 1"
    ).fetchone()
    if row is None:
        raise PublishError("There is no build to publish: build first.")
    build_id, status, gated_at = row
    if status != "succeeded":
        raise PublishError(
            f"Build {build_id} is not complete ({status}): build again, then publish; "
            "marts stay as they were."
        )
    if gated_at is None:
        raise PublishError(
            f"Build {build_id} has not passed gate 2: check the marts, then publish; "
            "marts stay as they were."
        )
    return int(build_id)


def _publish_build(
    connection: psycopg.Connection, run_id: str, build_id: int
) -> PublishResult:
    before = read_shown_version(connection)
    publish_id = _insert_publish(connection, run_id, build_id)
    deleted = inserted = restated = 0
    swapped: dict[str, tuple[int, int]] = {}
    models = read_models(connection)
    built = read_columns(connection, "warehouse")
    published = read_columns(connection, "marts")
    declarations = read_declarations(connection)
    # Columns cannot change under a view.
    left = _list_tables_that_left(connection)
    changed_shape = left + published_views.drop_outdated(
        connection,
        left
        + [
            model.name
            for model in models
            if published.get(model.name, built[model.name]) != built[model.name]
        ],
    )
    for name in left:
        connection.execute(
            sql.SQL("drop table {}").format(sql.Identifier("marts", name))
        )
        log.info("the table marts.%s left the project and was dropped", name)
    connection.execute(
        "delete from audit.published_tables where model = any(%s)", [left]
    )
    unpublished = read_unpublished(connection)
    for model in models:
        columns = built[model.name]
        if model.name not in published:
            inserted += _create_published(connection, model)
            changed_shape.append(model.name)
            continue
        has_other_columns = published[model.name] != columns
        if has_other_columns:
            _change_columns(connection, model, published[model.name], columns)
            changed_shape.append(model.name)
        published_indexes.create_missing(connection, model)
        if not has_other_columns and model.name not in unpublished:
            continue
        is_whole = has_other_columns or unpublished[model.name]
        _find_differing_rows(connection, model, columns, is_whole=is_whole)
        log_differing_rows(connection, publish_id, model, columns)
        declaration = declarations.get(model.name)
        if declaration is not None and before is not None:
            noted = note_restatements(
                connection,
                publish_id,
                model,
                declaration,
                before,
                # A column that is new says nothing of what was published.
                new_columns=dict(columns.items() - published[model.name].items()),
            )
            if noted:
                note_cause_of_publish(
                    connection, publish_id, model.name, before, build_id
                )
            restated += noted
        changes = swapped[model.name] = swap_rows(
            connection,
            model,
            list(columns),
            # By the column that they were selected by, they are found by index.
            found_by=model.row_key if is_whole else (model.publish_by, *model.row_key),
        )
        connection.execute("drop table rows_differing")
        deleted += changes[0]
        inserted += changes[1]
    changed_shape += published_views.create(connection)
    note_rows(connection, models, swapped)
    connection.execute("delete from audit.unpublished_keys")
    # Last, because readers wait from here on until the transaction ends.
    published_indexes.drop_unwanted(connection, models)
    connection.execute(
        "update audit.publishes set rows_deleted = %s, rows_inserted = %s,"
        " irreversible_because = %s where publish_id = %s",
        [deleted, inserted, _say_irreversible(before, changed_shape), publish_id],
    )
    return PublishResult(publish_id, deleted, inserted, restated)


def _insert_publish(connection: psycopg.Connection, run_id: str, build_id: int) -> int:
    """Enter the publish, with the days that its build knows of all sources."""
    row = connection.execute(
        "insert into audit.publishes (run_id, build_id, first_date, as_of_date)"
        " select %s, %s, max(first_date),"
        "  case when count(*) = count(as_of_date) then min(as_of_date) end"
        " from audit.as_of returning publish_id",
        [run_id, build_id],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _say_irreversible(
    before: ShownVersion | None, changed_shape: Sequence[str]
) -> str | None:
    """Say why rows alone cannot bring the version before back; None: they can."""
    if before is None:
        return "it was the first one"
    if changed_shape:
        names = ", ".join(sorted({f"marts.{name}" for name in changed_shape}))
        return f"it changed the columns or the kind of {names}"
    return None


def _create_published(connection: psycopg.Connection, model: PublishedModel) -> int:
    """Publish a model for the first time; returns the rows inserted."""
    connection.execute(
        sql.SQL("create table {published} (like {built} including comments)").format(
            published=model.published, built=model.built
        )
    )
    _comment_like(connection, model)
    inserted = connection.execute(
        sql.SQL(
            "insert into {published} select * from {built} where {condition}"
        ).format(
            published=model.published, built=model.built, condition=model.condition
        )
    ).rowcount
    # An index made of rows that are there is made in one go, and is smaller.
    published_indexes.create_missing(connection, model)
    return inserted


def _find_differing_rows(
    connection: psycopg.Connection,
    model: PublishedModel,
    columns: Mapping[str, str],
    *,
    is_whole: bool,
) -> None:
    """Write to rows_differing which rows are to go, and which to come.

    Parameters
    ----------
    is_whole : compare all rows, not only those of the unpublished keys
    """
    connection.execute(
        sql.SQL("create temporary table rows_differing on commit drop as {}").format(
            compose_difference(model, columns, is_whole=is_whole)
        )
    )


def _change_columns(
    connection: psycopg.Connection,
    model: PublishedModel,
    published: dict[str, str],
    columns: dict[str, str],
) -> None:
    """Give the published table the columns of the built one; views on it stay."""
    for column, type_name in published.items():
        if columns.get(column) != type_name:
            connection.execute(
                sql.SQL("alter table {} drop column {}").format(
                    model.published, sql.Identifier(column)
                )
            )
    for column, type_name in columns.items():
        if published.get(column) != type_name:
            connection.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    model.published,
                    sql.Identifier(column),
                    sql.SQL(type_name),
                )
            )
    log.info("the columns of marts.%s changed", model.name)


def _comment_like(connection: psycopg.Connection, model: PublishedModel) -> None:
    """Carry the table's own comment over: `like` takes those of columns alone."""
    row = connection.execute(
        "select obj_description(to_regclass(%s), 'pg_class')",
        [f"warehouse.{model.name}"],
    ).fetchone()
    if row is not None and row[0]:
        connection.execute(
            sql.SQL("comment on table {} is {}").format(
                model.published, sql.Literal(row[0])
            )
        )


def _list_tables_that_left(connection: psycopg.Connection) -> list[str]:
    """Tables of marts that no model stands behind any more, or that are views now."""
    rows = connection.execute(
        "select tables.table_name from information_schema.tables as tables"
        " where tables.table_schema = 'marts' and tables.table_type = 'BASE TABLE'"
        " and not exists (select from audit.models"
        "  where models.model = tables.table_name and models.is_published"
        "  and models.kind <> 'view')"
        " order by tables.table_name"
    ).fetchall()
    return [name for (name,) in rows]
