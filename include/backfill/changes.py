"""What the next publish will change for readers, before it does.

In: a warehouse that is built, and the ``marts`` that are published. Out: rows by mart,
and the figures of closed periods that will read otherwise. Nothing is written.
"""

from dataclasses import dataclass

import psycopg

from include.building.published_tables import read_columns, read_models
from include.building.restatements import (
    ChangedFigure,
    foretell_restatements,
    read_declarations,
)
from include.building.shown_version import read_shown_version
from include.building.unpublished_rows import (
    MartChange,
    compose_difference,
    count_changes,
    read_unpublished,
)
from include.runs import record_step
from include.settings import Settings, connect

SHOWN_FIGURES = 10


@dataclass(frozen=True)
class MartChanges:
    """Rows that will go and come, by mart, and the closed figures that will change."""

    marts: list[MartChange]
    figures: list[ChangedFigure]


def compare_marts(settings: Settings, run_id: str) -> MartChanges:
    """Compare what is built with what is published."""
    with (
        record_step(settings, run_id, "compare"),
        connect(settings, "publisher") as connection,
    ):
        marts = count_changes(connection)
        figures = _foretell(connection, marts)
    return MartChanges(marts, figures)


def describe_changes(changes: MartChanges) -> list[str]:
    """Return the lines that tell a person what will change."""
    if not changes.marts:
        return ["compare: nothing changes for readers"]
    lines = [
        f"compare: {mart.name}: "
        + (
            f"new, {mart.rows_in:,} rows"
            if mart.is_new
            else f"{mart.rows_out:,} rows out, {mart.rows_in:,} rows in"
        )
        for mart in changes.marts
    ]
    figures = len(changes.figures)
    lines.append(f"compare: {figures:,} figures of closed periods will read otherwise")
    lines += [f"  {figure.describe()}" for figure in changes.figures[:SHOWN_FIGURES]]
    if figures > SHOWN_FIGURES:
        lines.append(f"  and {figures - SHOWN_FIGURES:,} more")
    return lines


def _foretell(
    connection: psycopg.Connection, changed: list[MartChange]
) -> list[ChangedFigure]:
    """Find the figures of closed periods that will change, as publish notes them."""
    before = read_shown_version(connection)
    if before is None:
        return []
    declarations = read_declarations(connection)
    names = {mart.name for mart in changed if not mart.is_new}
    unpublished = read_unpublished(connection)
    built = read_columns(connection, "warehouse")
    published = read_columns(connection, "marts")
    figures: list[ChangedFigure] = []
    for model in read_models(connection):
        columns = built[model.name]
        # Of a mart that changes its columns, publish compares what is left of them.
        if (
            model.name not in names & declarations.keys()
            or published[model.name] != columns
        ):
            continue
        differing = compose_difference(model, columns, is_whole=unpublished[model.name])
        figures += foretell_restatements(
            connection, model, declarations[model.name], before, differing
        )
    return figures
