"""Post-stratification: answers weighted to the customers who were eligible.

In: per cell (segment of a country), how many customers were eligible and the additive
counts of the answers. Out: the counts, weighted, and what they are worth. Exact until
the end: weights are fractions, so that the same counts give the same bytes anywhere.

A cell with fewer than MIN_ANSWERS answers is collapsed: with the other segments of its
country; then the whole country with the next one of its region, the last with the one
before. Each weight is (share of the eligible / share of the answers), trimmed once to
[0.2, 5] and renormalised once to a mean of 1 over the answers. Effective answers are
Kish's (sum of w)² / sum of w².
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

MIN_ANSWERS = 5
LOWEST_WEIGHT = Fraction(1, 5)
HIGHEST_WEIGHT = Fraction(5)


@dataclass(frozen=True, order=True)
class Cell:
    """A segment of a country, as the marts name them: "(unknown)" where they do not."""

    country: str
    segment: str


@dataclass(frozen=True)
class Country:
    """A country's place: its region, and its position in the list of all countries."""

    position: int
    region: str


@dataclass(frozen=True)
class Stratum:
    """One cell, or several that were collapsed, with its weight."""

    cells: tuple[Cell, ...]
    eligible: int
    responses: int
    trimmed_weight: Fraction
    mean_weight: Fraction

    @property
    def weight(self) -> Fraction:
        """What each answer of the stratum counts."""
        return self.trimmed_weight / self.mean_weight


@dataclass(frozen=True)
class Weighted:
    """What came of weighting.

    `shares` are the weighted counts per weighted answer, in the order in which the
    counts were given: 100 (shares[promoters] - shares[detractors]) is the NPS.
    """

    strata: tuple[Stratum, ...]
    shares: tuple[Fraction, ...]
    effective_responses: Fraction
    design_effect: Fraction
    collapsed: tuple[str, ...]
    unplaced_responses: int


@dataclass
class _Group:
    """Cells that share a weight."""

    countries: list[str]
    cells: list[Cell]
    eligible: int
    responses: int


def weight_answers(
    eligible: Mapping[Cell, int],
    responses: Mapping[Cell, int],
    counts: Mapping[Cell, Sequence[int]],
    countries: Mapping[str, Country],
) -> Weighted | None:
    """Weight the answers of one pool.

    Parameters
    ----------
    eligible : customers who were eligible, by cell; cells without any may be left out
    responses : answers, by cell
    counts : additive counts of the same answers, by cell (promoters, sums, …)
    countries : region and position of each country; those not listed come last, each in
        a region of its own

    Returns None when no answer lies where anybody was eligible.
    """
    groups, collapsed = _collapse(eligible, responses, countries)
    placed = [group for group in groups if group.eligible and group.responses]
    answers = sum(group.responses for group in placed)
    if not answers:
        return None
    everybody = sum(group.eligible for group in placed)
    trimmed = [
        min(
            HIGHEST_WEIGHT,
            max(
                LOWEST_WEIGHT,
                Fraction(group.eligible * answers, everybody * group.responses),
            ),
        )
        for group in placed
    ]
    # Whole multiples of one fraction: sums of integers are fast, and as exact.
    unit = Fraction(1, lcm(*(weight.denominator for weight in trimmed)))
    multiples = [int(weight / unit) for weight in trimmed]
    total = sum(
        multiple * group.responses
        for multiple, group in zip(multiples, placed, strict=True)
    )
    squares = sum(
        multiple**2 * group.responses
        for multiple, group in zip(multiples, placed, strict=True)
    )
    width = max(len(counted) for counted in counts.values())
    sums = [
        sum(
            multiple * counts[cell][index]
            for multiple, group in zip(multiples, placed, strict=True)
            for cell in group.cells
            if cell in counts
        )
        for index in range(width)
    ]
    effective = Fraction(total**2, squares)
    mean = unit * total / answers
    return Weighted(
        strata=tuple(
            Stratum(tuple(group.cells), group.eligible, group.responses, weight, mean)
            for weight, group in zip(trimmed, placed, strict=True)
        ),
        shares=tuple(Fraction(counted, total) for counted in sums),
        effective_responses=effective,
        design_effect=answers / effective,
        collapsed=tuple(collapsed),
        unplaced_responses=sum(responses.values()) - answers,
    )


def _collapse(
    eligible: Mapping[Cell, int],
    responses: Mapping[Cell, int],
    countries: Mapping[str, Country],
) -> tuple[list[_Group], list[str]]:
    """Pool cells until each has answers enough, as far as its region goes."""
    collapsed: list[str] = []
    by_country: dict[str, list[_Group]] = {}
    for cell in sorted(set(eligible) | set(responses)):
        group = _Group(
            [cell.country], [cell], eligible.get(cell, 0), responses.get(cell, 0)
        )
        if group.eligible or group.responses:
            by_country.setdefault(cell.country, []).append(group)
    for country, groups in by_country.items():
        if len(groups) > 1 and _has_few_answers(groups):
            by_country[country] = [_merge(groups)]

    def read_place(country: str) -> tuple[int, str]:
        place = countries.get(country)
        return (place.position if place else len(countries), country)

    regions: dict[str, list[list[_Group]]] = {}
    for country in sorted(by_country, key=read_place):
        place = countries.get(country)
        if len(by_country[country]) == 1 and len(by_country[country][0].cells) > 1:
            collapsed.append(f"{country}: all segments")
        # A country that no region lists stands alone.
        region = f"region {place.region}" if place else country
        regions.setdefault(region, []).append(by_country[country])
    merged: list[_Group] = []
    for neighbours in regions.values():
        for groups in _collapse_region(neighbours, collapsed):
            merged += groups
    return merged, collapsed


def _collapse_region(
    neighbours: list[list[_Group]], collapsed: list[str]
) -> list[list[_Group]]:
    """Pool the countries of one region, given in order, from the first to the last."""
    done: list[list[_Group]] = []
    waiting = list(neighbours)
    while waiting:
        groups = waiting.pop(0)
        if not _has_few_answers(groups):
            done.append(groups)
        elif waiting:
            collapsed.append(f"{_name(groups)} with {_name(waiting[0])}")
            waiting[0] = [_merge([*groups, *waiting[0]])]
        elif done:
            before = done.pop()
            collapsed.append(f"{_name(groups)} with {_name(before)}")
            done.append([_merge([*before, *groups])])
        else:
            done.append(groups)
    return done


def _has_few_answers(groups: list[_Group]) -> bool:
    return any(group.responses < MIN_ANSWERS for group in groups)


def _merge(groups: list[_Group]) -> _Group:
    return _Group(
        countries=list(
            dict.fromkeys(country for group in groups for country in group.countries)
        ),
        cells=[cell for group in groups for cell in group.cells],
        eligible=sum(group.eligible for group in groups),
        responses=sum(group.responses for group in groups),
    )


def _name(groups: list[_Group]) -> str:
    return "+".join(
        dict.fromkeys(country for group in groups for country in group.countries)
    )
