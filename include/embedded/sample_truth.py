"""Compare the published scores with what the sample company planned.

In: a connection to the warehouse, and the truth.json that was written with the sample's
exports. Out: how many figures were compared, and one sentence for each that differs.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

# The counts from which each score is computed.
MEASURES = {
    "nps": ("promoters", "passives", "detractors", "responses"),
    "csat": ("top_box", "responses"),
    "ces": ("score_sum", "responses"),
}
# The plan's scores are rounded to four decimals.
TOLERANCE = 0.00006

Figures = dict[tuple[str, ...], float]


@dataclass(frozen=True)
class Comparison:
    """How many figures were compared, and what is wrong with those that differ."""

    figures: int
    differences: list[str]


def compare_with_truth(connection: psycopg.Connection, truth_file: Path) -> Comparison:
    """Compare every monthly score and the counts behind it, in every breakdown."""
    truth = json.loads(truth_file.read_text())
    planned: Figures = {}
    published: Figures = {}
    for metric, measures in MEASURES.items():
        columns = (*measures, metric)
        for row in truth[metric]:
            key = (metric, row["survey_kind"], row["month"], row["breakdown"])
            for column in columns:
                planned[*key, row["value"], column] = float(row[column])
        for labels, figures in _read_months(connection, metric, columns):
            for column, figure in zip(columns, figures, strict=True):
                published[metric, *labels, column] = figure
    differences = [
        f"{' '.join(key)} is {_describe(published.get(key))} in marts and "
        f"{_describe(planned.get(key))} in {truth_file.name}."
        for key in sorted(planned.keys() | published.keys())
        if not _is_equal(planned.get(key), published.get(key))
    ]
    return Comparison(len(planned), differences)


def _read_months(
    connection: psycopg.Connection, metric: str, columns: tuple[str, ...]
) -> list[tuple[tuple[str, ...], list[float]]]:
    labels = ("survey_kind", "period_label", "breakdown", "breakdown_value")
    query = sql.SQL("select {} from marts.{} where period_grain = 'month'").format(
        sql.SQL(", ").join(map(sql.Identifier, (*labels, *columns))),
        sql.Identifier(f"{metric}_scores"),
    )
    return [
        (row[: len(labels)], [float(figure) for figure in row[len(labels) :]])
        for row in connection.execute(query)
    ]


def _is_equal(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) < TOLERANCE


def _describe(figure: float | None) -> str:
    return "missing" if figure is None else f"{figure:g}"
