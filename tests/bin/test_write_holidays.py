"""The seed of holidays is what its library says, and what is known of a few days."""

import csv

import pytest

from bin.write_holidays import SEED, compose_seed


@pytest.fixture(scope="module")
def days() -> dict[tuple[str, str], tuple[str, str]]:
    with SEED.open(newline="") as file:
        return {
            (row["holiday_region"], row["holiday_date"]): (
                *(row["opens_at"], row["closes_at"]),
            )
            for row in csv.DictReader(file)
        }


def test_the_seed_is_what_the_library_writes() -> None:
    assert SEED.read_text() == compose_seed()


@pytest.mark.parametrize(
    ("region", "day", "is_holiday"),
    [
        # Consciência Negra: a law of 2023 made it a holiday of the whole country.
        ("BR", "2022-11-20", False),
        ("BR", "2026-11-20", True),
        ("BR-SP", "2026-07-09", True),
        ("BR", "2026-07-09", False),
        ("ES-MD", "2026-04-02", True),
        ("ES-CT", "2026-04-02", False),
        ("ES-CT", "2026-04-06", True),
        ("ES-MD", "2026-04-06", False),
        # The Orthodox Easter.
        ("RO", "2026-04-10", True),
        ("RO", "2026-04-03", False),
        ("RO", "2026-11-30", True),
        ("RO", "2026-12-01", True),
    ],
)
def test_a_region_has_its_own_days(
    days: dict[tuple[str, str], tuple[str, str]],
    region: str,
    day: str,
    is_holiday: bool,
) -> None:
    assert ((region, day) in days) is is_holiday


def test_some_days_are_open_for_a_part(
    days: dict[tuple[str, str], tuple[str, str]],
) -> None:
    assert days["BR", "2026-12-24"] == ("09:00", "14:00")
    assert days["BR", "2026-02-18"] == ("14:00", "18:00")
    assert days["BR", "2026-12-25"] == ("", "")
