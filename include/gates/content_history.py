"""Compare the values of a load with those of the feed's other loads.

In: the contents of a load and of those before it. Out: a `ContentComparison`: for each
kind of doubt the column that gives most cause for it. A figure is null while chance
could explain it: shares are compared with the lowest or highest that is usual, of all
recent loads or of the same weekday, and the surprise must be larger than `PROOF`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import copysign, exp, inf, log, sqrt
from statistics import fmean, median, stdev

from include.gates.load_contents import QUESTIONS, LoadContents

RECENT_LOADS = 14
FEWEST_RECENT_LOADS = 7
FEWEST_SAME_WEEKDAYS = 3
# How much less likely (as a power of e) a night is under a share that is already
# lenient. Some 10,000 such comparisons are made a year.
PROOF = 9.0
# A night may give a value so much more, or less, of the rows than is usual.
MORE, LESS = 1.5, 0.8
# A share is known once this many rows were counted.
FEWEST_KNOWN_ROWS = 100
FEWEST_NUMBERS = 8
FEWEST_REFERENCES = 10
# Standard errors; four leave one false alarm in 16,000.
SURE = 4.0
# Some values may count e^300 times as much as others, while an average is looked for.
STEEPEST = 300.0


@dataclass(frozen=True)
class DatedContents:
    """What was counted in the load of a batch date; `keys` are distinct keys."""

    batch_date: date
    contents: LoadContents


@dataclass(frozen=True)
class ContentComparison:
    """How the values of a load compare; None wherever nothing is proven.

    Fields are named as in ``audit.load_profiles``, where they are explained.
    """

    usual_earlier_days_share: float | None = None
    late_excess: float | None = None
    clock_shift_hours: float | None = None
    proven_clock_shift_hours: float | None = None
    level_column: str | None = None
    level: float | None = None
    usual_level: float | None = None
    level_factor: float | None = None
    shifted_column: str | None = None
    mean_score: float | None = None
    usual_mean_score: float | None = None
    proven_score_shift: float | None = None
    collapsed_columns: str | None = None
    collapsed_value: str | None = None
    collapsed_share: float | None = None
    thinned_column: str | None = None
    thinned_value: str | None = None
    thinned_rows: int | None = None
    thinned_expected: float | None = None
    thinned_usual_share: float | None = None
    lost_share: float | None = None
    unseen_value: str | None = None
    unseen_rows: int | None = None
    orphaned_column: str | None = None
    orphaned_rows: int | None = None
    orphaned_of: int | None = None
    orphan_excess: float | None = None
    gathered_column: str | None = None
    gathered_owners: int | None = None
    gathered_rows: int | None = None
    missing_file: str | None = None


def compare_contents(
    now: DatedContents,
    earlier: Sequence[DatedContents],
    is_snapshot: bool,
    scales: Mapping[str, tuple[float, float]],
) -> ContentComparison:
    """Compare a load with those of earlier dates, which come oldest first.

    `scales` are the lowest and highest score of each column of scores.
    """
    earlier = [load for load in earlier if load.contents.rows]
    if len(earlier) < FEWEST_RECENT_LOADS:
        return ContentComparison()
    recent = [load.contents for load in earlier[-RECENT_LOADS:]]
    same_weekday = [
        load.contents
        for load in earlier
        if load.batch_date.weekday() == now.batch_date.weekday()
    ]
    pools = [recent]
    if len(same_weekday) >= FEWEST_SAME_WEEKDAYS:
        pools.append(same_weekday)
    found: dict[str, object] = {}
    contents = now.contents
    found |= _find_missing_file(contents, recent)
    if not contents.rows:
        return ContentComparison(**found)  # type: ignore[arg-type]
    found |= _compare_days(contents, recent)
    found |= _compare_clock(contents, [load.contents for load in earlier])
    found |= _compare_levels(contents, recent)
    found |= _compare_scores(contents, recent, scales)
    found |= _find_collapse(contents, pools)
    found |= (
        _find_thinned_of_list(contents, recent[-1])
        if is_snapshot
        else _find_thinned(contents, pools)
    )
    found |= _find_unseen(contents, recent)
    found |= _compare_references(contents, recent)
    return ContentComparison(**found)  # type: ignore[arg-type]


def prove_low(part: int, whole: int) -> float:
    """Return the lower Wilson bound (95 %), as audit.proven_share does."""
    if not whole:
        return 0.0
    spread = 1.959964 * sqrt(part * (whole - part) / whole + 0.960365)
    return max(0.0, (part + 1.920729 - spread) / (whole + 3.841459))


def measure_surprise(part: int, whole: int, share: float) -> float:
    """Return how unlikely a part is under a share, as a power of e (Chernoff)."""
    observed = part / whole
    surprise = 0.0
    for seen, expected in ((observed, share), (1 - observed, 1 - share)):
        if seen > 0:
            surprise += inf if expected <= 0 else seen * log(seen / expected)
    return whole * surprise


def _compare_days(
    now: LoadContents, recent: Sequence[LoadContents]
) -> dict[str, object]:
    shares = [
        past.rows["rows_of_earlier_days"] / past.rows["rows_looked_at"]
        for past in recent
        if past.rows["rows_looked_at"]
    ]
    if len(shares) < FEWEST_RECENT_LOADS or not now.rows["rows_looked_at"]:
        return {}
    # Not the highest: one night that caught up makes the next no less doubtful.
    usual = median(shares)
    proven = prove_low(now.rows["rows_of_earlier_days"], now.rows["rows_looked_at"])
    return {"usual_earlier_days_share": usual, "late_excess": proven - usual}


def _compare_clock(
    now: LoadContents, earlier: Sequence[LoadContents]
) -> dict[str, object]:
    past = [
        (load.average_hour, load.hour_spread, load.timed_rows)
        for load in earlier
        if load.average_hour is not None
        and load.hour_spread is not None
        and load.timed_rows >= FEWEST_NUMBERS
    ]
    if (
        len(past) < FEWEST_RECENT_LOADS
        or now.average_hour is None
        or now.timed_rows < FEWEST_NUMBERS
    ):
        return {}
    average = fmean(hour for hour, _, _ in past)
    variance = fmean(spread**2 for _, spread, _ in past)
    if not variance:
        return {}
    # Rows come in bunches: a night of a hundred may tell no more than fifty would.
    bunching = fmean(rows * (hour - average) ** 2 for hour, _, rows in past) / variance
    error = SURE * sqrt(variance * max(1.0, bunching) / now.timed_rows)
    # What nights differ by, however many their rows.
    recent = [hour for hour, _, _ in past[-RECENT_LOADS:]]
    unrest = 3 * stdev(recent)
    shift = now.average_hour - fmean(recent)
    return {
        "clock_shift_hours": shift,
        "proven_clock_shift_hours": max(0.0, abs(shift) - max(error, unrest)),
    }


def _compare_levels(
    now: LoadContents, recent: Sequence[LoadContents]
) -> dict[str, object]:
    found: dict[str, object] = {}
    largest = 1.0
    for name, figures in now.numbers.items():
        past = [
            load.numbers[name].median
            for load in recent
            if name in load.numbers and load.numbers[name].readable >= FEWEST_NUMBERS
        ]
        levels = [level for level in past if level is not None and level > 0]
        level = figures.median
        if (
            len(levels) < FEWEST_RECENT_LOADS
            or figures.readable < FEWEST_NUMBERS
            or level is None
            or level <= 0
        ):
            continue
        factor = max(level / max(levels), min(levels) / level)
        if factor > largest:
            largest = factor
            found = {
                "level_column": name,
                "level": level,
                "usual_level": median(levels),
                "level_factor": factor,
            }
    return found


def _compare_scores(
    now: LoadContents,
    recent: Sequence[LoadContents],
    scales: Mapping[str, tuple[float, float]],
) -> dict[str, object]:
    found: dict[str, object] = {}
    largest = 0.0
    for name, (low, high) in scales.items():
        scores = _read_scores(now, name)
        nights = [_read_scores(load, name) for load in recent]
        nights = [night for night in nights if night.total() >= FEWEST_NUMBERS // 2]
        pooled = sum(nights, Counter[float]())
        if (
            len(nights) < FEWEST_RECENT_LOADS
            or pooled.total() < FEWEST_KNOWN_ROWS
            or scores.total() < FEWEST_NUMBERS
        ):
            continue
        usual = _average(pooled)
        variance = _average(_square_distances(pooled, usual))
        # What nights differ by more than their few answers explain.
        unrest = sqrt(
            max(
                0.0,
                fmean(
                    (_average(night) - usual) ** 2 - variance / night.total()
                    for night in nights
                ),
            )
        )
        shift = _average(scores) - usual
        proven = abs(shift) - 2 * unrest
        if (
            proven / (high - low) > largest
            and _measure_surprise_of_average(
                pooled,
                usual + copysign(proven, shift),
                scores.total(),
                high - low,
            )
            > PROOF
        ):
            largest = proven / (high - low)
            found = {
                "shifted_column": name,
                "mean_score": _average(scores),
                "usual_mean_score": usual,
                "proven_score_shift": largest,
            }
    return found


def _read_scores(contents: LoadContents, name: str) -> Counter[float]:
    return Counter(
        {float(score): rows for score, rows in contents.values.get(name, {}).items()}
    )


def _measure_surprise_of_average(
    usual: Counter[float], average: float, rows: int, width: float
) -> float:
    """Return how unlikely an average is of so many of the usual values, as a power of
    e (Chernoff). A few skewed answers stray further than the normal curve says."""
    low, high = -STEEPEST / width, STEEPEST / width
    for _ in range(60):
        tilt = (low + high) / 2
        tilted = Counter(
            {
                value: count * exp(tilt * (value - average))
                for value, count in usual.items()
            }
        )
        low, high = (tilt, high) if _average(tilted) < average else (low, tilt)
    return -rows * log(sum(tilted.values()) / usual.total())


def _average(counted: Counter[float]) -> float:
    return sum(value * rows for value, rows in counted.items()) / sum(counted.values())


def _square_distances(counted: Counter[float], center: float) -> Counter[float]:
    squares: Counter[float] = Counter()
    for value, rows in counted.items():
        squares[(value - center) ** 2] += rows
    return squares


def _pool(pool: Sequence[LoadContents], name: str) -> Counter[str]:
    pooled: Counter[str] = Counter()
    for load in pool:
        pooled.update(load.values.get(name, {}))
    return pooled


def _find_collapse(
    now: LoadContents, pools: Sequence[Sequence[LoadContents]]
) -> dict[str, object]:
    """Find columns in which nearly all rows have one value that seldom is so frequent.

    Each gives its part of the proof: what one column of few rows leaves open, several
    may settle.
    """
    collapsed: list[tuple[str, str, float]] = []
    surprise = 0.0
    for name, counted in now.values.items():
        value, rows = max(counted.items(), key=lambda item: item[1])
        whole = sum(counted.values())
        if rows < 0.9 * whole or name == QUESTIONS:
            continue
        usual = [
            pooled[value] / pooled.total()
            for pool in pools
            if (pooled := _pool(pool, name)).total() >= FEWEST_KNOWN_ROWS
        ]
        if not usual:
            continue
        share = MORE * max(usual)
        if share < rows / whole:
            collapsed.append((name, value, rows / whole))
            surprise += measure_surprise(rows, whole, max(share, 0.01))
    if surprise <= PROOF:
        return {}
    return {
        "collapsed_columns": " and ".join(name for name, _, _ in collapsed),
        "collapsed_value": " and ".join(value for _, value, _ in collapsed),
        "collapsed_share": min(share for _, _, share in collapsed),
    }


def _find_thinned(
    now: LoadContents, pools: Sequence[Sequence[LoadContents]]
) -> dict[str, object]:
    """Find the value of a delta that lost most of its share of the rows."""
    found: dict[str, object] = {}
    largest = 0.0
    for name, counted in now.values.items():
        whole = sum(counted.values())
        pooled = [_pool(pool, name) for pool in pools]
        pooled = [pool for pool in pooled if pool.total() >= FEWEST_KNOWN_ROWS]
        for value in pooled[0] if pooled else ():
            usual = min(pool[value] / pool.total() for pool in pooled)
            rows = counted.get(value, 0)
            if not usual or rows / whole >= usual * LESS:
                continue
            lost = 1 - rows / whole / usual
            if (
                lost * usual > largest
                and measure_surprise(rows, whole, usual * LESS) > PROOF
            ):
                largest = lost * usual
                found = _describe_thinned(name, value, rows, usual * whole, usual)
    return found


def _find_thinned_of_list(now: LoadContents, before: LoadContents) -> dict[str, object]:
    """Find the value of a list that lost most rows since the list before it."""
    found: dict[str, object] = {}
    largest = 0.0
    for name, counted in before.values.items():
        whole = sum(counted.values())
        for value, expected in counted.items():
            rows = now.values.get(name, {}).get(value, 0)
            lost = expected - rows
            if lost >= FEWEST_REFERENCES and lost / expected > largest:
                largest = lost / expected
                found = _describe_thinned(name, value, rows, expected, expected / whole)
    return found


def _describe_thinned(
    name: str, value: str, rows: int, expected: float, usual: float
) -> dict[str, object]:
    return {
        "thinned_column": name,
        "thinned_value": value,
        "thinned_rows": rows,
        "thinned_expected": expected,
        "thinned_usual_share": usual,
        "lost_share": 1 - rows / expected,
    }


def _find_unseen(
    now: LoadContents, recent: Sequence[LoadContents]
) -> dict[str, object]:
    """Find the question that a survey's file answers for the first time."""
    seen = _pool(recent, QUESTIONS)
    counted = now.values.get(QUESTIONS, {})
    unseen = {value: rows for value, rows in counted.items() if value not in seen}
    if seen.total() < FEWEST_KNOWN_ROWS or not unseen:
        return {}
    value = max(sorted(unseen), key=lambda name: unseen[name])
    return {"unseen_value": value, "unseen_rows": unseen[value]}


def _compare_references(
    now: LoadContents, recent: Sequence[LoadContents]
) -> dict[str, object]:
    found: dict[str, object] = {}
    largest = 0.0
    for name, figures in now.references.items():
        past = [
            load.references[name]
            for load in recent
            if name in load.references and load.references[name].filled
        ]
        if len(past) < FEWEST_RECENT_LOADS or figures.filled < FEWEST_REFERENCES:
            continue
        usual = sum(load.orphans for load in past) / sum(load.filled for load in past)
        excess = prove_low(figures.orphans, figures.filled) - usual
        if excess > largest:
            largest = excess
            found |= {
                "orphaned_column": name,
                "orphaned_rows": figures.orphans,
                "orphaned_of": figures.filled,
                "orphan_excess": excess,
            }
        spread = min(load.distinct / load.filled for load in past)
        if spread >= 0.3 and figures.distinct <= max(1, 0.05 * figures.filled):
            found |= {
                "gathered_column": name,
                "gathered_owners": figures.distinct,
                "gathered_rows": figures.filled,
            }
    return found


def _find_missing_file(
    now: LoadContents, recent: Sequence[LoadContents]
) -> dict[str, object]:
    """Find a file that came with each of the recent loads, and not with this one."""
    every = set(recent[0].files).intersection(*(load.files for load in recent))
    missing = sorted(every - set(now.files))
    return {"missing_file": missing[0]} if missing else {}
