"""Weighted scores of the periods to compute.

In: the daily marts, the surveys and ``int_survey_frames``. Out: the temporary table
`weighted_scores_new`, like ``statistics.weighted_scores``.

The pools are those of the breakdowns total and survey: metric × survey kind × period,
and the same of one survey. Answers to surveys that ask visitors have no frame: a survey
of that kind has no weighted score, and in a total its answers are unplaced. What the
weighted counts are worth is said by the functions of schema cx, on effective counts.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

import psycopg

from include.statistics.eligible_customers import CUSTOMER
from include.statistics.frames import (
    CustomerMove,
    EligibleFor,
    Frame,
    count_eligible,
    read_customer_moves,
)
from include.statistics.weighting import Cell, Country, Weighted, weight_answers

log = logging.getLogger(__name__)

# Counts of a pool in this order, whatever the metric.
COUNTS = (
    "promoters",
    "passives",
    "detractors",
    "top_box",
    "score_sum",
    "score_sum_squares",
)
VISITOR = "visitor"

_ANSWERS = """
    with daily_counts as (
        select 'nps' as metric, survey_kind, survey_id, segment, country,
            promoters, passives, detractors, 0 as top_box, 0 as score_sum,
            0 as score_sum_squares, responses, answered_date
        from warehouse.mart_nps_daily
        union all
        select 'csat', survey_kind, survey_id, segment, country,
            0, 0, 0, top_box, 0, 0, responses, answered_date
        from warehouse.mart_csat_daily
        union all
        select metrics.metric, daily.survey_kind, daily.survey_id, daily.segment,
            daily.country, 0, 0, 0, daily.easy, daily.score_sum,
            daily.score_sum_squares, daily.responses, daily.answered_date
        from warehouse.mart_ces_daily as daily
        cross join (values ('ces'), ('easy_share')) as metrics (metric)
    )
    select
        periods.period_key, periods.period_end, daily_counts.metric,
        daily_counts.survey_kind, daily_counts.survey_id, surveys.eligible_for,
        daily_counts.country, daily_counts.segment,
        cast(sum(daily_counts.responses) as bigint) as responses,
        cast(sum(daily_counts.promoters) as bigint) as promoters,
        cast(sum(daily_counts.passives) as bigint) as passives,
        cast(sum(daily_counts.detractors) as bigint) as detractors,
        cast(sum(daily_counts.top_box) as bigint) as top_box,
        cast(sum(daily_counts.score_sum) as bigint) as score_sum,
        cast(sum(daily_counts.score_sum_squares) as bigint) as score_sum_squares
    from days_computed as periods
    inner join daily_counts
        on daily_counts.answered_date = periods.date_day
    inner join warehouse.surveys as surveys
        on surveys.survey_id = daily_counts.survey_id
    where surveys.anonymity <> 'confidential'
    group by
        periods.period_key, periods.period_end, daily_counts.metric,
        daily_counts.survey_kind, daily_counts.survey_id, surveys.eligible_for,
        daily_counts.country, daily_counts.segment
"""

_SCORES = """
    insert into weighted_scores_new
    select
        score_period_key,
        period_key,
        case metric
            when 'nps' then cx.nps(promoters, passives, detractors)
            when 'ces' then cx.ces(score_sum, responses)
            else cx.share_percent(top_box, responses)
        end,
        case
            when metric = 'nps' then cx.nps_low_95(promoters, passives, detractors)
            when metric <> 'ces' then cx.share_low_95(top_box, responses)
            when responses >= 2 and not is_constant
                then cx.ces_low_95(score_sum, score_sum_squares, responses)
        end,
        case
            when metric = 'nps' then cx.nps_high_95(promoters, passives, detractors)
            when metric <> 'ces' then cx.share_high_95(top_box, responses)
            when responses >= 2 and not is_constant
                then cx.ces_high_95(score_sum, score_sum_squares, responses)
        end,
        round(responses, 6),
        round(design_effect, 6),
        weighting_cells_collapsed,
        unplaced_responses
    from effective_counts
"""


@dataclass(frozen=True)
class _Answers:
    """The answers to one survey in one cell of a pool."""

    survey_id: str
    eligible_for: str
    cell: Cell
    responses: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class _Pool:
    """What one score is about."""

    score_period_key: str
    period_key: str
    period_end: date
    metric: str


def compute(connection: psycopg.Connection, countries: Mapping[str, Country]) -> int:
    """Compute the weighted scores of `periods_computed`; returns how many there are."""
    connection.execute(
        "create temporary table weighted_scores_new"
        " (like statistics.weighted_scores) on commit drop"
    )
    connection.execute(
        "create temporary table effective_counts (score_period_key text,"
        " period_key text, metric text, responses numeric, promoters numeric,"
        " passives numeric, detractors numeric, top_box numeric, score_sum numeric,"
        " score_sum_squares numeric, is_constant boolean, design_effect numeric,"
        " weighting_cells_collapsed text, unplaced_responses bigint) on commit drop"
    )
    by_frame: dict[EligibleFor, dict[_Pool, list[_Answers]]] = {}
    for pool, answers in _read_pools(connection).items():
        eligible_for = frozenset(one.eligible_for for one in answers) - {VISITOR}
        if eligible_for:
            by_frame.setdefault(eligible_for, {})[pool] = answers
    customer_moves: list[CustomerMove] = []
    if any(CUSTOMER in eligible_for for eligible_for in by_frame):
        customer_moves = read_customer_moves(connection)
    for eligible_for in sorted(by_frame, key=sorted):
        pools = by_frame[eligible_for]
        frames = count_eligible(
            connection,
            eligible_for,
            {pool.period_key: pool.period_end for pool in pools},
            customer_moves,
        )
        weighted = _weigh_pools(connection, pools, frames, countries)
        log.info(
            "weighting: %s scores to those eligible by %s",
            weighted,
            " or ".join(sorted(eligible_for)),
        )
    return connection.execute(_SCORES).rowcount


def _weigh_pools(
    connection: psycopg.Connection,
    pools: Mapping[_Pool, Sequence[_Answers]],
    frames: Mapping[str, Frame],
    countries: Mapping[str, Country],
) -> int:
    """Weight pools by the frames of their periods; returns how many could be."""
    done = 0
    with (
        connection.cursor() as cursor,
        cursor.copy("copy effective_counts from stdin") as copy,
    ):
        for pool, answers in pools.items():
            row = _weigh(pool, answers, frames[pool.period_key], countries)
            if row is not None:
                copy.write_row(row)
                done += 1
    return done


def _weigh(
    pool: _Pool,
    answers: Sequence[_Answers],
    frame: Frame,
    countries: Mapping[str, Country],
) -> tuple[object, ...] | None:
    """Return a row of effective_counts; None when no answer can be placed."""
    responses: Counter[Cell] = Counter()
    counts: dict[Cell, list[int]] = {}
    without_frame = 0
    for one in answers:
        if one.eligible_for == VISITOR:
            without_frame += one.responses
            continue
        responses[one.cell] += one.responses
        before = counts.get(one.cell, [0] * len(COUNTS))
        counts[one.cell] = [sum(both) for both in zip(before, one.counts, strict=True)]
    weighted = weight_answers(frame, responses, counts, countries)
    if weighted is None:
        return None
    return (
        pool.score_period_key,
        pool.period_key,
        pool.metric,
        _round(weighted.effective_responses),
        *(_round(share * weighted.effective_responses) for share in weighted.shares),
        _is_constant(weighted),
        _round(weighted.design_effect),
        "; ".join(weighted.collapsed) or None,
        weighted.unplaced_responses + without_frame,
    )


def _is_constant(weighted: Weighted) -> bool:
    """Whether all scores are equal: their mean square is the square of their mean."""
    mean = weighted.shares[COUNTS.index("score_sum")]
    return weighted.shares[COUNTS.index("score_sum_squares")] == mean**2


def _round(value: Fraction) -> Decimal:
    """Round to twelve decimals, half to even, the same on every machine."""
    return Decimal(round(value * 10**12)).scaleb(-12)


def _read_pools(connection: psycopg.Connection) -> dict[_Pool, list[_Answers]]:
    """The pools of every period to compute: the total, and each survey."""
    answers_of: dict[_Pool, list[_Answers]] = {}
    for period_key, period_end, metric, survey_kind, *rest in connection.execute(
        _ANSWERS
    ):
        answers = _read_answers(*rest)
        for cut in ("total|(all)", f"survey|{answers.survey_id}"):
            key = f"{metric}|{survey_kind}|{period_key}|{cut}"
            pool = _Pool(key, period_key, period_end, metric)
            answers_of.setdefault(pool, []).append(answers)
    return answers_of


def _read_answers(
    survey_id: str,
    eligible_for: str,
    country: str,
    segment: str,
    responses: int,
    *counts: int,
) -> _Answers:
    return _Answers(survey_id, eligible_for, Cell(country, segment), responses, counts)
