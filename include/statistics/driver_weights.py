"""Drivers of the scores of the months to compute.

In: ``warehouse.fct_survey_responses``, and its months in ``audit.dirty_keys``. Out: the
temporary tables `driver_months_computed` (period_key) and `driver_weights_new`, like
``statistics.driver_weights``.

Of each survey that asks about drivers, the answers that have the outcome and all
drivers (listwise deletion). A driver that all answered alike explains nothing and is
left out.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import psycopg

from include.statistics.dominance import Weights, correlate, weigh_drivers

log = logging.getLogger(__name__)

FEWEST_ANSWERS, ANSWERS_PER_DRIVER = 50, 10
MOST_DRIVERS = 12  # 4,096 regressions

_MONTHS = """
    create temporary table driver_months_computed on commit drop as
    select key as period_key from audit.dirty_keys
    where place = 'fct_survey_responses.answered_month'
"""
_EVERY_MONTH = """
    create temporary table driver_months_computed on commit drop as
    select distinct 'month:' || cast(date_trunc('month', answered_date) as date)
        as period_key
    from warehouse.fct_survey_responses
    where metric = 'driver'
    union
    select period_key from statistics.driver_weights
"""
_ANSWERS = """
    select survey_id, question_id, metric, driver, response_id, score
    from warehouse.fct_survey_responses
    where answered_date >= cast(%(start)s as date)
        and answered_date < cast(%(start)s as date) + interval '1 month'
        and is_counted
        and not is_confidential
        and survey_id in (
            select survey_id from warehouse.survey_questions where metric = 'driver'
        )
    order by survey_id, question_id, response_id
"""


@dataclass
class _Question:
    """One question of a survey in a month: who answered what."""

    question_id: str
    metric: str
    driver: str | None
    scores: dict[str, int] = field(default_factory=dict)


def compute(connection: psycopg.Connection, *, is_whole: bool) -> int:
    """Compute the drivers of the months that changed; returns how many months."""
    connection.execute(_EVERY_MONTH if is_whole else _MONTHS)
    connection.execute(
        "create temporary table driver_weights_new"
        " (like statistics.driver_weights) on commit drop"
    )
    months = connection.execute(
        "select period_key from driver_months_computed order by period_key"
    ).fetchall()
    for (period_key,) in months:
        rows = [
            row
            for survey, questions in _read_surveys(connection, period_key)
            for outcome in questions
            if outcome.driver is None
            for row in weigh(period_key, survey, outcome, questions)
        ]
        with (
            connection.cursor() as cursor,
            cursor.copy("copy driver_weights_new from stdin") as copy,
        ):
            for row in rows:
                copy.write_row(row)
    return len(months)


def _read_surveys(
    connection: psycopg.Connection, period_key: str
) -> Iterator[tuple[str, list[_Question]]]:
    surveys: dict[str, dict[str, _Question]] = {}
    start = period_key.removeprefix("month:")
    for survey, question, metric, driver, response, score in connection.execute(
        _ANSWERS, {"start": start}
    ):
        questions = surveys.setdefault(survey, {})
        answered = questions.setdefault(question, _Question(question, metric, driver))
        answered.scores[response] = score
    for survey, questions in surveys.items():
        yield survey, list(questions.values())


def weigh(
    period_key: str, survey: str, outcome: _Question, questions: list[_Question]
) -> list[tuple[object, ...]]:
    """The rows of one outcome: one for each driver that anybody answered."""
    asked = [question for question in questions if question.driver is not None]
    if not asked:
        return []
    complete = [
        response
        for response in sorted(outcome.scores)
        if all(response in question.scores for question in asked)
    ]
    scores = np.array(
        [[one.scores[response] for one in (outcome, *asked)] for response in complete],
        dtype=np.int64,
    ).reshape(len(complete), 1 + len(asked))
    is_constant = (
        (scores == scores[0]).all(axis=0) if len(scores) else np.zeros(1 + len(asked))
    ).astype(bool)
    kept = np.flatnonzero(~is_constant[1:])
    needed = max(FEWEST_ANSWERS, ANSWERS_PER_DRIVER * len(kept))
    status = _judge(len(complete), needed, len(kept), outcome_varies=not is_constant[0])
    weights = None
    if status == "published":
        weights = weigh_drivers(correlate(scores[:, np.r_[0, 1 + kept]]))
    place = {int(column): number for number, column in enumerate(kept)}
    return [
        (
            "|".join((period_key, survey, outcome.question_id, question.question_id)),
            period_key,
            survey,
            outcome.metric,
            question.question_id,
            question.driver,
            status if column in place else "constant",
            len(kept),
            len(complete),
            len(outcome.scores) - len(complete),
            needed,
            *_describe(weights, place.get(column)),
        )
        for column, question in enumerate(asked)
    ]


def _judge(answers: int, needed: int, drivers: int, *, outcome_varies: bool) -> str:
    if answers < needed:
        return "too_few_answers"
    if drivers > MOST_DRIVERS:
        return "too_many_drivers"
    return "published" if outcome_varies else "constant_outcome"


def _describe(weights: Weights | None, place: int | None) -> tuple[Decimal | None, ...]:
    """Correlation, beta, both kinds of weights with their shares, R²."""
    if weights is None or place is None:
        return (None,) * 7
    johnson = None if weights.johnson is None else weights.johnson[place]
    return (
        _round(weights.correlation[place]),
        _round(weights.beta[place]),
        _round(weights.dominance[place]),
        _round(100 * weights.dominance[place] / weights.r_squared),
        None if johnson is None else _round(johnson),
        None if johnson is None else _round(100 * johnson / weights.r_squared),
        _round(weights.r_squared),
    )


def _round(value: float) -> Decimal:
    # Further digits are those of the machine; and no minus before a zero.
    return Decimal(f"{value:.6f}") + 0
