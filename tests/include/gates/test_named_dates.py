"""Dates in the names of files: which are in doubt, and which are not."""

from datetime import date, timedelta

import pytest

from include.gates.named_dates import find_misdated_name, read_lag

NIGHT = date(2026, 11, 20)


def list_lags(*lags: int | None) -> dict[date, set[int]]:
    """What the names of the nights before told, oldest first; None: no date."""
    return {
        NIGHT - timedelta(days=len(lags) - number): set() if lag is None else {lag}
        for number, lag in enumerate(lags)
    }


@pytest.mark.parametrize(
    ("name", "lag"),
    [
        ("contacts-2026-11-20.csv", 0),
        ("contacts_20261121_0300.csv", 1),
        ("2026.11.13 contacts.csv", -7),
        ("contacts.csv", None),
        ("contacts_20261321.csv", None),
        ("tickets_120261120.json", None),
    ],
)
def test_dates_are_read_as_vendors_write_them(name: str, lag: int | None) -> None:
    assert read_lag(name, NIGHT) == lag


@pytest.mark.parametrize("habit", [0, 1])
def test_an_earlier_date_than_usual_is_in_doubt(habit: int) -> None:
    lags = list_lags(habit, habit, habit)
    assert find_misdated_name(["a 2026-11-13.csv"], NIGHT, lags) == "a 2026-11-13.csv"
    # Its own day, the day of the export, and one on which it was exported again.
    for name in ("a 2026-11-20.csv", "a 2026-11-21.csv", "a 2026-12-30.csv", "a.csv"):
        assert find_misdated_name([name], NIGHT, lags) is None


def test_a_date_that_always_stands_there_says_nothing() -> None:
    # "since 2020-01-01": each night it lies one day further back.
    lags = list_lags(-2515, -2516, -2517)
    assert find_misdated_name(["since 2020-01-01.csv"], NIGHT, lags) is None


@pytest.mark.parametrize("lags", [(), (0, 0), (0, None, 0), (0, 1, 0)])
def test_without_a_habit_nothing_is_in_doubt(lags: tuple[int | None, ...]) -> None:
    assert find_misdated_name(["a 2026-11-13.csv"], NIGHT, list_lags(*lags)) is None


def test_names_that_lag_behind_by_habit_are_right() -> None:
    lags = list_lags(-1, -1, -1)
    assert find_misdated_name(["a 2026-11-19.csv"], NIGHT, lags) is None
    assert find_misdated_name(["a 2026-11-18.csv"], NIGHT, lags) is not None
