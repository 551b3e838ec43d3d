"""Published views: the same query, over ``marts`` instead of ``warehouse``.

In: models of kind view in ``audit.models`` that are published, as dbt made them in
``warehouse``. Out: views of the same name, columns and comments in ``marts``, and their
names in ``audit.published_views``. All within the transaction of a publish: readers see
tables and views of one version.

PostgreSQL writes a view's query out with the names that its search path does not find:
with ``warehouse`` in it, tables stand there bare, and bare names read in a path of
``marts`` mean the published tables. Functions of schema cx keep their schema.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.errors import PublishError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _View:
    """What a view is, apart from the schema that it lies in."""

    query: str
    columns: tuple[tuple[str, str, str | None], ...]
    comment: str | None


def drop_outdated(
    connection: psycopg.Connection, changing_tables: Sequence[str]
) -> list[str]:
    """Drop the views that left the project, that became tables, or whose columns, or
    the columns of a published table, change; return their names.

    Parameters
    ----------
    changing_tables : tables of marts that are about to go, to lose or to gain columns
    """
    wanted = _read_wanted(connection)
    published = {
        name: view
        for name in _list_ours(connection)
        if (view := _read_view(connection, "marts", name)) is not None
    }
    going = {
        name
        for name, view in published.items()
        if name not in wanted or not _can_be_replaced(view, wanted[name])
    }
    changing = going.union(changing_tables)
    while readers := _list_readers(connection, changing) & published.keys() - going:
        going |= readers
        changing |= readers
    if going:
        # One statement, because they may read each other.
        connection.execute(
            sql.SQL("drop view {}").format(
                sql.SQL(", ").join(sql.Identifier("marts", name) for name in going)
            )
        )
    connection.execute(
        "delete from audit.published_views where name <> all(%s)",
        [sorted(published.keys() - going)],
    )
    for name in sorted(published.keys() - wanted.keys()):
        log.info("the view marts.%s left the project and was dropped", name)
    return sorted(going)


def create(connection: psycopg.Connection) -> list[str]:
    """Create the views that are not there as they should be, parents first; return
    their names.

    Raises PublishError when one reads something that is not published.
    """
    created = []
    for name, view in _read_wanted(connection).items():
        if view == _read_view(connection, "marts", name):
            continue
        with _search_path(connection, "marts"):
            try:
                connection.execute(
                    sql.SQL("create or replace view {} as {}").format(
                        sql.Identifier("marts", name),
                        sql.SQL(view.query),
                    )
                )
            except psycopg.errors.UndefinedTable as error:
                raise PublishError(
                    f"The view {name} reads what is not published "
                    f"({error.diag.message_primary}): let it read published models "
                    "alone; marts stay as they were."
                ) from error
        _comment(connection, name, view)
        connection.execute(
            "insert into audit.published_views (name) values (%s)"
            " on conflict do nothing",
            [name],
        )
        created.append(name)
        log.info("the view marts.%s is new or changed", name)
    return created


def find_differing(connection: psycopg.Connection) -> list[str]:
    """Return the views that are not in marts as they are in the warehouse."""
    wanted = _read_wanted(connection)
    return [
        name
        for name, view in wanted.items()
        if view != _read_view(connection, "marts", name)
    ] + [name for name in _list_ours(connection) if name not in wanted]


def _list_ours(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        "select name from audit.published_views order by name"
    ).fetchall()
    return [name for (name,) in rows]


def _read_wanted(connection: psycopg.Connection) -> dict[str, _View]:
    """The published views as the warehouse has them, parents first."""
    rows = connection.execute(
        "select model from audit.models where is_published and kind = 'view'"
        " order by position"
    ).fetchall()
    wanted = {}
    for (name,) in rows:
        view = _read_view(connection, "warehouse", name)
        if view is None:
            raise PublishError(
                f"The view {name} is not in the warehouse: build again, then publish; "
                "marts stay as they were."
            )
        wanted[name] = view
    return wanted


def _read_view(connection: psycopg.Connection, schema: str, name: str) -> _View | None:
    with _search_path(connection, schema):
        row = connection.execute(
            "select pg_get_viewdef(oid), obj_description(oid, 'pg_class')"
            " from pg_class where oid = to_regclass(%s) and relkind = 'v'",
            [f"{schema}.{name}"],
        ).fetchone()
        if row is None:
            return None
        columns = connection.execute(
            "select attname, format_type(atttypid, atttypmod),"
            " col_description(attrelid, attnum) from pg_attribute"
            " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped"
            " order by attnum",
            [f"{schema}.{name}"],
        ).fetchall()
    return _View(row[0].rstrip().rstrip(";"), tuple(columns), row[1])


def _list_readers(connection: psycopg.Connection, names: set[str]) -> set[str]:
    """Relations of marts whose query reads one of these."""
    rows = connection.execute(
        "select distinct readers.relname from pg_depend as depends"
        " join pg_rewrite as rules on rules.oid = depends.objid"
        " join pg_class as readers on readers.oid = rules.ev_class"
        " where depends.classid = 'pg_rewrite'::regclass"
        " and readers.relnamespace = 'marts'::regnamespace"
        " and depends.refobjid in (select to_regclass('marts.' || name)"
        "  from unnest(%s::text[]) as given (name))",
        [sorted(names)],
    ).fetchall()
    return {name for (name,) in rows}


def _can_be_replaced(published: _View, wanted: _View) -> bool:
    """Whether the columns that are there stay as they are: new ones may follow them."""
    before = [column[:2] for column in published.columns]
    return before == [column[:2] for column in wanted.columns[: len(before)]]


@contextmanager
def _search_path(connection: psycopg.Connection, schema: str) -> Iterator[None]:
    """Look for bare names in one schema alone, until the block or transaction ends."""
    statement = "select set_config('search_path', %s, true)"
    before = connection.execute("show search_path").fetchone()
    assert before is not None
    connection.execute(statement, [f"{schema}, pg_temp"])
    yield
    connection.execute(statement, [before[0]])


def _comment(connection: psycopg.Connection, name: str, view: _View) -> None:
    connection.execute(
        sql.SQL("comment on view {} is {}").format(
            sql.Identifier("marts", name), sql.Literal(view.comment)
        )
    )
    for column, _, comment in view.columns:
        connection.execute(
            sql.SQL("comment on column {} is {}").format(
                sql.Identifier("marts", name, column), sql.Literal(comment)
            )
        )
