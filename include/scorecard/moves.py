"""What moved each score in the last complete week, and the sentences about it.

In: a connection to the warehouse (``marts.score_movers``). Out: the largest
contributions to each change, by dimension; rate and mix as published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import psycopg
from psycopg.rows import class_row

from include.scorecard.scores import (
    BREAKDOWNS,
    CONTACT_BREAKDOWNS,
    UNKNOWN,
    Metric,
    Score,
    is_published,
)
from include.scorecard.verdicts import describe_certainty, is_comparable, say_change
from include.scorecard.words import say_number, say_points, say_value

# Per dimension: the page wants the few that matter, the table in marts has all.
SHOWN_MOVERS = 2
# Of rate and mix together, the part that a sentence need not name.
NEARLY_NONE = 0.1
DIMENSION_WORDS = {
    "journey_stage": "stage",
    "experience_channel": "channel",
    "country": "country",
    "segment": "segment",
}


@dataclass(frozen=True)
class Mover:
    """One group of answers, and the points of the change that it contributed."""

    metric: Metric
    survey_kind: str
    dimension: str
    breakdown_value: str
    period_start: date
    responses_before: int
    responses_after: int
    rate_points: float
    mix_points: float
    contribution_points: float


@dataclass(frozen=True)
class Move:
    """The change of one score in one week, and the largest contributions to it."""

    score: Score
    previous: Score | None
    movers: Sequence[Mover]

    @property
    def is_told(self) -> bool:
        """Whether both weeks have enough answers to say what moved the score."""
        return is_comparable(self.score, self.previous) and bool(self.movers)


def read_movers(connection: psycopg.Connection, week: date) -> Sequence[Mover]:
    """Read the contributions to the changes of one week, the largest first."""
    if not is_published(connection, "score_movers"):
        return []
    query = """
        select
            metric, survey_kind, dimension, breakdown_value, period_start,
            responses_before, responses_after,
            cast(rate_points as float8) as rate_points,
            cast(mix_points as float8) as mix_points,
            cast(contribution_points as float8) as contribution_points
        from marts.score_movers
        where period_grain = 'week'
            and period_start = %s
            and dimension = any(%s)
            and contribution_rank is not null
        order by array_position(%s, dimension), contribution_rank
        """
    with connection.cursor(row_factory=class_row(Mover)) as cursor:
        return cursor.execute(
            query, [week, list(BREAKDOWNS), list(BREAKDOWNS)]
        ).fetchall()


def arrange_moves(
    connection: psycopg.Connection, scores: Sequence[Score], metrics: Sequence[Metric]
) -> list[Move]:
    """Put each score of the last complete week beside what moved it."""
    weeks = [
        score
        for score in scores
        if score.period_grain == "week"
        and score.breakdown == "total"
        and not score.is_confidential
        and score.metric in metrics
    ]
    last = max((s.period_start for s in weeks if s.is_complete_period), default=None)
    if last is None:
        return []
    movers = read_movers(connection, last)
    moves = []
    for score in weeks:
        if score.period_start != last:
            continue
        name = (score.metric, score.survey_kind)
        earlier = [
            week
            for week in weeks
            if (week.metric, week.survey_kind) == name
            and (last - week.period_start).days == 7
        ]
        own = [mover for mover in movers if (mover.metric, mover.survey_kind) == name]
        previous = earlier[0] if earlier else None
        moves.append(Move(score, previous, _choose_movers(own, score)))
    return sorted(
        moves,
        key=lambda move: (metrics.index(move.score.metric), move.score.survey_kind),
    )


def summarise_move(move: Move) -> str:
    """How the score changed, whether that is a change, and what moved it most."""
    score, previous = move.score, move.previous
    if not score.is_shown:
        return "Too few answers in this week to show a score."
    certainty = describe_certainty(score, previous)
    if not is_comparable(score, previous):
        return f"{certainty[:1].upper()}{certainty[1:]}: no change to explain."
    assert previous is not None
    change = say_change(score, previous)
    sentence = (
        f"{change[:1].upper()}{change[1:]} on the week before, from"
        f" {say_number(previous.score, score.metric)} to"
        f" {say_number(score.score, score.metric)}: {certainty}."
    )
    leader = _find_leader(move)
    return f"{sentence} {_describe_leader(leader)}" if leader else sentence


def say_dimension(dimension: str) -> str:
    """A dimension as the head of its rows."""
    return f"By {DIMENSION_WORDS[dimension]}"


def _choose_movers(movers: Sequence[Mover], score: Score) -> list[Mover]:
    """Choose the largest of each dimension that tells something of such answers."""
    chosen = []
    for dimension, group in groupby(movers, key=lambda mover: mover.dimension):
        if score.survey_kind == "relational" and dimension in CONTACT_BREAKDOWNS:
            continue
        moved = [
            mover
            for mover in group
            if say_points(mover.contribution_points, mover.metric) != "0"
        ]
        if any(mover.breakdown_value != UNKNOWN for mover in moved):
            chosen += moved[:SHOWN_MOVERS]
    return chosen


def _find_leader(move: Move) -> Mover | None:
    """Find the largest known contribution of the first dimension that has one."""
    known = [mover for mover in move.movers if mover.breakdown_value != UNKNOWN]
    return known[0] if known else None


def _describe_leader(leader: Mover) -> str:
    """The largest contribution, and how much of it is rate and how much mix."""
    name = say_value(leader.breakdown_value, leader.dimension)
    rate, mix, total = (
        say_points(points, leader.metric)
        for points in (
            leader.rate_points,
            leader.mix_points,
            leader.contribution_points,
        )
    )
    opening = f"By {DIMENSION_WORDS[leader.dimension]}, {name} moved it most: {total}"
    better = "better" if leader.rate_points > 0 else "worse"
    moved = abs(leader.rate_points) + abs(leader.mix_points)
    if abs(leader.mix_points) < NEARLY_NONE * moved:
        return f"{opening}, nearly all because its answers were {better}."
    if abs(leader.rate_points) < NEARLY_NONE * moved:
        return f"{opening}, nearly all because its share of all answers changed."
    return (
        f"{opening}; {rate} because its answers were {better}, {mix} because its share"
        " of all answers changed."
    )
