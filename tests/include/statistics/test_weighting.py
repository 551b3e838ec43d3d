"""Weighting, against answers worked out apart from the code."""

from fractions import Fraction

import pytest

from include.statistics.weighting import Cell, Country, Weighted, weight_answers

COUNTRIES = {
    name: Country(position, region)
    for position, (name, region) in enumerate(
        [
            ("AR", "South America"),
            ("BR", "South America"),
            ("CL", "South America"),
            ("ES", "Europe"),
            ("RO", "Europe"),
            ("MA", "Africa"),
        ]
    )
}

# Eligible customers, then promoters, passives and detractors.
GOLDEN = {
    ("BR", "consumer"): (6000, (120, 60, 20)),
    ("BR", "business"): (1000, (20, 15, 15)),
    ("ES", "consumer"): (2000, (15, 20, 15)),
    ("ES", "business"): (300, (1, 1, 1)),
    ("RO", "consumer"): (600, (5, 10, 5)),
    ("RO", "business"): (100, (0, 0, 0)),
}


def weigh(cells: dict[tuple[str, str], tuple[int, tuple[int, ...]]]) -> Weighted:
    weighted = weight_answers(
        {Cell(*cell): eligible for cell, (eligible, _) in cells.items()},
        {Cell(*cell): sum(counts) for cell, (_, counts) in cells.items()},
        {Cell(*cell): counts for cell, (_, counts) in cells.items()},
        COUNTRIES,
    )
    assert weighted is not None
    return weighted


def list_strata(weighted: Weighted) -> list[str]:
    """The strata, as "ES business + ES consumer: 53"."""
    return [
        " + ".join(f"{cell.country} {cell.segment}" for cell in stratum.cells)
        + f": {stratum.responses}"
        for stratum in weighted.strata
    ]


def test_the_worked_example() -> None:
    weighted = weigh(GOLDEN)
    weights = {
        (stratum.cells[0].country, len(stratum.cells), stratum.eligible): stratum
        for stratum in weighted.strata
    }
    expected = {
        ("BR", 1, 6000): (200, 0.9690),
        ("BR", 1, 1000): (50, 0.6460),
        ("ES", 2, 2300): (53, 1.4017),
        ("RO", 2, 700): (20, 1.1305),
    }
    assert weights.keys() == expected.keys()
    for key, (responses, weight) in expected.items():
        assert weights[key].responses == responses
        assert float(weights[key].weight) == pytest.approx(weight, abs=0.0001)
    promoters, _, detractors = weighted.shares
    # Not trimmed, so exactly the sum of share × NPS of the cell.
    assert 100 * (promoters - detractors) == 31
    assert float(weighted.effective_responses) == pytest.approx(308.3457, abs=0.0001)
    assert float(weighted.design_effect) == pytest.approx(1.0475, abs=0.0001)
    assert weighted.collapsed == ("ES: all segments", "RO: all segments")
    assert weighted.unplaced_responses == 0


def test_answers_in_the_shares_of_the_eligible_weigh_one_each() -> None:
    weighted = weigh({("BR", "a"): (600, (6, 0, 0)), ("ES", "a"): (1400, (0, 7, 7))})
    assert {stratum.weight for stratum in weighted.strata} == {Fraction(1)}
    assert weighted.effective_responses == 20
    assert weighted.design_effect == 1
    assert weighted.collapsed == ()


def test_weights_are_trimmed_once_and_renormalised_once() -> None:
    # Shares of eligible over shares of answers: 9 and 0.11; trimmed to 5 and 0.2,
    # then divided by their mean (5 × 10 + 0.2 × 90) / 100 = 0.68.
    weighted = weigh({("BR", "a"): (9900, (10, 0, 0)), ("ES", "a"): (1100, (0, 0, 90))})
    assert [stratum.weight for stratum in weighted.strata] == [
        Fraction(500, 68),
        Fraction(20, 68),
    ]
    assert sum(s.weight * s.responses for s in weighted.strata) == 100
    assert weighted.shares == (Fraction(5000, 6800), 0, Fraction(1800, 6800))


def test_one_small_cell_collapses_all_segments_of_its_country() -> None:
    weighted = weigh(
        {
            ("ES", "a"): (10, (9, 0, 0)),
            ("ES", "b"): (10, (4, 0, 0)),
            ("ES", "c"): (10, (9, 0, 0)),
            ("RO", "a"): (10, (5, 0, 0)),
        }
    )
    assert list_strata(weighted) == ["ES a + ES b + ES c: 22", "RO a: 5"]


def test_a_small_country_goes_with_the_next_one_of_its_region_as_a_whole() -> None:
    weighted = weigh(
        {
            ("AR", "a"): (10, (1, 0, 0)),
            ("BR", "a"): (10, (5, 0, 0)),
            ("BR", "b"): (10, (5, 0, 0)),
            ("CL", "a"): (10, (5, 0, 0)),
            ("ES", "a"): (10, (5, 0, 0)),
        }
    )
    assert list_strata(weighted) == ["AR a + BR a + BR b: 11", "CL a: 5", "ES a: 5"]
    assert weighted.collapsed == ("AR with BR",)


def test_small_countries_go_on_until_they_have_answers_enough() -> None:
    weighted = weigh(
        {
            ("AR", "a"): (10, (1, 0, 0)),
            ("BR", "a"): (10, (1, 0, 0)),
            ("CL", "a"): (10, (3, 0, 0)),
        }
    )
    assert list_strata(weighted) == ["AR a + BR a + CL a: 5"]
    assert weighted.collapsed == ("AR with BR", "AR+BR with CL")


def test_the_last_country_of_a_region_goes_with_the_one_before() -> None:
    weighted = weigh({("ES", "a"): (10, (5, 0, 0)), ("RO", "a"): (10, (4, 0, 0))})
    assert list_strata(weighted) == ["ES a + RO a: 9"]
    assert weighted.collapsed == ("RO with ES",)


def test_the_order_is_that_of_the_list_and_not_of_the_alphabet() -> None:
    cells = {
        Cell("ES", "a"): 3,
        Cell("RO", "a"): 5,
        Cell("MA", "a"): 5,
    }
    countries = {
        "RO": Country(0, "one"),
        "ES": Country(1, "one"),
        "MA": Country(2, "one"),
    }
    weighted = weight_answers(cells, cells, dict.fromkeys(cells, (1,)), countries)
    assert weighted is not None
    assert weighted.collapsed == ("ES with MA",)


def test_a_country_alone_in_its_region_stays_small() -> None:
    weighted = weigh({("ES", "a"): (10, (5, 0, 0)), ("MA", "a"): (10, (1, 0, 0))})
    assert list_strata(weighted) == ["ES a: 5", "MA a: 1"]


def test_the_eligible_of_a_lone_country_without_answers_count_nowhere() -> None:
    weighted = weigh({("ES", "a"): (10, (5, 0, 0)), ("MA", "a"): (90, (0, 0, 0))})
    assert list_strata(weighted) == ["ES a: 5"]
    assert weighted.strata[0].weight == 1


def test_answers_where_nobody_was_eligible_leave_the_score_and_are_counted() -> None:
    weighted = weigh(
        {
            ("ES", "a"): (10, (5, 0, 0)),
            ("ES", "(unknown)"): (0, (0, 0, 7)),
            ("(unknown)", "(unknown)"): (0, (0, 0, 3)),
        }
    )
    assert list_strata(weighted) == ["ES a: 5"]
    assert weighted.unplaced_responses == 10
    assert weighted.shares == (1, 0, 0)


def test_a_few_answers_of_an_unknown_segment_are_placed_with_their_country() -> None:
    weighted = weigh(
        {("ES", "a"): (10, (5, 0, 0)), ("ES", "(unknown)"): (0, (0, 0, 4))}
    )
    assert list_strata(weighted) == ["ES (unknown) + ES a: 9"]
    assert weighted.unplaced_responses == 0


def test_without_anybody_eligible_there_is_no_weighted_score() -> None:
    cell = Cell("ES", "a")
    assert weight_answers({}, {cell: 9}, {cell: (9,)}, COUNTRIES) is None
    assert weight_answers({cell: 9}, {}, {}, COUNTRIES) is None
