"""Gate 1 over real loads: what it holds, what it lets through, what it says."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from include.checks import check_raw
from include.settings import Settings
from tests.include.gate_world import (
    GateWorld,
    make_people,
    make_visits,
    open_gate_world,
)

NIGHT = date(2026, 11, 20)  # a Friday


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[GateWorld]:
    world = open_gate_world(settings, tmp_path / "project")
    yield world
    world.connection.close()


def test_good_loads_are_accepted(world: GateWorld) -> None:
    people = world.add_load("people", NIGHT, make_people(100))
    visits = world.add_load("visits", NIGHT, make_visits(3, NIGHT))
    ticket = {"id": 1, "updated_at": f"{NIGHT}T17:30:00Z"}
    tickets = world.add_load("tickets", NIGHT, [ticket, ticket])
    result = check_raw(world.settings, "run-1")
    assert (result.checked, result.held_loads) == (3, [])
    assert (result.failed_critical, result.failed_warning) == ([], [])
    for load_id in (people, visits, tickets):
        assert world.read_status(load_id) == ("accepted", None)
    profile = world.read_profile(tickets)
    assert profile["rows_repeating_key"] == 1
    assert profile["latest_event_date"] == str(NIGHT)


def test_a_held_load_leaves_the_accepted_one_in_force(world: GateWorld) -> None:
    before = world.add_load("people", NIGHT, make_people(100))
    check_raw(world.settings, "run-1")
    empty = world.add_load("people", NIGHT, [])
    result = check_raw(world.settings, "run-2")
    assert result.held_loads == [empty]
    assert world.read_status(before) == ("accepted", None)
    status, reason = world.read_status(empty)
    assert status == "held"
    assert reason == (
        "the list is empty, expected: at least one row; have the source export it "
        "again and load the date again. The load accepted before, of 100 rows, stays "
        "in force."
    )
