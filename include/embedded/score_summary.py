"""The scores that `make run` prints, read from marts.

In: a connection to the warehouse. Out: the totals of NPS, CSAT and CES per kind of
survey, for the last complete month and the latest quarter; what moved them in the last
complete week; and lines that show both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import psycopg
from psycopg import sql
from psycopg.rows import class_row

METRICS = {"nps": "NPS", "csat": "CSAT", "ces": "CES"}
DECIMALS = {"nps": 1, "csat": 1, "ces": 2}


@dataclass(frozen=True)
class TotalScore:
    """The score of all answers of one kind of survey in one period."""

    metric: str
    survey_kind: str
    period_grain: str
    period_label: str
    is_complete_period: bool
    responses: int
    score: Decimal | None
    low_95: Decimal | None
    high_95: Decimal | None


def read_totals(connection: psycopg.Connection) -> list[TotalScore]:
    """Read the totals that are published: [] before the first publish."""
    totals = []
    for metric in METRICS:
        table = f"{metric}_scores"
        found = connection.execute("select to_regclass(%s)", [f"marts.{table}"])
        if found.fetchone() == (None,):
            continue
        query = sql.SQL(
            """
            with latest as (
                select survey_kind, period_grain, max(period_start) as period_start
                from marts.{table}
                where
                    breakdown = 'total'
                    and responses > 0
                    and (
                        (period_grain = 'month' and is_complete_period)
                        or period_grain = 'quarter'
                    )
                group by survey_kind, period_grain
            )
            select
                {metric} as metric, survey_kind, period_grain, scores.period_label,
                scores.is_complete_period, scores.responses, scores.{score} as score,
                scores.{low} as low_95, scores.{high} as high_95
            from marts.{table} as scores
            inner join latest using (survey_kind, period_grain, period_start)
            where scores.breakdown = 'total'
            order by survey_kind, period_grain
            """
        ).format(
            table=sql.Identifier(table),
            metric=sql.Literal(metric),
            score=sql.Identifier(metric),
            low=sql.Identifier(f"{metric}_low_95"),
            high=sql.Identifier(f"{metric}_high_95"),
        )
        with connection.cursor(row_factory=class_row(TotalScore)) as cursor:
            totals += cursor.execute(query).fetchall()
    return totals


@dataclass(frozen=True)
class Mover:
    """The stage that moved a score most in one week."""

    metric: str
    survey_kind: str
    period_label: str
    score_change: Decimal
    journey_stage: str
    contribution_points: Decimal


def read_movers(connection: psycopg.Connection) -> list[Mover]:
    """Read what moved each score most in its last complete week with a week before."""
    movers = []
    for metric in METRICS:
        tables = ("marts.score_movers", f"marts.{metric}_scores")
        found = connection.execute("select to_regclass(%s), to_regclass(%s)", tables)
        if None in (found.fetchone() or (None,)):
            continue
        query = sql.SQL(
            """
            with latest as (
                select survey_kind, max(period_start) as period_start
                from marts.{table}
                where
                    period_grain = 'week'
                    and breakdown = 'total'
                    and is_complete_period
                group by survey_kind
            )
            select
                movers.metric, survey_kind, movers.period_label, movers.score_change,
                movers.breakdown_value as journey_stage, movers.contribution_points
            from marts.score_movers as movers
            inner join latest using (survey_kind, period_start)
            where
                movers.metric = {metric}
                and movers.period_grain = 'week'
                and movers.dimension = 'journey_stage'
                and movers.contribution_rank = 1
                and movers.breakdown_value <> '(unknown)'
            order by survey_kind
            """
        ).format(table=sql.Identifier(f"{metric}_scores"), metric=sql.Literal(metric))
        with connection.cursor(row_factory=class_row(Mover)) as cursor:
            movers += cursor.execute(query).fetchall()
    return movers


def describe_movers(movers: Iterable[Mover]) -> list[str]:
    """Return one line for each."""
    return [
        f"{METRICS[mover.metric]:<6}{mover.survey_kind:<15}{mover.period_label:<16}"
        f"{mover.score_change:>+7.{DECIMALS[mover.metric]}f}   most of it: "
        f"{mover.journey_stage}, "
        f"{mover.contribution_points:+.{DECIMALS[mover.metric]}f}"
        for mover in movers
    ]


def describe_totals(totals: Iterable[TotalScore]) -> list[str]:
    """Return a table as lines of text, the heading first."""
    lines = [
        f"{'':<6}{'survey':<15}{'period':<16}{'score':>7}   {'95 % interval':<17}"
        f"{'answers':>8}"
    ]
    for total in totals:
        period = total.period_label
        if not total.is_complete_period:
            period += " so far"
        lines.append(
            f"{METRICS[total.metric]:<6}{total.survey_kind:<15}{period:<16}"
            f"{_describe_number(total.score, total.metric):>7}   "
            f"{_describe_interval(total):<17}{total.responses:>8,}"
        )
    return lines


def _describe_interval(total: TotalScore) -> str:
    if total.low_95 is None or total.high_95 is None:
        return "too few answers"
    low = _describe_number(total.low_95, total.metric)
    high = _describe_number(total.high_95, total.metric)
    return f"{low} to {high}"


def _describe_number(number: Decimal | None, metric: str) -> str:
    return "-" if number is None else f"{number:.{DECIMALS[metric]}f}"
