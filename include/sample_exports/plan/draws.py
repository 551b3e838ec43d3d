"""Random draws over whole arrays.

In: a generator and weights. Out: arrays. Every part of the sample has a generator of
its own, so that a change in one part leaves the others as they were.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np

from include.sample_exports.plan.local_days import FloatArray, IntArray, LocalDays


class Stream(IntEnum):
    """The parts of the sample that draw on their own."""

    WORLD = 1
    ACTIVITIES = 2
    ORDERS = 3
    DEALS = 4
    TICKETS = 5
    SURVEYS = 6
    FAULTS = 7
    MORE_SURVEYS = 8
    REVIEWS = 9
    PAIRS = 10
    ODD_LINKS = 11
    REOPENED = 12
    TICKET_FIELDS = 13
    GROWING_THEME = 18
    FOLLOW_UPS = 24
    EARLIER_ORDERS = 40


def open_stream(seed: int, stream: Stream) -> np.random.Generator:
    """The generator (PCG64) of one part of the sample."""
    return np.random.Generator(np.random.PCG64([seed, int(stream)]))


def draw_weighted(
    rng: np.random.Generator, weights: Sequence[float] | FloatArray, count: int
) -> IntArray:
    """Draw `count` positions of `weights`, each as often as it weighs."""
    cumulated = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = rng.random(count) * cumulated[-1]
    position: IntArray = np.searchsorted(cumulated, drawn, side="right")
    return position


def draw_by_group(rng: np.random.Generator, weights: Any, group: IntArray) -> IntArray:
    """Draw a column for each element by the weights of its group.

    weights : (groups, columns), rows need not sum to 1
    group : (count,), row of each element
    """
    cumulated = np.cumsum(np.asarray(weights, dtype=np.float64), axis=1)
    cumulated /= cumulated[:, -1:]
    drawn = rng.random(len(group))
    column: IntArray = (drawn[:, None] >= cumulated[group]).sum(axis=1)
    return column


def draw_days(
    rng: np.random.Generator, expected: FloatArray, at_least: int = 0
) -> IntArray:
    """Day numbers of the events of a process, in order.

    expected : (days,), mean number of events
    at_least : events that every day has at any rate
    """
    counts = np.maximum(rng.poisson(expected), at_least)
    return np.repeat(np.arange(len(expected), dtype=np.int64), counts)


def draw_seconds(
    rng: np.random.Generator, hour_weights: Sequence[float], count: int
) -> IntArray:
    """Seconds since midnight, by 24 weights of the hours."""
    hours = draw_weighted(rng, hour_weights, count)
    return hours * 3_600 + rng.integers(0, 3_600, count)


def expect_per_day(
    days: LocalDays, mean: float, weekday_weights: Sequence[float], growth: float = 0.0
) -> FloatArray:
    """Expected events of each day.

    mean : events on an average day
    weekday_weights : Monday to Sunday, about 1
    growth : share by which the volume grows from the first day to the last
    """
    weekday = np.asarray(weekday_weights, dtype=np.float64)[days.weekdays()]
    trend = 1 + growth * (np.arange(days.count) / max(days.count - 1, 1) - 0.5)
    expected: FloatArray = mean * weekday * trend
    return expected


def draw_lag(
    rng: np.random.Generator, mean_seconds: float, count: int, at_least: int = 1
) -> IntArray:
    """Waiting times in seconds, exponential, never under `at_least`."""
    waits = rng.exponential(mean_seconds, count)
    return np.maximum(waits, at_least).astype(np.int64)


def pick(rng: np.random.Generator, candidates: IntArray, count: int) -> IntArray:
    """Pick at most `count` different candidates, in their order."""
    count = min(count, len(candidates))
    return np.sort(rng.permutation(candidates)[:count])
