"""Read what the scorecard shows out of marts, and arrange it.

In: a connection to the warehouse. Out: a `Scorecard` of plain dataclasses; every score
and interval is the published one, nothing is worked out again here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

Metric = Literal["nps", "csat", "ces"]

METRICS: tuple[Metric, ...] = ("nps", "csat", "ces")
SURVEY_KINDS = ("relational", "transactional")
STAGES = (
    "discovery",
    "recognition",
    "consideration",
    "purchase",
    "delivery",
    "use",
    "support",
    "loyalty",
)
BREAKDOWNS = ("journey_stage", "experience_channel", "country", "segment")
# Breakdowns that only make sense for an answer about one contact.
CONTACT_BREAKDOWNS = ("journey_stage", "experience_channel")
UNKNOWN = "(unknown)"
SHOWN_PERIODS = 13


@dataclass(frozen=True)
class Score:
    """One published score; its figures are null where there are too few answers."""

    metric: Metric
    survey_kind: str
    period_grain: str
    period_start: date
    period_end: date
    period_label: str
    is_complete_period: bool
    breakdown: str
    breakdown_value: str
    responses: int
    score: float | None
    low_95: float | None
    high_95: float | None
    change_points: float | None
    p_value: float | None
    sample_status: str
    counts: Mapping[str, float | None]

    @property
    def is_shown(self) -> bool:
        """Whether there are enough answers to show a score at all."""
        return self.score is not None and self.sample_status in (
            "indicative",
            "reportable",
        )


@dataclass(frozen=True)
class BreakdownRow:
    """One value of a breakdown, now and in the month before; None: no answers."""

    value: str
    score: Score | None
    previous: Score | None


@dataclass(frozen=True)
class Section:
    """All that is shown of one metric of one kind of survey; the two never mix."""

    metric: Metric
    survey_kind: str
    headline: Score | None
    previous: Score | None
    running: Score | None
    months: Sequence[Score]
    weeks: Sequence[Score]
    breakdowns: Mapping[str, Sequence[BreakdownRow]]

    @property
    def name(self) -> str:
        """Its anchor on the page."""
        return f"{self.metric}-{self.survey_kind}"


@dataclass(frozen=True)
class SourceStatus:
    """How fresh one source is; counts are those of the last build."""

    source: str
    role: str
    as_of_date: date | None
    latest_batch_date: date | None
    rows_rejected: int
    rows_quarantined: int
    unmatched_identities: int
    unmapped_events: int
    held_loads: int
    failed_feeds: int
    last_failure: str | None
    is_behind: bool


@dataclass(frozen=True)
class Scorecard:
    """The whole page. `month` is the latest complete month, else the running one."""

    month_start: date | None
    is_complete_month: bool
    as_of_date: date | None
    published_at: datetime | None
    sources: Sequence[SourceStatus]
    sections: Sequence[Section] = field(default_factory=list)


def read_scorecard(connection: psycopg.Connection) -> Scorecard:
    """Read the page's content; tables that are not published yet count as empty."""
    scores: list[Score] = []
    for metric in METRICS:
        scores += _read_scores(connection, metric)
    months = sorted(
        {score.period_start for score in scores if score.period_grain == "month"}
    )
    complete = sorted(
        {
            score.period_start
            for score in scores
            if score.period_grain == "month" and score.is_complete_period
        }
    )
    month = complete[-1] if complete else months[-1] if months else None
    sources, published_at = _read_sources(connection)
    as_of_dates = [source.as_of_date for source in sources if source.as_of_date]
    return Scorecard(
        month_start=month,
        is_complete_month=bool(complete),
        as_of_date=min(as_of_dates, default=None),
        published_at=published_at,
        sources=sources,
        sections=[
            _arrange_section(
                [
                    score
                    for score in scores
                    if (score.metric, score.survey_kind) == (metric, survey_kind)
                ],
                metric,
                survey_kind,
                month,
            )
            for metric in METRICS
            for survey_kind in SURVEY_KINDS
            if month
            and any(
                (score.metric, score.survey_kind) == (metric, survey_kind)
                for score in scores
            )
        ],
    )


def _arrange_section(
    scores: Sequence[Score], metric: Metric, survey_kind: str, month: date
) -> Section:
    totals = [score for score in scores if score.breakdown == "total"]
    months = [score for score in totals if score.period_grain == "month"]
    weeks = [score for score in totals if score.period_grain == "week"]
    monthly = {
        (score.period_start, score.breakdown, score.breakdown_value): score
        for score in scores
        if score.period_grain == "month"
    }
    before = _previous_month(month)
    breakdowns = {}
    for breakdown in BREAKDOWNS:
        if survey_kind == "relational" and breakdown in CONTACT_BREAKDOWNS:
            continue
        values = [
            score.breakdown_value
            for score in monthly.values()
            if score.breakdown == breakdown and score.period_start == month
        ]
        breakdowns[breakdown] = [
            BreakdownRow(
                value,
                monthly.get((month, breakdown, value)),
                monthly.get((before, breakdown, value)),
            )
            for value in _sort_values(breakdown, values, monthly, month)
        ]
    return Section(
        metric=metric,
        survey_kind=survey_kind,
        headline=monthly.get((month, "total", "(all)")),
        previous=monthly.get((before, "total", "(all)")),
        running=next((score for score in months if score.period_start > month), None),
        months=months[-SHOWN_PERIODS:],
        weeks=weeks[-SHOWN_PERIODS:],
        breakdowns={name: rows for name, rows in breakdowns.items() if rows},
    )


def _sort_values(
    breakdown: str,
    values: Iterable[str],
    monthly: Mapping[tuple[date, str, str], Score],
    month: date,
) -> list[str]:
    """Stages along the path, all of them; other values by answers; unknown last."""
    known = [value for value in values if value != UNKNOWN]
    if breakdown == "journey_stage":
        ordered = [*STAGES, *sorted(set(known) - set(STAGES))]
    else:
        ordered = sorted(
            known,
            key=lambda value: (-monthly[month, breakdown, value].responses, value),
        )
    return [*ordered, *([UNKNOWN] if UNKNOWN in values else [])]


def _read_scores(connection: psycopg.Connection, metric: Metric) -> list[Score]:
    """Read totals of the last periods and the breakdowns of the last months."""
    if not _exists(connection, f"marts.{metric}_scores"):
        return []
    counts = {
        "nps": ("promoters", "passives", "detractors"),
        "csat": ("top_box",),
        "ces": ("easy", "easy_share", "easy_share_low_95", "easy_share_high_95"),
    }[metric]
    query = sql.SQL(
        "select survey_kind, period_grain, period_start, period_end, period_label,"
        " is_complete_period, breakdown, breakdown_value, responses,"
        " {score} as score, {low} as low_95, {high} as high_95,"
        " {change} as change_points, p_value, sample_status, {counts}"
        " from {table} as scores"
        " where period_grain in ('month', 'week')"
        " and (breakdown = 'total' or (period_grain = 'month' and period_start >= ("
        "   select max(period_start) - interval '3 months' from {table}"
        "   where period_grain = 'month')))"
        " and period_start >= ("
        "   select max(period_start) - interval '15 months' from {table})"
        " order by period_start, breakdown, breakdown_value"
    ).format(
        score=sql.Identifier(metric),
        low=sql.Identifier(f"{metric}_low_95"),
        high=sql.Identifier(f"{metric}_high_95"),
        change=sql.Identifier(f"{metric}_change_points"),
        counts=sql.SQL(", ").join(map(sql.Identifier, counts)),
        table=sql.Identifier("marts", f"{metric}_scores"),
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query).fetchall()
    return [_build_score(metric, row, counts) for row in rows]


def _build_score(
    metric: Metric, row: Mapping[str, Any], counts: Sequence[str]
) -> Score:
    figures = ("score", "low_95", "high_95", "change_points", "p_value", *counts)
    values: dict[str, Any] = {
        name: _to_float(value) if name in figures else value
        for name, value in row.items()
    }
    return Score(
        metric=metric, counts={name: values.pop(name) for name in counts}, **values
    )


def _read_sources(
    connection: psycopg.Connection,
) -> tuple[list[SourceStatus], datetime | None]:
    if not _exists(connection, "marts.data_status"):
        return [], None
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "select * from marts.data_status order by role, source"
        ).fetchall()
    latest = max((row["as_of_date"] for row in rows if row["as_of_date"]), default=None)
    sources = [
        SourceStatus(
            source=row["source"],
            role=row["role"],
            as_of_date=row["as_of_date"],
            latest_batch_date=row["latest_batch_date"],
            rows_rejected=row["rows_rejected"] or 0,
            rows_quarantined=row["rows_quarantined"] or 0,
            unmatched_identities=row["unmatched_identities"] or 0,
            unmapped_events=row["unmapped_events"] or 0,
            held_loads=row["held_loads"] or 0,
            failed_feeds=row["failed_feeds"] or 0,
            last_failure=row["last_failure"],
            is_behind=row["as_of_date"] is None or row["as_of_date"] < latest,
        )
        for row in rows
    ]
    published = [row["published_at"] for row in rows if row["published_at"]]
    return sources, max(published, default=None)


def _exists(connection: psycopg.Connection, relation: str) -> bool:
    row = connection.execute("select to_regclass(%s)", [relation]).fetchone()
    return row is not None and row[0] is not None


def _previous_month(month: date) -> date:
    if month.month == 1:
        return date(month.year - 1, 12, 1)
    return date(month.year, month.month - 1, 1)


def _to_float(value: Any) -> float | None:
    return None if value is None else float(value)
