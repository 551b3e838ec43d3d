"""Arrange what the scorecard shows.

In: a connection to the warehouse. Out: a `Scorecard` of plain dataclasses; every score
and interval is the published one, nothing is worked out again here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import psycopg

from include.scorecard.journey import Stage, read_journey
from include.scorecard.moves import Move, arrange_moves
from include.scorecard.scores import (
    BREAKDOWNS,
    CONTACT_BREAKDOWNS,
    UNKNOWN,
    Metric,
    Score,
    read_scores,
)
from include.scorecard.sources import SourceStatus, read_sources

METRICS: tuple[Metric, ...] = ("nps", "csat", "ces")
# Metric, kind of survey, and whether its answers are confidential: never mixed.
POOLS = tuple(
    (metric, survey_kind, is_confidential)
    for is_confidential in (False, True)
    for metric in METRICS
    for survey_kind in ("relational", "transactional")
)
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
SHOWN_PERIODS = 13


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
    is_confidential: bool
    headline: Score | None
    previous: Score | None
    running: Score | None
    easy_share: Score | None
    months: Sequence[Score]
    weeks: Sequence[Score]
    breakdowns: Mapping[str, Sequence[BreakdownRow]]

    @property
    def name(self) -> str:
        """Its anchor on the page."""
        name = f"{self.metric}-{self.survey_kind}"
        return f"{name}-confidential" if self.is_confidential else name


@dataclass(frozen=True)
class Scorecard:
    """The whole page. `month` is the latest complete month, else the running one."""

    month_start: date | None
    is_complete_month: bool
    as_of_date: date | None
    published_at: datetime | None
    rolled_back_at: datetime | None
    sources: Sequence[SourceStatus]
    sections: Sequence[Section] = field(default_factory=list)
    moves: Sequence[Move] = field(default_factory=list)
    journey: Sequence[Stage] = field(default_factory=list)


def read_scorecard(connection: psycopg.Connection) -> Scorecard:
    """Read the page's content; tables that are not published yet count as empty."""
    scores = read_scores(connection)
    months = [score for score in scores if score.period_grain == "month"]
    complete = [score.period_start for score in months if score.is_complete_period]
    month = max(complete or [score.period_start for score in months], default=None)
    sources = read_sources(connection)
    pools = [
        (pool, [score for score in scores if _pool_of(score) == pool]) for pool in POOLS
    ]
    return Scorecard(
        month_start=month,
        is_complete_month=bool(complete),
        as_of_date=min((s.as_of_date for s in sources if s.as_of_date), default=None),
        published_at=max(
            (s.published_at for s in sources if s.published_at), default=None
        ),
        rolled_back_at=max(
            (s.rolled_back_at for s in sources if s.rolled_back_at), default=None
        ),
        sources=sources,
        sections=[
            _arrange_section(own, _list_easy_shares(scores, pool), pool, month)
            for pool, own in pools
            if month and own
        ],
        moves=arrange_moves(connection, scores, METRICS),
        journey=read_journey(connection),
    )


def _arrange_section(
    scores: Sequence[Score],
    easy_shares: Sequence[Score],
    pool: tuple[Metric, str, bool],
    month: date,
) -> Section:
    metric, survey_kind, is_confidential = pool
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
        is_confidential=is_confidential,
        headline=monthly.get((month, "total", "(all)")),
        previous=monthly.get((before, "total", "(all)")),
        running=next((score for score in months if score.period_start > month), None),
        easy_share=next(
            (share for share in easy_shares if share.period_start == month), None
        ),
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
        ordered = [*STAGES, *sorted(set(known) - set(STAGES))] if known else []
    else:
        ordered = sorted(
            known,
            key=lambda value: (
                -(monthly[month, breakdown, value].responses or 0),
                value,
            ),
        )
    return [*ordered, *([UNKNOWN] if UNKNOWN in values else [])]


def _pool_of(score: Score) -> tuple[Metric, str, bool]:
    return score.metric, score.survey_kind, score.is_confidential


def _list_easy_shares(
    scores: Sequence[Score], pool: tuple[Metric, str, bool]
) -> list[Score]:
    """List the shares of easy answers that stand beside the mean of a CES pool."""
    metric, survey_kind, is_confidential = pool
    return [
        score
        for score in scores
        if metric == "ces"
        and _pool_of(score) == ("easy_share", survey_kind, is_confidential)
        and score.period_grain == "month"
        and score.breakdown == "total"
    ]


def _previous_month(month: date) -> date:
    if month.month == 1:
        return date(month.year - 1, 12, 1)
    return date(month.year, month.month - 1, 1)
