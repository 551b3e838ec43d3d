"""Restatements: which figure of a closed period a change of marts changes, and why.

In: the temporary table ``rows_differing`` of a publish or a rollback (old and new rows
of one mart), what the mart declares as final (`restated_figures`), and the version that
marts showed before. Out: rows in ``audit.restatements``, in the same transaction;
readers see them, with their causes (`restatement_causes`), as ``marts.restatements``.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

import psycopg
from psycopg import sql

from include.building.published_tables import PublishedModel, list_names
from include.building.restated_figures import RestatedFigures
from include.building.shown_version import ShownVersion
from include.errors import PublishError


@dataclass(frozen=True)
class ChangedFigure:
    """A figure of a closed period, and what it was and will be; None: it is not there.

    described_as : where it stands in its mart, as "metric nps, breakdown total"
    """

    model: str
    period_key: str
    described_as: str
    figure: str
    old_value: Decimal | None
    new_value: Decimal | None

    def describe(self) -> str:
        """Say it in one line."""
        return (
            f"{self.model}, {self.period_key}, {self.described_as}: {self.figure}"
            f" {_show(self.old_value)} to {_show(self.new_value)}"
        )


def _show(value: Decimal | None) -> str:
    return "none" if value is None else f"{value.normalize():,f}"


def read_declarations(connection: psycopg.Connection) -> dict[str, RestatedFigures]:
    """Read what the last build found declared, by model."""
    rows = connection.execute(
        "select model, restated from audit.models where restated is not null"
    ).fetchall()
    return {model: RestatedFigures.model_validate(text) for model, text in rows}


def note_restatements(
    connection: psycopg.Connection,
    publish_id: int,
    model: PublishedModel,
    restated: RestatedFigures,
    before: ShownVersion,
    new_columns: Collection[str] = (),
) -> int:
    """Note each figure of rows_differing that was final in the version before.

    A row that comes late is one too, and so is one that goes; but not a figure whose
    column is new.

    Returns the number of figures noted; the caller then notes the cause.
    """
    figures = [name for name in restated.figures if name not in new_columns]
    if not figures:
        return 0
    changed = _compose_changed_figures(
        model, restated, figures, before, sql.SQL("rows_differing")
    )
    return _execute(
        connection,
        model,
        sql.SQL(
            "insert into audit.restatements (publish_id, model, row_key, period_key,"
            "  period_start, period_end, breakdown, described_as, figure, old_value,"
            "  new_value)"
            " select {publish_id}, {model}, row_key, period_key, period_start,"
            "  period_end, breakdown, described_as, figure, old_value, new_value"
            " from ({changed}) as changed"
        ).format(
            publish_id=sql.Literal(publish_id),
            model=sql.Literal(model.name),
            changed=changed,
        ),
    ).rowcount


def foretell_restatements(
    connection: psycopg.Connection,
    model: PublishedModel,
    restated: RestatedFigures,
    before: ShownVersion,
    differing: sql.Composable,
) -> list[ChangedFigure]:
    """Find the figures that a publish would note, before it does.

    Parameters
    ----------
    differing : the query of the rows that would go and come, as rows_differing
    """
    changed = _compose_changed_figures(
        model,
        restated,
        restated.figures,
        before,
        sql.SQL("({}) as rows_differing").format(differing),
    )
    rows = _execute(
        connection,
        model,
        sql.SQL(
            "select {model}, period_key, described_as, figure, old_value, new_value"
            " from ({changed}) as changed"
        ).format(model=sql.Literal(model.name), changed=changed),
    ).fetchall()
    return [ChangedFigure(*row) for row in rows]


def _execute(
    connection: psycopg.Connection, model: PublishedModel, statement: sql.Composed
) -> psycopg.Cursor:
    try:
        return connection.execute(statement)
    except (psycopg.ProgrammingError, psycopg.DataError) as error:
        raise PublishError(
            f"The model {model.name}: meta.restated does not fit its table "
            f"({error.diag.message_primary}): correct it in {model.name}.yml and build "
            "again; marts stay as they were."
        ) from error


def _compose_changed_figures(
    model: PublishedModel,
    restated: RestatedFigures,
    figures: Collection[str],
    before: ShownVersion,
    differing: sql.Composable,
) -> sql.Composed:
    """Compose the query of the figures that were final in the version before and that
    the rows of `differing` change."""
    return sql.SQL(
        "with sides as ("
        " select is_built, concat_ws('|', {row_key}) as row_key,"
        "  coalesce({closed_when}, false) as is_closed,"
        "  cast({closed_on} as date) as closed_on,"
        "  cast({period_key} as text) as period_key,"
        "  cast({period_start} as date) as period_start,"
        "  cast({period_end} as date) as period_end,"
        "  jsonb_build_object({cuts}) as breakdown,"
        "  concat_ws(', ', {described}) as described_as, {figures}"
        " from {differing} where {only_where}"
        "), pairs as ("
        " select old.row_key is not null as was_there, old.is_closed as was_closed,"
        "  old.closed_on as old_closed_on,"
        "  new.is_closed, new.closed_on, new.period_start as new_period_start,"
        "  coalesce(new.row_key, old.row_key) as row_key,"
        "  coalesce(new.period_key, old.period_key) as period_key,"
        "  coalesce(new.period_start, old.period_start) as period_start,"
        "  coalesce(new.period_end, old.period_end) as period_end,"
        "  coalesce(new.breakdown, old.breakdown) as breakdown,"
        "  coalesce(new.described_as, old.described_as) as described_as, {pairs}"
        " from (select * from sides where not is_built) as old"
        " full join (select * from sides where is_built) as new"
        "  on new.row_key = old.row_key"
        ")"
        " select pairs.row_key, pairs.period_key,"
        "  pairs.period_start, pairs.period_end, pairs.breakdown, pairs.described_as,"
        "  changes.figure, changes.old_value, changes.new_value"
        " from pairs cross join lateral (values {changes})"
        "  as changes (figure, old_value, new_value)"
        " where changes.old_value is distinct from changes.new_value"
        "  and case when pairs.was_there"
        "   then pairs.was_closed and pairs.old_closed_on <= {as_of_date}"
        # Of what was not there: whether its period was closed all the same.
        "   else pairs.is_closed and pairs.closed_on <= {as_of_date}"
        "    and pairs.new_period_start >= {first_date} end"
        ' order by pairs.row_key collate "C", changes.figure collate "C"'
    ).format(
        row_key=list_names(model.row_key),
        # The texts are the project's own, out of a model's YAML.
        only_where=sql.SQL("({})").format(sql.SQL(restated.only_where)),
        closed_when=sql.SQL("({})").format(sql.SQL(restated.closed_when)),
        closed_on=sql.SQL("({})").format(sql.SQL(restated.closed_on)),
        period_key=sql.SQL("({})").format(sql.SQL(restated.period.key)),
        period_start=sql.SQL("({})").format(sql.SQL(restated.period.start)),
        period_end=sql.SQL("({})").format(sql.SQL(restated.period.end)),
        cuts=sql.SQL(", ").join(
            sql.SQL("{}, {}").format(sql.Literal(name), sql.Identifier(name))
            for name in restated.broken_down_by
        ),
        described=sql.SQL(", ").join(
            sql.SQL("{} || {}").format(sql.Literal(f"{name} "), sql.Identifier(name))
            for name in restated.broken_down_by
        ),
        figures=sql.SQL(", ").join(
            sql.SQL("cast({} as numeric) as {}").format(
                sql.Identifier(name), sql.Identifier(f"figure {name}")
            )
            for name in figures
        ),
        pairs=sql.SQL(", ").join(
            sql.SQL("old.{0} as {1}, new.{0} as {2}").format(
                sql.Identifier(f"figure {name}"),
                sql.Identifier(f"old {name}"),
                sql.Identifier(f"new {name}"),
            )
            for name in figures
        ),
        changes=sql.SQL(", ").join(
            sql.SQL("({}, pairs.{}, pairs.{})").format(
                sql.Literal(name),
                sql.Identifier(f"old {name}"),
                sql.Identifier(f"new {name}"),
            )
            for name in figures
        ),
        differing=differing,
        as_of_date=sql.Literal(before.as_of_date),
        first_date=sql.Literal(before.first_date),
    )
