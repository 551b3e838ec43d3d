"""The log that a rollback reads: the old and new image of each row that a publish
changed.

In: the temporary table ``rows_differing`` of a publish. Out: its rows in
``audit.published_changes``; the same table again, the other way round, out of them; and
no more of the log than is kept.
"""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from include.building.published_tables import PublishedModel, list_names


def log_differing_rows(
    connection: psycopg.Connection,
    publish_id: int,
    model: PublishedModel,
    columns: Iterable[str],
) -> None:
    """Keep the images of the rows that go and come."""
    connection.execute(
        sql.SQL(
            "insert into audit.published_changes (publish_id, model, change, row_image)"
            " select {publish_id}, {model}, 'deleted', to_jsonb(gone)"
            " from (select {names} from rows_differing where not is_built) as gone"
            " union all"
            " select {publish_id}, {model}, 'inserted', to_jsonb(come)"
            " from (select {names} from rows_differing where is_built) as come"
        ).format(
            names=list_names(columns),
            model=sql.Literal(model.name),
            publish_id=sql.Literal(publish_id),
        )
    )


def list_changed_models(connection: psycopg.Connection, publish_id: int) -> list[str]:
    """Return the models of which a publish changed rows."""
    rows = connection.execute(
        "select distinct model from audit.published_changes where publish_id = %s"
        " order by model",
        [publish_id],
    ).fetchall()
    return [model for (model,) in rows]


def read_back_differing_rows(
    connection: psycopg.Connection,
    publish_id: int,
    model: PublishedModel,
    columns: Iterable[str],
) -> int:
    """Make rows_differing as it was, with what came to go and what went to come;
    returns how many rows it has."""
    return connection.execute(
        sql.SQL(
            "create temporary table rows_differing on commit drop as"
            " select {names}, changes.change = 'deleted' as is_built"
            " from audit.published_changes as changes"
            " cross join lateral"
            "  jsonb_populate_record(null::{published}, changes.row_image) as images"
            " where changes.publish_id = {publish_id} and changes.model = {model}"
        ).format(
            names=sql.SQL(", ").join(
                sql.Identifier("images", column) for column in columns
            ),
            published=model.published,
            publish_id=sql.Literal(publish_id),
            model=sql.Literal(model.name),
        )
    ).rowcount


def has_columns(
    connection: psycopg.Connection,
    publish_id: int,
    model: str,
    columns: Iterable[str],
) -> bool:
    """Tell whether the images have these columns and no others."""
    row = connection.execute(
        "select not exists (select from audit.published_changes"
        " where publish_id = %(publish)s and model = %(model)s and not ("
        "  row_image ?& %(columns)s::text[]"
        "  and row_image - %(columns)s::text[] = '{}'))",
        {"publish": publish_id, "model": model, "columns": list(columns)},
    ).fetchone()
    return row is not None and bool(row[0])


def forget_old_changes(connection: psycopg.Connection, kept_publishes: int) -> None:
    """Keep the log of the newest publishes alone; the older ones say why they cannot be
    rolled back."""
    row = connection.execute(
        # A night that is run again may publish nothing: no version to go back to.
        "select publish_id from audit.publishes where kind = 'publish'"
        " and rows_deleted + rows_inserted > 0"
        " order by publish_id desc offset %s limit 1",
        [kept_publishes],
    ).fetchone()
    if row is None:
        return
    connection.execute(
        "update audit.publishes set irreversible_because = %s"
        " where publish_id <= %s and kind = 'publish' and irreversible_because is null",
        [
            f"the log of the last {kept_publishes} publishes alone is kept"
            " (CX_ROLLBACK_PUBLISHES)",
            row[0],
        ],
    )
    connection.execute(
        "delete from audit.published_changes where publish_id <= %s", [row[0]]
    )
