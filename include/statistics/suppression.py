"""Suppression: which scores of a confidential pool nobody may read.

In: the counted answers of one metric and kind of survey in one quarter, by period (the
quarter and its months), breakdown and value. Out: which of them are hidden, and why.

Cells add up to parents in two ways: the values of a breakdown to their period's total,
and the months of a cell to the same cell of the quarter. A cell with 1 to 4 answers is
hidden (primary). Within each published parent the hidden cells must be at least two and
sum to 5 or more; else the smallest remaining cell that is not zero is hidden too
(complementary; ties by name). What is hidden under one parent is hidden under all, so
this is repeated until nothing changes. Under a hidden total everything is hidden.

Sums give away too: where no cell is left to hide, the parent is hidden; a hidden parent
hides its smallest cell, unless one is hidden already; and a cell that can still be
worked out from several sums together hides the smallest one that they name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

FEWEST_ANSWERS = 5
PRIMARY, COMPLEMENTARY = "primary", "complementary"
TOTAL, ALL = "total", "(all)"


@dataclass(frozen=True, order=True)
class Place:
    """One score: a period ("month:2026-10-01"), a breakdown and one of its values."""

    period: str
    breakdown: str
    value: str

    @property
    def is_total(self) -> bool:
        """Whether every answer of the period counts in it."""
        return self.breakdown == TOTAL


@dataclass(frozen=True)
class _Sum:
    """A parent and the cells that add up to it."""

    parent: Place
    cells: tuple[Place, ...]


def hide(responses: Mapping[Place, int], quarter: str) -> dict[Place, str]:
    """Return what is hidden, as primary or complementary.

    Parameters
    ----------
    responses : answers of every score of the quarter and of its months; zero cells may
        be left out, they stay visible
    quarter : the quarter's period
    """
    counted = {place: count for place, count in responses.items() if count}
    sums = _list_sums(counted, quarter)
    hidden = {
        place: PRIMARY for place, count in counted.items() if count < FEWEST_ANSWERS
    }
    while True:
        before = len(hidden)
        for one in sums:
            hidden |= dict.fromkeys(_check_sum(counted, one, hidden), COMPLEMENTARY)
        if len(hidden) == before:
            given_away = _check_all_sums(counted, sums, hidden)
            if not given_away:
                return hidden
            hidden |= dict.fromkeys(given_away, COMPLEMENTARY)


def hide_cells(responses: Mapping[str, int], breakdown: str) -> dict[str, str]:
    """Return which cells of one breakdown of one period are hidden, as `hide` does."""
    cells = {
        Place("quarter", breakdown, value): count for value, count in responses.items()
    }
    total = Place("quarter", TOTAL, ALL)
    hidden = hide({**cells, total: sum(responses.values())}, "quarter")
    return {place.value: hidden_as for place, hidden_as in hidden.items()}


def _list_sums(counted: Mapping[Place, int], quarter: str) -> list[_Sum]:
    """Every sum that a reader can form, in a fixed order."""
    cells: dict[Place, set[Place]] = {}
    for place in counted:
        if not place.is_total:
            total = Place(place.period, TOTAL, ALL)
            cells.setdefault(total, set()).add(place)
    months: dict[Place, set[Place]] = {}
    for place in counted:
        if place.period != quarter:
            whole = Place(quarter, place.breakdown, place.value)
            months.setdefault(whole, set()).add(place)
    sums = []
    for total, parts in cells.items():
        for breakdown in {place.breakdown for place in parts}:
            sums.append(
                _Sum(
                    total,
                    tuple(sorted(p for p in parts if p.breakdown == breakdown)),
                )
            )
    sums += [_Sum(whole, tuple(sorted(parts))) for whole, parts in months.items()]
    return sorted(sums, key=lambda one: (one.parent, one.cells))


def _check_sum(
    counted: Mapping[Place, int], one: _Sum, hidden: Mapping[Place, str]
) -> list[Place]:
    """What must be hidden next for one sum; empty: it gives nothing away."""
    remaining = sorted(
        (cell for cell in one.cells if cell not in hidden),
        key=lambda cell: (counted[cell], cell),
    )
    is_breakdown_of_total = one.parent.is_total and not one.cells[0].is_total
    if one.parent in hidden:
        if is_breakdown_of_total:
            return remaining
        # Its parts alone would give the parent away.
        return remaining[:1] if len(remaining) == len(one.cells) else []
    hidden_cells = [cell for cell in one.cells if cell in hidden]
    if not hidden_cells or (
        len(hidden_cells) >= 2
        and sum(counted[cell] for cell in hidden_cells) >= FEWEST_ANSWERS
    ):
        return []
    return remaining[:1] or [one.parent]


def _check_all_sums(
    counted: Mapping[Place, int], sums: list[_Sum], hidden: Mapping[Place, str]
) -> list[Place]:
    """Find a cell that several sums together give away, and what must be hidden for it.

    Breakdown by breakdown, because only totals are shared, and under a hidden total
    everything is hidden. A hidden count is given away when the sums, taken as equations
    in the hidden counts, have but one solution for it.
    """
    for breakdown in sorted({place.breakdown for place in hidden} - {TOTAL}):
        equations = [
            one
            for one in sums
            if {breakdown, TOTAL} >= {place.breakdown for place in one.cells}
        ]
        unknown = sorted(
            {
                place
                for one in equations
                for place in (one.parent, *one.cells)
                if place in hidden
            }
        )
        for place in _find_determined(equations, unknown):
            visible = [
                other
                for one in equations
                if place in (one.parent, *one.cells)
                for other in one.cells
                if other not in hidden
            ] or [
                other for one in equations for other in one.cells if other not in hidden
            ]
            if visible:
                return [min(visible, key=lambda cell: (counted[cell], cell))]
    return []


def _find_determined(equations: list[_Sum], unknown: list[Place]) -> list[Place]:
    """The unknowns for which the equations leave one solution (Gauss and Jordan)."""
    position = {place: index for index, place in enumerate(unknown)}
    rows: list[dict[int, Fraction]] = []
    for one in equations:
        row: dict[int, Fraction] = {}
        for place, factor in [(one.parent, -1), *((cell, 1) for cell in one.cells)]:
            if place in position:
                row[position[place]] = Fraction(factor)
        for other in rows:
            _eliminate(row, other)
        if not row:
            continue
        pivot = min(row)
        row = {index: value / row[pivot] for index, value in row.items()}
        for other in rows:
            _eliminate(other, row)
        rows.append(row)
    return [unknown[min(row)] for row in rows if len(row) == 1]


def _eliminate(row: dict[int, Fraction], by: Mapping[int, Fraction]) -> None:
    """Subtract a multiple of one equation, so that its first unknown leaves the row."""
    pivot = min(by)
    factor = row.get(pivot)
    if not factor:
        return
    for index, value in by.items():
        difference = row.get(index, Fraction(0)) - factor * value
        if difference:
            row[index] = difference
        else:
            row.pop(index, None)
