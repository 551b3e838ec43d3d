"""The relational NPS weighted to the customers who could have been asked.

In: a plan and the answers that count. Out: rows of truth.json. Cells are segment and
country; small ones are pooled as GOLDEN.md says, then weights are trimmed once.
"""

import calendar
from collections import Counter, defaultdict
from datetime import date

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import COUNTRIES, SEGMENTS
from include.sample_exports.company.touchpoints import UNKNOWN
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.world import CUSTOMER
from include.sample_exports.truth.answers import look_up
from include.sample_exports.truth.scores import Record

FEWEST = 5  # answers of a cell
TRIM = (0.2, 5.0)
# Regions with the countries of the company in the order of the seed.
REGIONS = (("BR",), ("MX", "US"), ("PT", "RO", "ES"), (UNKNOWN,))
Cell = tuple[str, str]  # segment, country


def weight_scores(plan: Plan, counted: pd.DataFrame) -> list[Record]:
    """The relational NPS of each month, weighted."""
    is_nps = (counted["metric"] == "nps") & (counted["survey_kind"] == "relational")
    rows = []
    for month, answers in counted.loc[is_nps].groupby("month", sort=True):
        eligible = _count_eligible(plan, str(month))
        rows.append({"month": str(month), **_weight(eligible, answers)})
    return rows


def _count_eligible(plan: Plan, month: str) -> Counter[Cell]:
    """Customers who may be asked on the last day of a month, by cell."""
    contacts = plan.world.contacts
    year, number = map(int, month.split("-"))
    last = date(year, number, calendar.monthrange(year, number)[1])
    day = min((last - plan.days.dates[0]).days, plan.days.count - 1)
    is_left = plan.world.is_shown & (
        contacts["survivor"].to_numpy() == np.arange(len(contacts))
    )
    contact = np.flatnonzero(is_left)
    shown_on = np.clip(
        day,
        contacts["first_night"].to_numpy()[contact],
        contacts["last_night"].to_numpy()[contact],
    )
    became_at = contacts["became_customer_at"].to_numpy()[contact]
    # Nobody is a customer before he became one, whatever the first snapshot says.
    is_eligible = (
        (look_up(plan, "lifecycle", contact, shown_on) >= CUSTOMER)
        & (look_up(plan, "opt_out", contact, shown_on) == 0)
        & (became_at < plan.days.starts[day + 1])
    )
    segment = look_up(plan, "segment", contact, shown_on)[is_eligible]
    country = look_up(plan, "country", contact, shown_on)[is_eligible]
    codes = [*(one.code for one in COUNTRIES), UNKNOWN]
    names = [*SEGMENTS, UNKNOWN]
    return Counter(
        (names[one], codes[other])
        for one, other in zip(segment.tolist(), country.tolist(), strict=True)
    )


def _pool(eligible: Counter[Cell], answered: Counter[Cell]) -> dict[Cell, Cell]:
    """The cell that stands for each cell, once the small ones are pooled."""
    stands_for: dict[Cell, Cell] = {}
    for region in REGIONS:
        pools: list[list[Cell]] = []
        for country in region:
            cells = [
                (segment, country)
                for segment in (*SEGMENTS, UNKNOWN)
                if eligible[segment, country] or answered[segment, country]
            ]
            pools.append(cells)
        merged = _merge(pools, answered)
        for pool in merged:
            is_whole = all(answered[cell] >= FEWEST for cell in pool)
            countries = {country for _, country in pool}
            for cell in pool:
                alone = is_whole and len(countries) == 1
                stands_for[cell] = cell if alone else min(pool)
    return stands_for


def _merge(pools: list[list[Cell]], answered: Counter[Cell]) -> list[list[Cell]]:
    """Countries with too few answers go with the next one, the last with the former."""
    merged = [list(pool) for pool in pools if pool]
    place = 0
    while place < len(merged):
        if sum(answered[cell] for cell in merged[place]) >= FEWEST or len(merged) == 1:
            place += 1
        elif place + 1 < len(merged):
            merged[place + 1] = merged[place] + merged[place + 1]
            del merged[place]
        else:
            merged[place - 1] += merged[place]
            del merged[place]
            place -= 1
    return merged


def _weight(eligible: Counter[Cell], answers: pd.DataFrame) -> Record:
    given: dict[Cell, list[int]] = defaultdict(list)
    for segment, country, score in zip(
        answers["segment"], answers["country"], answers["score"].tolist(), strict=True
    ):
        given[segment, country].append((score >= 9) - (score <= 6))
    answered = Counter({cell: len(points) for cell, points in given.items()})
    stands_for = _pool(eligible, answered)
    frame: Counter[Cell] = Counter()
    pooled: dict[Cell, list[int]] = defaultdict(list)
    for cell, target in stands_for.items():
        frame[target] += eligible[cell]
        pooled[target] += given.get(cell, [])
    placed = {
        cell: points for cell, points in pooled.items() if points and frame[cell] > 0
    }
    unplaced = len(answers) - sum(map(len, placed.values()))
    people = sum(frame[cell] for cell in placed)
    count = sum(map(len, placed.values()))
    if not count:
        return {"weighted_score": None, "unplaced_responses": unplaced}
    weights = {
        cell: min(max(frame[cell] / people / (len(points) / count), TRIM[0]), TRIM[1])
        for cell, points in placed.items()
    }
    mean = sum(weights[cell] * len(points) for cell, points in placed.items()) / count
    weights = {cell: weight / mean for cell, weight in weights.items()}
    sums = sum(weights[cell] * sum(points) for cell, points in placed.items())
    squares = sum(weights[cell] ** 2 * len(points) for cell, points in placed.items())
    return {
        "weighted_score": round(100 * sums / count, 4),
        "effective_responses": round(count**2 / squares, 4),
        "design_effect": round(squares / count, 4),
        "unplaced_responses": unplaced,
    }
