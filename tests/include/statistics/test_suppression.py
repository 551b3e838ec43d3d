"""Suppression, against answers worked out by hand and against an attacker."""

import random
from collections.abc import Mapping

import numpy as np
import pytest

from include.statistics.suppression import (
    COMPLEMENTARY,
    PRIMARY,
    TOTAL,
    Place,
    hide,
    hide_cells,
)

QUARTER = "quarter"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            {"web": 40, "chat": 12, "phone": 3},
            {"chat": "complementary", "phone": "primary"},
        ),
        (
            {"web": 40, "chat": 12, "phone": 3, "app": 1},
            {"app": "primary", "chat": "complementary", "phone": "primary"},
        ),
        (
            {"web": 40, "chat": 4, "phone": 3, "app": 0},
            {"chat": "primary", "phone": "primary"},
        ),
        ({"web": 40, "chat": 12, "phone": 30}, {}),
        ({"web": 40, "phone": 2}, {"phone": "primary", "web": "complementary"}),
    ],
)
def test_the_worked_examples(cells: dict[str, int], expected: dict[str, str]) -> None:
    assert hide_cells(cells, "experience_channel") == expected


def test_of_two_equally_small_cells_the_first_by_name_is_hidden() -> None:
    assert hide_cells({"web": 12, "chat": 12, "phone": 3, "app": 20}, "channel") == {
        "chat": COMPLEMENTARY,
        "phone": PRIMARY,
    }


def tabulate(months: Mapping[str, Mapping[str, int]]) -> dict[Place, int]:
    """The scores of a quarter, its months and their totals, by counts per month."""
    responses: dict[Place, int] = {}

    def add(period: str, breakdown: str, value: str, count: int) -> None:
        place = Place(period, breakdown, value)
        responses[place] = responses.get(place, 0) + count

    for month, cells in months.items():
        for value, count in cells.items():
            for period in (month, QUARTER):
                add(period, "channel", value, count)
                add(period, TOTAL, "(all)", count)
    return responses


def list_hidden(months: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """What is hidden, as {"m1 chat": "primary"}; totals are named "m1 (all)"."""
    return {
        f"{place.period} {place.value}": hidden_as
        for place, hidden_as in sorted(hide(tabulate(months), QUARTER).items())
    }


def test_a_month_and_its_quarter_are_two_parents() -> None:
    # In October phone (3) is primary, and chat (12) complementary. Under the quarter's
    # phone (3 + 9 + 10 = 22) one month alone would be hidden: the smaller of the two
    # others (November, 9) goes too, and under the quarter's chat (12 + 15 + 14)
    # December (14). So in November phone is hidden alone: chat (15) goes too. And in
    # December chat is hidden alone: phone (10) goes too. Now every sum has two.
    assert list_hidden(
        {
            "m1": {"web": 40, "chat": 12, "phone": 3},
            "m2": {"web": 40, "chat": 15, "phone": 9},
            "m3": {"web": 40, "chat": 14, "phone": 10},
        }
    ) == {
        "m1 chat": COMPLEMENTARY,
        "m1 phone": PRIMARY,
        "m2 chat": COMPLEMENTARY,
        "m2 phone": COMPLEMENTARY,
        "m3 chat": COMPLEMENTARY,
        "m3 phone": COMPLEMENTARY,
    }


def test_where_no_month_is_left_to_hide_the_quarter_is_hidden() -> None:
    # Chat came in October alone: the quarter's chat would be October's. Hidden alone in
    # the quarter, it takes the smallest other cell of the quarter with it (phone).
    hidden = list_hidden(
        {
            "m1": {"web": 40, "chat": 12, "phone": 3},
            "m2": {"web": 40, "phone": 20},
            "m3": {"web": 40, "phone": 30},
        }
    )
    assert hidden["m1 chat"] == hidden["quarter chat"] == COMPLEMENTARY
    assert hidden["quarter phone"] == COMPLEMENTARY


def test_under_a_hidden_total_everything_is_hidden() -> None:
    hidden = list_hidden(
        {
            "m1": {"web": 4},
            "m2": {"web": 20, "chat": 20},
            "m3": {"web": 30, "chat": 30},
        }
    )
    assert hidden["m1 (all)"] == hidden["m1 web"] == PRIMARY
    # October's total could be worked out from the quarter's: November goes too.
    assert hidden["m2 (all)"] == hidden["m2 web"] == hidden["m2 chat"] == COMPLEMENTARY
    assert "quarter (all)" not in hidden


def test_nothing_is_hidden_where_every_cell_has_answers_enough() -> None:
    assert (
        list_hidden({month: {"web": 5, "chat": 6} for month in ("m1", "m2", "m3")})
        == {}
    )


def list_sums(responses: Mapping[Place, int]) -> list[tuple[Place, list[Place]]]:
    """Every sum that a reader can form, written apart from the code under test."""
    sums: list[tuple[Place, list[Place]]] = []
    for parent in responses:
        if parent.breakdown == TOTAL:
            for breakdown in sorted({place.breakdown for place in responses}):
                cells = [
                    place
                    for place in responses
                    if place.period == parent.period and place.breakdown == breakdown
                ]
                if breakdown != TOTAL:
                    sums.append((parent, cells))
        if parent.period == QUARTER:
            sums.append(
                (
                    parent,
                    [
                        place
                        for place in responses
                        if place.period != QUARTER
                        and (place.breakdown, place.value)
                        == (parent.breakdown, parent.value)
                    ],
                )
            )
    return sums


@pytest.mark.parametrize("seed", range(300))
def test_no_attacker_works_out_a_hidden_count(seed: int) -> None:
    draw = random.Random(seed)
    values = [f"v{number}" for number in range(draw.randint(1, 5))]
    breakdowns = [f"b{number}" for number in range(draw.randint(1, 2))]
    highest = draw.choice([6, 12, 40])
    responses: dict[Place, int] = {}
    for month in ("m1", "m2", "m3"):
        first = {value: draw.choice([0, draw.randint(0, highest)]) for value in values}
        # The second breakdown cuts the same answers in another way.
        second = dict.fromkeys(values, 0)
        for _ in range(sum(first.values())):
            second[draw.choice(values)] += 1
        for breakdown, cells in zip(breakdowns, (first, second), strict=False):
            for value, count in cells.items():
                for period in (month, QUARTER):
                    place = Place(period, breakdown, value)
                    responses[place] = responses.get(place, 0) + count
        for period in (month, QUARTER):
            place = Place(period, TOTAL, "(all)")
            responses[place] = responses.get(place, 0) + sum(first.values())
    responses = {place: count for place, count in responses.items() if count}
    hidden = hide(responses, QUARTER)

    assert hidden == hide(dict(reversed(responses.items())), QUARTER), "in any order"
    for place, count in responses.items():
        assert (hidden.get(place) == PRIMARY) == (count < 5)
    for parent, cells in list_sums(responses):
        hidden_cells = [cell for cell in cells if cell in hidden]
        if parent not in hidden and hidden_cells:
            assert len(hidden_cells) >= 2
            assert sum(responses[cell] for cell in hidden_cells) >= 5
        if parent in hidden and parent.breakdown == TOTAL:
            assert all(cell in hidden for cell in cells if cell.breakdown != TOTAL)

    # By any combination of sums: a count is given away when naming it adds nothing to
    # what the equations say of the hidden counts.
    unknown = sorted(hidden)
    equations = np.zeros((len(list_sums(responses)), len(unknown)))
    for row, (parent, cells) in enumerate(list_sums(responses)):
        for place, factor in [(parent, -1), *((cell, 1) for cell in cells)]:
            if place in hidden:
                equations[row, unknown.index(place)] += factor
    if unknown:
        rank = np.linalg.matrix_rank(equations)
        for index, place in enumerate(unknown):
            named = np.zeros((1, len(unknown)))
            named[0, index] = 1
            assert np.linalg.matrix_rank(np.vstack([equations, named])) > rank, place
