"""What is built and not published yet: the rows that the next publish changes.

In: ``audit.unpublished_keys``, and a model in ``warehouse`` and in ``marts``. Out: the
query for the rows that are on one side alone, and how many they are, mart by mart.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.building.published_tables import (
    PublishedModel,
    list_names,
    read_columns,
    read_models,
)


@dataclass(frozen=True)
class MartChange:
    """How many rows of a mart the next publish takes out and brings in."""

    name: str
    rows_out: int
    rows_in: int
    is_new: bool


def read_unpublished(connection: psycopg.Connection) -> dict[str, bool]:
    """The models that changed, and whether all of their rows are to be compared."""
    rows = connection.execute(
        "select model, bool_or(key is null) from audit.unpublished_keys group by model"
    ).fetchall()
    return dict(rows)


def compose_difference(
    model: PublishedModel, columns: Mapping[str, str], *, is_whole: bool
) -> sql.Composed:
    """Compose the query of the rows that are on one side alone, and on which.

    Parameters
    ----------
    is_whole : compare all rows, not only those of the unpublished keys
    """
    # Read each side once: what all customers of a night ever did is much to compare.
    return sql.SQL(
        "select {names}, bool_and(is_built) as is_built from ("
        "  select {names}, false as is_built from {published} where {where}"
        "  union all"
        "  select {names}, true from {built} where {where} and {condition}"
        " ) as both_sides group by {names}"
        " having bool_and(is_built) = bool_or(is_built)"
    ).format(
        names=list_names(columns),
        built=model.built,
        published=model.published,
        where=sql.SQL("true") if is_whole else _where_unpublished(model, columns),
        condition=model.condition,
    )


def count_changes(connection: psycopg.Connection) -> list[MartChange]:
    """Count what the next publish would change; marts that stay as they are left out.

    A mart whose columns change counts whole: each of its rows reads otherwise.
    """
    unpublished = read_unpublished(connection)
    built = read_columns(connection, "warehouse")
    published = read_columns(connection, "marts")
    changes = []
    for model in read_models(connection):
        columns, before = built[model.name], published.get(model.name)
        if before == columns and model.name not in unpublished:
            continue
        is_whole = unpublished.get(model.name, True)
        counts = connection.execute(_compose_count(model, columns, before, is_whole))
        rows_out, rows_in = counts.fetchall()[0]
        if rows_out or rows_in:
            changes.append(MartChange(model.name, rows_out, rows_in, before is None))
    return changes


def _compose_count(
    model: PublishedModel,
    columns: Mapping[str, str],
    before: Mapping[str, str] | None,
    is_whole: bool,
) -> sql.Composed:
    """Compose the query for how many rows go and come; `before` are the columns that
    are published, None before the first publish."""
    places = {
        "built": model.built,
        "published": model.published,
        "condition": model.condition,
    }
    if before is None:
        return sql.SQL("select 0, count(*) from {built} where {condition}").format(
            **places
        )
    if before != columns:
        return sql.SQL(
            "select (select count(*) from {published}),"
            " (select count(*) from {built} where {condition})"
        ).format(**places)
    return sql.SQL(
        "select count(*) filter (where not is_built),"
        " count(*) filter (where is_built) from ({}) as differing"
    ).format(compose_difference(model, columns, is_whole=is_whole))


def _where_unpublished(
    model: PublishedModel, columns: Mapping[str, str]
) -> sql.Composed:
    return sql.SQL(
        "{column} in (select cast(key as {type}) from audit.unpublished_keys"
        " where model = {model})"
    ).format(
        column=sql.Identifier(model.publish_by),
        type=sql.SQL(columns[model.publish_by]),
        model=sql.Literal(model.name),
    )
