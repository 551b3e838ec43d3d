"""The indexes of published tables: those that readers and the next publish need.

In: ``published_indexes`` of ``audit.models``, columns or expressions by index. Out: the
tables of ``marts`` have these, named ``published_<table>_<hash of the columns>``; what
has another name somebody else made, and it stays. The tables that are built have more:
a night's rows go into each of them at random places, which is dear on a long history.
"""

import hashlib
from collections.abc import Iterable

import psycopg
from psycopg import sql

from include.building.published_tables import PublishedModel

PREFIX = "published_"


def create_missing(connection: psycopg.Connection, model: PublishedModel) -> None:
    """Create the indexes that a published table is to have and does not have."""
    there = _list_ours(connection, model)
    for name, columns in _name_wanted(model).items():
        if name not in there:
            connection.execute(
                sql.SQL("create index {} on {} ({})").format(
                    sql.Identifier(name),
                    model.published,
                    # The project's own text, as in a model's configuration.
                    sql.SQL(", ").join(map(sql.SQL, columns)),
                )
            )


def drop_unwanted(
    connection: psycopg.Connection, models: Iterable[PublishedModel]
) -> None:
    """Drop the indexes that publish made once and no model asks for any more."""
    for model in models:
        for name in _list_ours(connection, model) - _name_wanted(model).keys():
            connection.execute(
                sql.SQL("drop index {}").format(sql.Identifier("marts", name))
            )


def _name_wanted(model: PublishedModel) -> dict[str, tuple[str, ...]]:
    return {
        f"{PREFIX}{model.name}_{_hash(columns)}": columns for columns in model.indexes
    }


def _hash(columns: Iterable[str]) -> str:
    # As the migration that renamed the first ones computes it.
    text = ", ".join(columns)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8]


def _list_ours(connection: psycopg.Connection, model: PublishedModel) -> set[str]:
    rows = connection.execute(
        "select relname from pg_class where starts_with(relname, %s) and oid in"
        " (select indexrelid from pg_index where indrelid = to_regclass(%s))",
        [PREFIX, model.published.as_string()],
    ).fetchall()
    return {name for (name,) in rows}
