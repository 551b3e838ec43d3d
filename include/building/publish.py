"""Publish: copy what changed from ``warehouse`` into ``marts``, in one transaction.

In: a build that succeeded and passed gate 2, and ``audit.unpublished_keys``. Out: the
same rows in ``marts``, and the old and new image of each row that differs in
``audit.published_changes``. Readers see the version before or the version after, whole.

A published view is made again in ``marts`` over the published tables
(`published_views`); of a model with a `publish_where` only the rows that meet it are
published.
"""

import logging
import time
from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.access.roles import name_roles, restrict_agent_tables
from include.building import published_views
from include.building.build_lock import build_lock
from include.errors import PublishError
from include.settings import Settings, connect

log = logging.getLogger(__name__)

# A night that adds or drops columns must wait for readers of that table: give up after
# this long, let them pass, and try again.
LOCK_TIMEOUT = "5s"
LOCK_TRIES = 12


@dataclass(frozen=True)
class PublishResult:
    """What one publish changed; both zero when nothing differed."""

    publish_id: int | None
    rows_deleted: int
    rows_inserted: int


@dataclass(frozen=True)
class _Model:
    name: str
    row_key: tuple[str, ...]
    publish_by: str
    publish_where: str | None

    @property
    def condition(self) -> sql.Composable:
        """What a row must meet to be published."""
        # The text is the project's own, out of a model's YAML.
        return sql.SQL("({})").format(sql.SQL(self.publish_where or "true"))

    @property
    def built(self) -> sql.Identifier:
        return sql.Identifier("warehouse", self.name)

    @property
    def published(self) -> sql.Identifier:
        return sql.Identifier("marts", self.name)


def publish(settings: Settings, run_id: str) -> PublishResult:
    """Publish the last build.

    Raises PublishError when it did not succeed or did not pass gate 2, or when somebody
    kept locked for a minute what has to change, or when views of others read what has
    to be dropped.
    """
    with connect(settings, "publisher") as connection, build_lock(connection):
        build_id = _find_gated_build(connection)
        for attempt in range(1, LOCK_TRIES + 1):
            try:
                with connection.transaction():
                    result = _publish_build(connection, run_id, build_id)
                    restrict_agent_tables(connection, name_roles(settings.role_prefix))
                break
            except psycopg.errors.LockNotAvailable as error:
                if attempt == LOCK_TRIES:
                    raise PublishError(
                        "Somebody keeps locked what publish must change in marts "
                        f"({_find_lock_holders(connection)}): end that transaction and "
                        "publish again; marts stay as they were."
                    ) from error
                log.warning(
                    "publish waits for a lock in marts (try %s of %s)",
                    *(attempt, LOCK_TRIES),
                )
                time.sleep(1)
            except psycopg.errors.DependentObjectsStillExist as error:
                raise PublishError(
                    "Something in marts changes its columns or its kind, and views of "
                    f"others read it ({error.diag.message_detail}): drop those, "
                    "publish, and create them again; marts stay as they were."
                ) from error
    log.info(
        "published build %s: %s rows out, %s rows in",
        build_id,
        result.rows_deleted,
        result.rows_inserted,
    )
    return result


def _find_lock_holders(connection: psycopg.Connection) -> str:
    """Name the sessions that have locked tables of marts, for the person to end."""
    rows = connection.execute(
        "select distinct locks.pid, locks.relation::regclass::text"
        " from pg_locks as locks"
        " join pg_class as relations on relations.oid = locks.relation"
        " where locks.granted and locks.pid <> pg_backend_pid()"
        " and locks.database ="
        "  (select oid from pg_database where datname = current_database())"
        " and relations.relnamespace = 'marts'::regnamespace"
        " order by 1, 2 limit 5"
    ).fetchall()
    held = ", ".join(f"session {pid}: {table}" for pid, table in rows)
    return held or "it has just let go"


def verify_published(settings: Settings) -> dict[str, int]:
    """Compare every published table with the warehouse, row by row, and every view.

    Returns:
        The number of rows that differ, by model, 1 for a view that is another one;
        empty when all is equal.
    """
    differences: dict[str, int] = {}
    with connect(settings, "publisher") as connection:
        built = _read_columns(connection, "warehouse")
        for model in _published_models(connection):
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
    connection.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
    row = connection.execute(
        "insert into audit.publishes (run_id, build_id) values (%s, %s)"
        " returning publish_id",
        [run_id, build_id],
    ).fetchone()
    assert row is not None
    publish_id: int = row[0]
    deleted = inserted = 0
    models = _published_models(connection)
    built = _read_columns(connection, "warehouse")
    published = _read_columns(connection, "marts")
    # Columns cannot change under a view.
    left = _list_tables_that_left(connection)
    published_views.drop_outdated(
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
    unpublished = _read_unpublished(connection)
    for model in models:
        columns = built[model.name]
        if model.name not in published:
            inserted += _create_published(connection, model)
            continue
        has_other_columns = published[model.name] != columns
        if has_other_columns:
            _change_columns(connection, model, published[model.name], columns)
        if has_other_columns or model.name in unpublished:
            is_whole = has_other_columns or unpublished[model.name]
            changes = _publish_changes(
                connection, publish_id, model, columns, is_whole=is_whole
            )
            deleted += changes[0]
            inserted += changes[1]
    published_views.create(connection)
    connection.execute("delete from audit.unpublished_keys")
    connection.execute(
        "update audit.publishes set rows_deleted = %s, rows_inserted = %s"
        " where publish_id = %s",
        [deleted, inserted, publish_id],
    )
    return PublishResult(publish_id, deleted, inserted)


def _create_published(connection: psycopg.Connection, model: _Model) -> int:
    """Publish a model for the first time; returns the rows inserted."""
    connection.execute(
        sql.SQL(
            "create table {published} (like {built} including comments"
            " including indexes)"
        ).format(published=model.published, built=model.built)
    )
    _comment_like(connection, model)
    return connection.execute(
        sql.SQL(
            "insert into {published} select * from {built} where {condition}"
        ).format(
            published=model.published, built=model.built, condition=model.condition
        )
    ).rowcount


def _publish_changes(
    connection: psycopg.Connection,
    publish_id: int,
    model: _Model,
    columns: dict[str, str],
    *,
    is_whole: bool,
) -> tuple[int, int]:
    """Copy one model's changed rows; returns the rows deleted and inserted.

    Parameters
    ----------
    is_whole : compare all rows, not only those of the unpublished keys
    """
    # With the column that its rows were selected by, a delete finds them by index.
    same = model.row_key if is_whole else (model.publish_by, *model.row_key)
    parts = {
        "names": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "built": model.built,
        "published": model.published,
        "where": sql.SQL("true") if is_whole else _where_unpublished(model, columns),
        "condition": model.condition,
        "same": sql.SQL(" and ").join(
            sql.SQL("published.{column} = differing.{column}").format(
                column=sql.Identifier(column)
            )
            for column in dict.fromkeys(same)
        ),
        "model": sql.Literal(model.name),
        "publish_id": sql.Literal(publish_id),
    }
    # Read each side once: what all customers of a night ever did is much to compare.
    for statement in (
        "create temporary table rows_differing on commit drop as"
        " select {names}, bool_and(is_built) as is_built from ("
        "  select {names}, false as is_built from {published} where {where}"
        "  union all"
        "  select {names}, true from {built} where {where} and {condition}"
        " ) as both_sides group by {names}"
        " having bool_and(is_built) = bool_or(is_built)",
        "insert into audit.published_changes (publish_id, model, change, row_image)"
        " select {publish_id}, {model}, 'deleted', to_jsonb(gone)"
        " from (select {names} from rows_differing where not is_built) as gone"
        " union all"
        " select {publish_id}, {model}, 'inserted', to_jsonb(come)"
        " from (select {names} from rows_differing where is_built) as come",
    ):
        connection.execute(sql.SQL(statement).format(**parts))
    deleted = connection.execute(
        sql.SQL(
            "delete from {published} as published using rows_differing as differing"
            " where not differing.is_built and {same}"
        ).format(**parts)
    ).rowcount
    inserted = connection.execute(
        sql.SQL(
            "insert into {published} ({names})"
            " select {names} from rows_differing where is_built"
        ).format(**parts)
    ).rowcount
    connection.execute("drop table rows_differing")
    return deleted, inserted


def _where_unpublished(model: _Model, columns: dict[str, str]) -> sql.Composed:
    return sql.SQL(
        "{column} in (select cast(key as {type}) from audit.unpublished_keys"
        " where model = {model})"
    ).format(
        column=sql.Identifier(model.publish_by),
        type=sql.SQL(columns[model.publish_by]),
        model=sql.Literal(model.name),
    )


def _change_columns(
    connection: psycopg.Connection,
    model: _Model,
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


def _comment_like(connection: psycopg.Connection, model: _Model) -> None:
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


def _published_models(connection: psycopg.Connection) -> list[_Model]:
    rows = connection.execute(
        "select model, row_key, rebuild_by, publish_where from audit.models"
        " where is_published and kind <> 'view' order by model"
    ).fetchall()
    return [
        _Model(name, tuple(row_key), publish_by, publish_where)
        for name, row_key, publish_by, publish_where in rows
    ]


def _read_unpublished(connection: psycopg.Connection) -> dict[str, bool]:
    """The models that changed, and whether all of their rows are to be compared."""
    rows = connection.execute(
        "select model, bool_or(key is null) from audit.unpublished_keys group by model"
    ).fetchall()
    return dict(rows)


def _read_columns(
    connection: psycopg.Connection, schema: str
) -> dict[str, dict[str, str]]:
    """The columns of each table of a schema and their types, in order."""
    rows = connection.execute(
        "select tables.relname, columns.attname,"
        "  format_type(columns.atttypid, columns.atttypmod)"
        " from pg_class as tables"
        " inner join pg_attribute as columns on columns.attrelid = tables.oid"
        " where tables.relnamespace = %s::regnamespace and tables.relkind = 'r'"
        "  and columns.attnum > 0 and not columns.attisdropped"
        " order by tables.relname, columns.attnum",
        [schema],
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, type_name in rows:
        tables.setdefault(table, {})[column] = type_name
    return tables
