"""What the next publish will change for readers, before it does.

In: a warehouse that is built, and the ``marts`` that are published. Out: rows by mart,
and the figures of closed periods that will read otherwise. Nothing is written.
"""

from dataclasses import dataclass

import psycopg

from include.building.unpublished_rows import MartChange, count_changes
from include.runs import record_step
from include.settings import Settings, connect

SCORES = "experience_scores"
SHOWN_FIGURES = 10


@dataclass(frozen=True)
class ClosedFigure:
    """A score of a period that was published as complete, and what it will be.

    None stands for a figure that is not there.
    """

    metric: str
    survey_kind: str
    period: str
    breakdown: str
    breakdown_value: str
    score_before: float | None
    score_after: float | None
    responses_before: int | None
    responses_after: int | None

    def describe(self) -> str:
        """Say it in one line."""
        place = self.breakdown_value
        if self.breakdown != "total":
            place = f"{self.breakdown} {self.breakdown_value}"
        return (
            f"{self.metric} {self.survey_kind}, {self.period}, {place}:"
            f" {_show(self.score_before)} to {_show(self.score_after)}"
            f" (of {_show(self.responses_before)} answers,"
            f" then of {_show(self.responses_after)})"
        )


@dataclass(frozen=True)
class MartChanges:
    """Rows that will go and come, by mart, and the closed figures that will change."""

    marts: list[MartChange]
    figures: list[ClosedFigure]


def compare_marts(settings: Settings, run_id: str) -> MartChanges:
    """Compare what is built with what is published."""
    with (
        record_step(settings, run_id, "compare"),
        connect(settings, "publisher") as connection,
    ):
        marts = count_changes(connection)
        figures: list[ClosedFigure] = []
        if any(mart.name == SCORES and not mart.is_new for mart in marts):
            figures = _find_closed_figures(connection)
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
    lines.append(f"compare: {figures:,} scores of closed periods will read otherwise")
    lines += [f"  {figure.describe()}" for figure in changes.figures[:SHOWN_FIGURES]]
    if figures > SHOWN_FIGURES:
        lines.append(f"  and {figures - SHOWN_FIGURES:,} more")
    return lines


def _find_closed_figures(connection: psycopg.Connection) -> list[ClosedFigure]:
    """Find them, those over everybody first."""
    rows = connection.execute(
        "select coalesce(old.metric, new.metric),"
        " coalesce(old.survey_kind, new.survey_kind),"
        " coalesce(old.period_grain, new.period_grain) || ' '"
        "  || coalesce(old.period_label, new.period_label),"
        " coalesce(old.breakdown, new.breakdown),"
        " coalesce(old.breakdown_value, new.breakdown_value),"
        " old.score, new.score, old.responses, new.responses"
        " from marts.experience_scores as old"
        " full join warehouse.experience_scores as new"
        "  on new.score_period_key = old.score_period_key"
        # A closed period: it was published as complete, whatever the row itself.
        " where coalesce(old.period_key, new.period_key) in ("
        "  select period_key from marts.experience_scores where is_complete_period)"
        # Two versions of a confidential pool tell what one person answered.
        " and not coalesce(old.is_confidential, new.is_confidential)"
        " and (old.score, old.responses) is distinct from (new.score, new.responses)"
        " order by coalesce(old.breakdown, new.breakdown) <> 'total',"
        "  coalesce(old.period_start, new.period_start),"
        '  coalesce(old.score_period_key, new.score_period_key) collate "C"'
    ).fetchall()
    return [ClosedFigure(*row) for row in rows]


def _show(figure: float | None) -> str:
    return "none" if figure is None else f"{figure:,}"
