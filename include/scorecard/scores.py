"""Scores as they are published: read, never worked out again.

In: a connection to the warehouse. Out: `Score`s of ``marts.experience_scores``, the
total of the last periods and the shown breakdowns of the last months.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import psycopg
from psycopg.rows import class_row

Metric = Literal["nps", "csat", "ces", "easy_share"]

BREAKDOWNS = ("journey_stage", "experience_channel", "country", "segment")
# Breakdowns that only make sense for an answer about one contact.
CONTACT_BREAKDOWNS = ("journey_stage", "experience_channel")
UNKNOWN = "(unknown)"


@dataclass(frozen=True)
class Score:
    """One published score; its figures are null where it is hidden."""

    metric: Metric
    survey_kind: str
    is_confidential: bool
    period_grain: str
    period_start: date
    period_end: date
    period_label: str
    is_complete_period: bool
    breakdown: str
    breakdown_value: str
    promoters: int | None
    passives: int | None
    detractors: int | None
    responses: int | None
    score: float | None
    low_95: float | None
    high_95: float | None
    change_points: float | None
    p_value_adjusted: float | None
    is_significant_change: bool | None
    change_method: str | None
    target: float | None
    gap_to_target: float | None
    weighted_score: float | None
    weighted_low_95: float | None
    weighted_high_95: float | None
    hidden_as: str | None
    sample_status: str

    @property
    def is_shown(self) -> bool:
        """Whether there are enough answers to show a score at all."""
        return self.score is not None and self.sample_status in (
            "indicative",
            "reportable",
        )


def read_scores(connection: psycopg.Connection) -> Sequence[Score]:
    """Read the scores of the page, oldest first; none before the first publish."""
    if not is_published(connection, "experience_scores"):
        return []
    query = """
        with latest as (
            select
                max(period_start) as period_start,
                max(period_start) filter (where period_grain = 'month') as month_start
            from marts.experience_scores
        )

        select
            metric, survey_kind, is_confidential, period_grain, period_start,
            period_end, period_label, is_complete_period, breakdown, breakdown_value,
            promoters, passives, detractors, responses,
            cast(score as float8) as score,
            cast(score_low_95 as float8) as low_95,
            cast(score_high_95 as float8) as high_95,
            cast(score_change as float8) as change_points,
            cast(p_value_adjusted as float8) as p_value_adjusted,
            is_significant_change,
            change_method,
            cast(target as float8) as target,
            cast(gap_to_target as float8) as gap_to_target,
            cast(weighted_score as float8) as weighted_score,
            cast(weighted_low_95 as float8) as weighted_low_95,
            cast(weighted_high_95 as float8) as weighted_high_95,
            hidden_as,
            sample_status
        from marts.experience_scores as scores
        where period_grain in ('month', 'week')
            and period_start >= (select period_start - interval '15 months' from latest)
            and (
                breakdown = 'total'
                or (
                    period_grain = 'month'
                    and breakdown = any(%s)
                    and period_start
                        >= (select month_start - interval '3 months' from latest)
                )
            )
        order by period_start, breakdown, breakdown_value
        """
    with connection.cursor(row_factory=class_row(Score)) as cursor:
        return cursor.execute(query, [list(BREAKDOWNS)]).fetchall()


def is_published(connection: psycopg.Connection, table: str) -> bool:
    """Whether there is such a table in marts yet."""
    row = connection.execute("select to_regclass(%s)", [f"marts.{table}"]).fetchone()
    return row is not None and row[0] is not None
