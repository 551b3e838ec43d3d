"""What gate 1 measures of a load, in the raw table and against the feed's past."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from include.gates import check_raw
from include.gates.load_history import FeedHistory, PastLoad
from include.settings import Settings
from tests.include.gates.gate_world import (
    NIGHT,
    GateWorld,
    make_people,
    make_visits,
    open_gate_world,
)


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[GateWorld]:
    world = open_gate_world(settings, tmp_path / "project")
    yield world
    world.connection.close()


def test_event_dates_are_local_dates_of_the_reporting_zone(world: GateWorld) -> None:
    """02:59 UTC of the 21st is still the 20th in São Paulo (UTC-3), 03:00 is not."""
    times = ("2026-11-20 03:00:00", "2026-11-21 02:59:59", "2026-11-21 03:00:00")
    rows = [
        {"id": str(number), "visited_at": time, "page": "/"}
        for number, time in enumerate(times)
    ]
    load_id = world.send("visits", NIGHT, rows)
    check_raw(world.settings, "run")
    profile = world.read_profile(load_id)
    assert profile["earliest_event_date"] == "2026-11-20"
    assert profile["latest_event_date"] == "2026-11-21"
    assert profile["rows_after_batch_date"] == 1


def test_times_with_an_offset_keep_it(world: GateWorld) -> None:
    row = {"id": "1", "updated_at": "2026-11-21T00:30:00+00:00"}
    load_id = world.send("tickets", NIGHT, [row])
    check_raw(world.settings, "run")
    assert world.read_profile(load_id)["latest_event_date"] == "2026-11-20"


def test_words_that_postgresql_takes_for_times_are_none(world: GateWorld) -> None:
    rows = [{**row, "visited_at": "now"} for row in make_visits(2, NIGHT)]
    load_id = world.send("visits", NIGHT, rows)
    check_raw(world.settings, "run")
    assert world.read_profile(load_id)["rows_without_event_time"] == 2


def test_dates_are_read_in_the_order_that_their_source_writes(
    world: GateWorld,
) -> None:
    """In the order of another country 2/11 is in February, and 20/11 is no day."""
    times = ("2/11/2026 10:00", "20/11/2026 12:00", "2026-11-03 10:00:00", "31/11/2026")
    rows = [{"id": str(number), "saved_at": time} for number, time in enumerate(times)]
    load_id = world.send("changes", NIGHT, rows)
    check_raw(world.settings, "run")
    profile = world.read_profile(load_id)
    assert profile["earliest_event_date"] == "2026-11-02"
    assert profile["latest_event_date"] == "2026-11-20"
    assert profile["rows_without_event_time"] == 1


def test_states_of_a_log_repeat_no_key_but_a_log_sent_twice_does(
    world: GateWorld,
) -> None:
    rows = [{"id": "1", "saved_at": f"{day}/11/2026 10:00"} for day in range(1, 20)]
    whole = world.send("changes", NIGHT - timedelta(days=1), rows)
    twice = world.send("changes", NIGHT, [*rows, *rows])
    check_raw(world.settings, "run")
    assert world.read_profile(whole)["rows_repeating_key"] == 0
    assert world.read_profile(twice)["rows_repeating_key"] == 19


def test_a_snapshot_is_counted_through_its_membership(world: GateWorld) -> None:
    """Rows that did not change since the night before are stored once."""
    world.send("people", NIGHT - timedelta(days=1), make_people(30))
    load_id = world.send("people", NIGHT, make_people(31))
    check_raw(world.settings, "run")
    profile = world.read_profile(load_id)
    assert (profile["rows_in_raw"], profile["distinct_keys"]) == (31, 31)
    assert profile["filled_rows"] == {"id": 31, "email": 31}
    assert profile["reference_keys"] == 30
    assert profile["reference_date"] == "2026-11-19"


def test_an_empty_delta_has_a_profile(world: GateWorld) -> None:
    load_id = world.send("visits", NIGHT, [])
    assert check_raw(world.settings, "run").held_loads == []
    profile = world.read_profile(load_id)
    assert (profile["rows_in_raw"], profile["rejected_share"]) == (0, None)


def test_an_empty_delta_is_no_other_dates_file(world: GateWorld) -> None:
    for back in (2, 1, 0):
        world.send("visits", NIGHT - timedelta(days=back), [])
    result = check_raw(world.settings, "run")
    assert (result.held_loads, result.failed_warning) == ([], [])


@pytest.mark.parametrize(
    ("part", "whole", "low"),
    # GOLDEN: Wilson 283/332, 0/5, 1/5, 29/30; then what the gate relies on.
    [
        (283, 332, 0.8102),
        (0, 5, 0.0),
        (1, 5, 0.0362),
        (29, 30, 0.8333),
        (1, 10, 0.0179),
        (10, 100, 0.0552),
        (1, 1, 0.2065),
        (5_000_000_000, 5_000_000_000, 1.0),
    ],
)
def test_the_proven_share_is_the_lower_wilson_bound(
    world: GateWorld, part: int, whole: int, low: float
) -> None:
    row = world.connection.execute(
        "select audit.proven_share(%s, %s)", [part, whole]
    ).fetchone()
    assert row is not None
    assert float(row[0]) == pytest.approx(low, abs=1e-4)


def test_nothing_proves_no_share(world: GateWorld) -> None:
    row = world.connection.execute("select audit.proven_share(0, 0)").fetchone()
    assert row == (None,)


# --- Against the feed's past


def make_load(
    day: date, rows: int, content: str | None = None, filled: int | None = None
) -> PastLoad:
    return PastLoad(
        load_id=day.toordinal(),
        batch_date=day,
        content_hash=content or str(day),
        rows=rows,
        keys=rows,
        filled_rows={"page": rows if filled is None else filled},
    )


def make_nights(counts: list[int], last: date = NIGHT) -> list[PastLoad]:
    """Loads of the nights before `last`, oldest first."""
    return [
        make_load(last - timedelta(days=len(counts) - number), rows)
        for number, rows in enumerate(counts)
    ]


def test_a_young_feed_has_no_usual_volume() -> None:
    history = FeedHistory(False, make_nights([500] * 6), {})
    assert history.compare(make_load(NIGHT, 1)).volume_ratio is None


def test_a_small_feed_has_no_usual_volume() -> None:
    history = FeedHistory(False, make_nights([29] * 40), {})
    comparison = history.compare(make_load(NIGHT, 0))
    assert comparison.usual_rows is None
    assert comparison.weekday_volume_ratio is None


def test_a_night_is_compared_with_the_same_weekdays() -> None:
    counts = [
        40 if (NIGHT - timedelta(days=28 - number)).weekday() == 4 else 900
        for number in range(28)
    ]
    history = FeedHistory(False, make_nights(counts), {})
    comparison = history.compare(make_load(NIGHT, 38))
    assert comparison.usual_rows == 40
    assert comparison.volume_ratio == pytest.approx(0.95)


def test_later_nights_do_not_count_for_an_earlier_one() -> None:
    later = [make_load(NIGHT + timedelta(days=day), 500) for day in range(1, 20)]
    comparison = FeedHistory(False, later, {}).compare(make_load(NIGHT, 10))
    assert comparison.usual_rows is None


def test_a_night_of_a_long_range_is_compared_as_in_a_night_of_its_own() -> None:
    """The volume of a year ago, ten times as large, counts in neither."""
    past = make_nights([5_000] * 300 + [500] * 56)
    young = make_nights([500] * 56)
    in_range = FeedHistory(False, [], {})
    for load in past:
        in_range.add(load, in_range.compare(load))
    now = make_load(NIGHT, 400)
    assert in_range.list_earlier(NIGHT) == young
    assert in_range.compare(now) == FeedHistory(False, young, {}).compare(now)


def test_a_list_is_compared_with_the_last_one_however_long_ago_that_came() -> None:
    before = make_load(NIGHT - timedelta(days=200), 100)
    history = FeedHistory(True, [before], {})
    assert history.list_earlier(NIGHT) == [before]
    assert history.compare(make_load(NIGHT, 50)).snapshot_ratio == 0.5


def test_a_cut_off_list_is_no_reference_for_the_next_one() -> None:
    history = FeedHistory(True, [make_load(NIGHT, 100)], {})
    for day in (1, 2):
        cut_off = make_load(NIGHT + timedelta(days=day), 40)
        comparison = history.compare(cut_off)
        assert comparison.snapshot_ratio == 0.4
        assert comparison.reference_date == NIGHT
        history.add(cut_off, comparison)


def test_a_column_that_varies_from_night_to_night_raises_no_alarm() -> None:
    """Sundays deliver nothing: the column was empty before."""
    past = [
        make_load(NIGHT - timedelta(days=back), 200, filled=0 if back % 7 == 0 else 150)
        for back in range(14, 0, -1)
    ]
    history = FeedHistory(False, past, {})
    assert history.compare(make_load(NIGHT, 200, filled=0)).fill_drop is None


def test_a_column_that_is_emptied_is_named() -> None:
    past = [
        make_load(NIGHT - timedelta(days=back), 200, filled=150)
        for back in range(8, 0, -1)
    ]
    comparison = FeedHistory(False, past, {}).compare(make_load(NIGHT, 200, filled=0))
    assert (comparison.emptied_column, comparison.fill_drop) == ("page", 1.0)


def test_the_same_content_on_its_own_date_is_no_other_dates_file() -> None:
    history = FeedHistory(False, [], {"same": [NIGHT]})
    comparison = history.compare(make_load(NIGHT, 10, content="same"))
    assert comparison.same_content_date is None


def make_list(day: date, content: str, rows: int = 300) -> PastLoad:
    return make_load(day, rows, content=content)


def test_a_list_of_an_earlier_night_that_comes_again_is_another_dates() -> None:
    days = [NIGHT - timedelta(days=back) for back in (3, 2, 1)]
    past = [make_list(day, content) for day, content in zip(days, "ABC", strict=True)]
    history = FeedHistory(True, past, {"A": days[:1], "B": days[1:2], "C": days[2:]})
    assert history.compare(make_list(NIGHT, "A")).same_content_date == days[0]
    # Nothing has changed since last night, or it is a small list: that happens.
    assert history.compare(make_list(NIGHT, "C")).same_content_date is None
    assert history.compare(make_list(NIGHT, "A", rows=20)).same_content_date is None


def test_a_quiet_list_may_be_loaded_in_any_order_of_its_nights() -> None:
    # The night after has come first, and nothing changed between the two.
    before, later = NIGHT - timedelta(days=1), NIGHT + timedelta(days=1)
    past = [make_list(before, "A"), make_list(later, "B")]
    history = FeedHistory(True, past, {"A": [before], "B": [later]})
    assert history.compare(make_list(NIGHT, "B")).same_content_date is None
