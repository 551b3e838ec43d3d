"""The published tables: what they are, and how rows of one are swapped for others.

In: ``audit.models``, and the temporary table ``rows_differing`` of a publish or a
rollback: rows of the table's own columns, and `is_built`, true for those to come and
false for those to go. Out: the rows of ``marts`` swapped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql


@dataclass(frozen=True)
class PublishedModel:
    """A published table: its name, how its rows are told apart and selected.

    publish_by : the column whose values audit.unpublished_keys holds
    publish_where : what a row must meet to be published; None: nothing
    indexes : the columns or expressions of each index that it has in marts
    """

    name: str
    row_key: tuple[str, ...]
    publish_by: str
    publish_where: str | None
    indexes: tuple[tuple[str, ...], ...] = ()

    @property
    def condition(self) -> sql.Composable:
        """What a row must meet to be published."""
        # The text is the project's own, out of a model's YAML.
        return sql.SQL("({})").format(sql.SQL(self.publish_where or "true"))

    @property
    def built(self) -> sql.Identifier:
        """Its name in the warehouse."""
        return sql.Identifier("warehouse", self.name)

    @property
    def published(self) -> sql.Identifier:
        """Its name in marts."""
        return sql.Identifier("marts", self.name)


def read_models(connection: psycopg.Connection) -> list[PublishedModel]:
    """Read which tables are published, as the last build left them."""
    rows = connection.execute(
        "select model, row_key, rebuild_by, publish_where, published_indexes"
        " from audit.models"
        " where is_published and kind <> 'view' order by model"
    ).fetchall()
    return [
        PublishedModel(
            name,
            tuple(row_key),
            publish_by,
            publish_where,
            tuple(tuple(columns) for columns in indexes),
        )
        for name, row_key, publish_by, publish_where, indexes in rows
    ]


def read_columns(
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


def list_names(columns: Iterable[str]) -> sql.Composed:
    """Compose a list of columns."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def swap_rows(
    connection: psycopg.Connection,
    model: PublishedModel,
    columns: Sequence[str],
    found_by: Sequence[str],
) -> tuple[int, int]:
    """Delete and insert what rows_differing says; returns the rows of each.

    Parameters
    ----------
    columns : all that the table has
    found_by : those by which the rows to delete are found, by index where there is one
    """

    def name_columns(table: str) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(table, name) for name in columns)

    deleted = connection.execute(
        sql.SQL(
            "delete from {published} as published using rows_differing as differing"
            " where not differing.is_built and {same}"
            # Nothing but the very row that is to go.
            " and ({all_published}) is not distinct from ({all_differing})"
        ).format(
            published=model.published,
            same=sql.SQL(" and ").join(
                sql.SQL("published.{column} = differing.{column}").format(
                    column=sql.Identifier(column)
                )
                for column in dict.fromkeys(found_by)
            ),
            all_published=name_columns("published"),
            all_differing=name_columns("differing"),
        )
    ).rowcount
    inserted = connection.execute(
        sql.SQL(
            "insert into {published} ({names})"
            " select {names} from rows_differing where is_built"
        ).format(
            published=model.published,
            names=list_names(columns),
        )
    ).rowcount
    return deleted, inserted


def note_rows(
    connection: psycopg.Connection,
    models: Iterable[PublishedModel],
    changes: Mapping[str, tuple[int, int]],
) -> None:
    """Keep in ``audit.published_tables`` how many rows each published table has.

    Parameters
    ----------
    models : all that are published; one that is not known there yet is counted
    changes : rows deleted and inserted, by the name of the table
    """
    for name, (deleted, inserted) in changes.items():
        if deleted or inserted:
            connection.execute(
                "update audit.published_tables set rows = rows + %s,"
                " changed_at = clock_timestamp() where model = %s",
                [inserted - deleted, name],
            )
    known = {
        name
        for (name,) in connection.execute("select model from audit.published_tables")
    }
    for model in models:
        if model.name not in known:
            connection.execute(
                sql.SQL(
                    "insert into audit.published_tables (model, rows, changed_at)"
                    " select {name}, count(*), clock_timestamp() from {published}"
                ).format(name=sql.Literal(model.name), published=model.published)
            )
