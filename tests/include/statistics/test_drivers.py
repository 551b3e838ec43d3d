"""Drivers, against weights worked out apart from the warehouse, and their rules."""

import numpy as np
import pytest

from include.statistics.dominance import correlate, weigh_drivers
from include.statistics.driver_weights import _Question, weigh

# utility, ease, pleasure, likelihood to recommend
ANSWERS = (
    (7, 6, 5, 10),
    (6, 6, 4, 9),
    (5, 4, 6, 8),
    (3, 4, 2, 4),
    (2, 3, 3, 3),
    (6, 5, 7, 9),
    (4, 2, 5, 6),
    (1, 2, 1, 1),
    (5, 6, 3, 7),
    (7, 5, 6, 10),
)
DRIVERS = ("utility", "ease", "pleasure")
TOLERANCE = 0.00006


def ask(
    answers: list[tuple[int | None, ...]], drivers: tuple[str, ...] = DRIVERS
) -> tuple[_Question, list[_Question]]:
    """The questions of a survey; None was skipped. The outcome comes last in a row."""
    questions = [
        *(_Question(f"Q_{name.upper()}", "driver", name) for name in drivers),
        _Question("Q_NPS", "nps", None),
    ]
    for response, row in enumerate(answers):
        for question, score in zip(questions, row, strict=True):
            if score is not None:
                question.scores[str(response)] = score
    return questions[-1], questions


def read(rows: list[tuple[object, ...]]) -> dict[object, tuple[object, ...]]:
    """Status and figures by driver."""
    return {row[5]: (row[6], *row[11:]) for row in rows}


def test_the_weights_are_those_worked_out_by_hand():
    scores = np.array([(row[3], *row[:3]) for row in ANSWERS], dtype=np.int64)
    found = weigh_drivers(correlate(scores))
    assert found.correlation == pytest.approx([0.9937, 0.7683, 0.8197], abs=TOLERANCE)
    assert found.beta == pytest.approx([0.8152, 0.0612, 0.1677], abs=TOLERANCE)
    assert found.johnson == pytest.approx([0.4082, 0.2678, 0.3185], abs=TOLERANCE)
    assert found.dominance == pytest.approx([0.4677, 0.2418, 0.2851], abs=TOLERANCE)
    assert found.r_squared == pytest.approx(0.9946, abs=TOLERANCE)
    assert found.dominance.sum() == pytest.approx(found.r_squared)
    assert found.johnson.sum() == pytest.approx(found.r_squared)
    shares = 100 * found.dominance / found.r_squared
    assert shares == pytest.approx([47.0188, 24.3122, 28.6690], abs=TOLERANCE)
    shares = 100 * found.johnson / found.r_squared
    assert shares == pytest.approx([41.0463, 26.9262, 32.0275], abs=TOLERANCE)
    between = correlate(scores)[1:, 1:]
    assert between[0, 1] == pytest.approx(0.7964, abs=TOLERANCE)
    assert between[0, 2] == pytest.approx(0.7739, abs=TOLERANCE)
    assert between[1, 2] == pytest.approx(0.3450, abs=TOLERANCE)


def test_the_order_of_the_answers_changes_not_a_digit():
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 11, (500, 6))
    shuffled = scores[rng.permutation(len(scores))]
    one, other = (weigh_drivers(correlate(rows)) for rows in (scores, shuffled))
    assert (one.dominance == other.dominance).all()


def test_few_answers_are_counted_and_not_weighed():
    outcome, questions = ask([*ANSWERS])
    rows = weigh("month:2026-10-01", "S", outcome, questions)
    assert [row[6] for row in rows] == ["too_few_answers"] * 3
    assert [row[7:11] for row in rows] == [(3, 10, 0, 50)] * 3
    assert all(value is None for row in rows for value in row[11:])
    assert rows[0][0] == "month:2026-10-01|S|Q_NPS|Q_UTILITY"


def test_fifty_answers_are_enough_for_five_drivers_and_not_for_six():
    for drivers, status in ((5, "published"), (6, "too_few_answers")):
        names = tuple(f"d{number}" for number in range(drivers))
        rng = np.random.default_rng(drivers)
        answers = [tuple(row) for row in rng.integers(1, 8, (50, drivers + 1)).tolist()]
        outcome, questions = ask(answers, names)
        rows = weigh("month:2026-10-01", "S", outcome, questions)
        assert {row[6] for row in rows} == {status}
        assert {row[10] for row in rows} == {max(50, 10 * drivers)}


def test_an_answer_that_lacks_a_driver_is_left_out():
    outcome, questions = ask([*ANSWERS * 5, (7, None, 1, 0), (None, 1, 1, None)])
    rows = weigh("month:2026-10-01", "S", outcome, questions)
    assert {row[8:10] for row in rows} == {(50, 1)}
    found = read(rows)
    assert float(found["utility"][3]) == pytest.approx(0.4677, abs=TOLERANCE)


def test_a_constant_driver_is_dropped_with_its_reason():
    answers = [(*row[:3], 4, row[3]) for row in ANSWERS * 5]
    outcome, questions = ask(answers, (*DRIVERS, "price"))
    found = read(weigh("month:2026-10-01", "S", outcome, questions))
    assert found["price"] == ("constant", *(None,) * 7)
    assert found["utility"][0] == "published"
    assert float(found["utility"][4]) == pytest.approx(47.0188, abs=TOLERANCE)


def test_a_constant_outcome_has_no_drivers():
    outcome, questions = ask([(*row[:3], 9) for row in ANSWERS * 5])
    found = read(weigh("month:2026-10-01", "S", outcome, questions))
    assert {row[0] for row in found.values()} == {"constant_outcome"}


def test_two_drivers_that_say_the_same_share_what_they_explain():
    answers = [(row[0], row[0], row[2], row[3]) for row in ANSWERS * 5]
    outcome, questions = ask(answers)
    found = read(weigh("month:2026-10-01", "S", outcome, questions))
    assert found["utility"][3:5] == found["ease"][3:5]
    assert found["utility"][5:7] == (None, None)
