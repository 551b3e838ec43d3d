"""Gate 1 over real loads: what it holds, what it lets through, what it says."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from expectations.raw import RULES, RULES_BY_NAME, STRUCTURE_RULES
from include.audit import accept_load, accept_loads, migrate
from include.errors import GateError
from include.gates import check_raw
from include.settings import PROJECT_FOLDER, Settings
from tests.include.gates.gate_world import (
    NIGHT,
    GateWorld,
    days_before,
    make_people,
    make_visits,
    open_gate_world,
)


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[GateWorld]:
    world = open_gate_world(settings, tmp_path / "project")
    yield world
    world.connection.close()


def test_good_loads_are_accepted(world: GateWorld) -> None:
    people = world.send("people", NIGHT, make_people(100))
    visits = world.send("visits", NIGHT, make_visits(3, NIGHT))
    ticket = {"id": "1", "updated_at": f"{NIGHT}T17:30:00Z"}
    tickets = world.send("tickets", NIGHT, [ticket, ticket])
    result = check_raw(world.settings, "run-1")
    assert (result.checked, result.held_loads) == (3, [])
    assert (result.failed_critical, result.failed_warning) == ([], [])
    for load_id in (people, visits, tickets):
        assert world.read_status(load_id) == ("accepted", None)
    profile = world.read_profile(tickets)
    assert profile["rows_repeating_key"] == 1
    assert profile["latest_event_date"] == str(NIGHT)


def test_a_held_load_leaves_the_accepted_one_in_force(world: GateWorld) -> None:
    before = world.send("people", NIGHT, make_people(100))
    check_raw(world.settings, "run-1")
    empty = world.send("people", NIGHT, [])
    result = check_raw(world.settings, "run-2")
    assert result.held_loads == [empty]
    assert world.read_status(before) == ("accepted", None)
    status, reason = world.read_status(empty)
    assert status == "held"
    assert reason is not None
    assert reason.startswith(
        "the list is empty, expected: at least one row; have the source export it "
        "again and load the date again."
    )
    assert reason.endswith("The load accepted before, of 100 rows, stays in force.")


def test_a_held_load_is_told_in_one_sentence(
    world: GateWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.send("people", NIGHT, [])
    with caplog.at_level(logging.ERROR):
        result = check_raw(world.settings, "run-1")
    (told,) = [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.ERROR
    ]
    assert told == (
        "shop.people of 2026-11-20 is held: the list is empty, expected: at least one "
        "row; have the source export it again and load the date again."
    )
    (finding,) = result.failed_critical
    assert finding.source == "shop"
    rows = world.connection.execute(
        "select severity, is_met, count(*), count(load_id) from audit.gate_results"
        " group by 1, 2 order by 1, 2"
    ).fetchall()
    critical = [rule for rule in RULES if rule.severity == "critical"]
    assert rows[:2] == [
        ("critical", False, 1, 1),
        ("critical", True, len(critical) - 1, 0),
    ]


def test_a_corrected_load_supersedes_the_accepted_one(world: GateWorld) -> None:
    before = world.send("people", NIGHT, make_people(100))
    check_raw(world.settings, "run-1")
    after = world.send("people", NIGHT, make_people(101))
    check_raw(world.settings, "run-2")
    assert world.read_status(before) == ("superseded", None)
    assert world.read_status(after) == ("accepted", None)


def test_of_two_waiting_loads_of_a_date_the_last_ends_in_force(
    world: GateWorld,
) -> None:
    first = world.send("people", NIGHT, make_people(100))
    second = world.send("people", NIGHT, make_people(100, "b"))
    check_raw(world.settings, "run-1")
    assert world.read_status(first) == ("superseded", None)
    assert world.read_status(second) == ("accepted", None)


# --- Every rule is shown failing. Each plant sends good history and one bad load.


def send_history(world: GateWorld, feed: str, days: int, rows: int) -> None:
    for day in days_before(days):
        if feed == "people":
            world.send(feed, day, make_people(rows, str(day)))
        else:
            world.send(feed, day, make_visits(rows, day))


def plant_lost_rows(world: GateWorld) -> int:
    load_id = world.send("visits", NIGHT, make_visits(10, NIGHT))
    world.execute("delete from raw_shop.visits where id like %s", "%-9")
    return load_id


def plant_many_unreadable_rows(world: GateWorld) -> int:
    return world.send("visits", NIGHT, make_visits(80, NIGHT), broken_rows=20)


def plant_one_unreadable_row(world: GateWorld) -> int:
    return world.send("visits", NIGHT, make_visits(9, NIGHT), broken_rows=1)


def plant_many_rows_without_key(world: GateWorld) -> int:
    rows = [{**row, "id": None} for row in make_visits(10, NIGHT)]
    return world.send("visits", NIGHT, make_visits(90, NIGHT) + rows)


def plant_one_row_without_key(world: GateWorld) -> int:
    rows = [{**row, "id": None} for row in make_visits(1, NIGHT)]
    return world.send("visits", NIGHT, make_visits(9, NIGHT) + rows)


def plant_an_emptied_column(world: GateWorld) -> int:
    send_history(world, "visits", 8, 100)
    return world.send("visits", NIGHT, make_visits(100, NIGHT, page=None))


def plant_a_half_emptied_column(world: GateWorld) -> int:
    send_history(world, "visits", 8, 100)
    rows = make_visits(100, NIGHT)
    return world.send(
        "visits", NIGHT, rows[:40] + [{**row, "page": None} for row in rows[40:]]
    )


def plant_an_undeclared_column(world: GateWorld) -> int:
    rows = [{**row, "mood": "good"} for row in make_visits(9, NIGHT)]
    return world.send("visits", NIGHT, rows)


def plant_an_empty_snapshot(world: GateWorld) -> int:
    return world.send("people", NIGHT, [])


def plant_a_cut_off_snapshot(world: GateWorld) -> int:
    send_history(world, "people", 1, 100)
    return world.send("people", NIGHT, make_people(49))


def plant_a_shrunken_snapshot(world: GateWorld) -> int:
    send_history(world, "people", 1, 100)
    return world.send("people", NIGHT, make_people(89))


def plant_an_all_but_empty_weekday(world: GateWorld) -> int:
    send_history(world, "visits", 21, 150)
    return world.send("visits", NIGHT, make_visits(2, NIGHT))


def plant_a_thin_night(world: GateWorld) -> int:
    send_history(world, "visits", 8, 60)
    return world.send("visits", NIGHT, make_visits(14, NIGHT))


def plant_a_poorer_correction(world: GateWorld) -> int:
    world.send("visits", NIGHT, make_visits(60, NIGHT))
    check_raw(world.settings, "before")
    return world.send("visits", NIGHT, make_visits(29, NIGHT))


def plant_another_dates_file(world: GateWorld) -> int:
    (day,) = days_before(1)
    world.send("visits", day, make_visits(1, day))
    return world.send("visits", NIGHT, make_visits(1, day))


def plant_a_file_of_another_name(world: GateWorld) -> int:
    for number, day in enumerate(days_before(3)):
        rows = make_people(20, str(number))
        world.send("people", day, rows, name=f"people_{day:%Y%m%d}.csv")
    older = NIGHT - timedelta(days=7)
    return world.send("people", NIGHT, make_people(20), name=f"people_{older}.csv")


def plant_an_unchanged_long_list(world: GateWorld) -> int:
    (day,) = days_before(1)
    world.send("people", day, make_people(10_000))
    return world.send("people", NIGHT, make_people(10_000))


def plant_a_file_of_tomorrow(world: GateWorld) -> int:
    return world.send("visits", NIGHT, make_visits(20, NIGHT + timedelta(days=1)))


def plant_one_row_of_tomorrow(world: GateWorld) -> int:
    rows = make_visits(1, NIGHT + timedelta(days=1))
    return world.send("visits", NIGHT, make_visits(19, NIGHT) + rows)


def plant_old_rows(world: GateWorld) -> int:
    return world.send("visits", NIGHT, make_visits(20, NIGHT - timedelta(days=31)))


def plant_unreadable_times(world: GateWorld) -> int:
    rows = [{**row, "visited_at": "sometime"} for row in make_visits(20, NIGHT)]
    return world.send("visits", NIGHT, rows)


def plant_some_unreadable_times(world: GateWorld) -> int:
    rows = [{**row, "visited_at": None} for row in make_visits(20, NIGHT)]
    return world.send("visits", NIGHT, make_visits(80, NIGHT) + rows)


def plant_a_list_twice_over(world: GateWorld) -> int:
    return world.send("people", NIGHT, make_people(50) + make_people(50, "b"))


def plant_one_person_twice(world: GateWorld) -> int:
    return world.send("people", NIGHT, make_people(50) + make_people(1, "b"))


def plant_a_delta_twice_over(world: GateWorld) -> int:
    return world.send("visits", NIGHT, make_visits(500, NIGHT) * 2)


PLANTS: dict[str, Callable[[GateWorld], int]] = {
    "every loaded row is in the raw table": plant_lost_rows,
    "hardly any row is unreadable": plant_many_unreadable_rows,
    "no row is unreadable": plant_one_unreadable_row,
    "hardly any row lacks its natural key": plant_many_rows_without_key,
    "no row lacks its natural key": plant_one_row_without_key,
    "no required column is suddenly empty": plant_an_emptied_column,
    "no required column is suddenly half empty": plant_a_half_emptied_column,
    "every column is declared": plant_an_undeclared_column,
    "a snapshot is not empty": plant_an_empty_snapshot,
    "a snapshot is not cut off": plant_a_cut_off_snapshot,
    "a snapshot neither shrinks nor grows much": plant_a_shrunken_snapshot,
    "a busy weekday is not all but empty": plant_an_all_but_empty_weekday,
    "the volume is about as usual": plant_a_thin_night,
    "a correction does not lose half of what it replaces": plant_a_poorer_correction,
    "an export is not another date's": plant_another_dates_file,
    "no file tells an earlier date in its name": plant_a_file_of_another_name,
    "a long list changes from night to night": plant_an_unchanged_long_list,
    "hardly any row lies in the future": plant_a_file_of_tomorrow,
    "no row lies in the future": plant_one_row_of_tomorrow,
    "most rows are recent": plant_old_rows,
    "times can be read": plant_unreadable_times,
    "nearly all times can be read": plant_some_unreadable_times,
    "hardly any key comes twice in a snapshot": plant_a_list_twice_over,
    "no key comes twice in a snapshot": plant_one_person_twice,
    "a delta is not sent twice over": plant_a_delta_twice_over,
}


def test_a_bad_load_is_planted_for_every_rule() -> None:
    """Those of values have theirs in test_planted_faults.py."""
    assert set(PLANTS) == {rule.name for rule in STRUCTURE_RULES}


@pytest.mark.parametrize("name", PLANTS)
def test_a_rule_finds_what_is_planted(world: GateWorld, name: str) -> None:
    rule = RULES_BY_NAME[name]
    load_id = PLANTS[name](world)
    result = check_raw(world.settings, "run")
    found = world.connection.execute(
        "select load_id, severity from audit.gate_results"
        " where run_id = 'run' and expectation = %s and not is_met",
        [name],
    ).fetchall()
    assert found == [(load_id, rule.severity)]
    # A warning alone never holds; the loads around it are never held.
    is_held = rule.severity == "critical"
    assert result.held_loads == ([load_id] if is_held else [])
    assert world.read_status(load_id)[0] == ("held" if is_held else "accepted")


# --- What must raise no alarm.


def test_a_quiet_small_shop_raises_no_alarm(world: GateWorld) -> None:
    """Forty nights of 0 to 9 visits and a list that grows by one a night."""
    for number, day in enumerate(days_before(40)):
        world.send("people", day, make_people(5 + number))
        world.send("visits", day, make_visits(number * 7 % 10, day))
        world.send("tickets", day, [])
    result = check_raw(world.settings, "range")
    assert (result.held_loads, result.failed_warning) == ([], [])


def test_quiet_weekends_raise_no_alarm(world: GateWorld) -> None:
    for day in days_before(42):
        count = 120 if day.weekday() >= 5 else 400
        world.send("visits", day, make_visits(count, day))
    result = check_raw(world.settings, "range")
    assert (result.held_loads, result.failed_warning) == ([], [])


def test_a_range_is_judged_like_single_nights(world: GateWorld) -> None:
    """A cut-off list is held, and so is the next one that is cut off alike."""
    sizes = (100, 40, 40, 100)
    loads = [
        world.send("people", day, make_people(size, str(day)))
        for day, size in zip(days_before(4), sizes, strict=True)
    ]
    assert check_raw(world.settings, "range").held_loads == loads[1:3]


# --- How it goes about it.


def test_nothing_waiting_costs_no_import_of_great_expectations(
    world: GateWorld,
) -> None:
    script = (
        "import sys\n"
        "from include.gates import check_raw\n"
        "from include.settings import read_settings\n"
        "assert check_raw(read_settings(), 'run').checked == 0\n"
        "assert 'great_expectations' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        cwd=PROJECT_FOLDER,
        env={
            "CX_DATABASE_URL": world.settings.database_url,
            "CX_LANDING_URL": "none",
            "CX_KEY_SECRET": world.settings.key_secret,
            "CX_REPORT_FOLDER": str(world.settings.report_folder),
        },
    )


def test_an_expectation_that_cannot_be_evaluated_lets_nothing_through(
    world: GateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_id = world.send("visits", NIGHT, make_visits(3, NIGHT))
    monkeypatch.setattr(
        "expectations.raw.compose_query", lambda: "select 1 as row_id, 2 as other"
    )
    with pytest.raises(GateError, match="could not be evaluated"):
        check_raw(world.settings, "run")
    assert world.read_status(load_id) == ("loaded", None)


def test_a_load_of_an_undeclared_feed_is_held(world: GateWorld) -> None:
    load_id = world.send("visits", NIGHT, make_visits(3, NIGHT))
    world.execute("update audit.loads set feed = 'shop.gone'")
    result = check_raw(world.settings, "run")
    assert result.held_loads == [load_id]
    assert "no contract declares the feed" in str(world.read_status(load_id)[1])


def test_the_pages_show_no_personal_data_no_password_and_no_address(
    world: GateWorld,
) -> None:
    world.send("people", NIGHT, make_people(50) + make_people(50, "secret"))
    password = conninfo_to_dict(world.settings.database_url)["password"]
    check_raw(world.settings, "run")
    pages = list((world.settings.report_folder / "data_docs").rglob("*.html"))
    assert len(pages) >= 2
    kept = [
        path
        for path in world.settings.report_folder.rglob("*")
        if path.suffix in (".html", ".json", ".yml")
    ]
    for path in kept:
        text = path.read_text()
        assert "example.org" not in text
        assert str(password) not in text
        assert "://" not in text


def test_no_session_stays_open(world: GateWorld) -> None:
    world.send("visits", NIGHT, make_visits(3, NIGHT))
    check_raw(world.settings, "run")
    # A server process takes a moment to end after its client has gone.
    deadline = time.monotonic() + 10
    while _count_other_sessions(world) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _count_other_sessions(world) == 0


def _count_other_sessions(world: GateWorld) -> int:
    row = world.connection.execute(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and backend_type = 'client backend' and pid <> pg_backend_pid()"
    ).fetchone()
    world.connection.commit()
    assert row is not None
    return int(row[0])


def test_pages_do_not_pile_up(
    world: GateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expectations.data_docs.KEPT_RUNS", 3)
    for number, day in enumerate(days_before(5)):
        world.send("visits", day, make_visits(1, day))
        check_raw(world.settings, f"run-{number}")
    report = world.settings.report_folder
    assert len(list(report.glob("data_docs/validations/*/*/*/*.html"))) == 3
    assert len(list(report.glob(".gate_results/*/*/*/*.json"))) == 3


def test_many_loads_are_accepted_at_once(settings: Settings) -> None:
    with psycopg.connect(settings.database_url) as connection:
        migrate(connection)
        connection.execute(
            "insert into audit.loads (feed, batch_date, status, content_hash,"
            " contract_hash, run_id)"
            " select 'f' || feed, date '2026-01-01' + day, status, 'c', 'c', 'r'"
            " from (values ('accepted'), ('loaded')) as statuses (status),"
            " generate_series(1, 13) as feed, generate_series(0, 99) as day"
        )
        waiting = [
            row[0]
            for row in connection.execute(
                "select load_id from audit.loads where status = 'loaded'"
            )
        ]
        started = time.monotonic()
        accept_loads(connection, waiting)
        seconds = time.monotonic() - started
        counts = dict(
            connection.execute(
                "select status, count(*) from audit.loads"
                " where superseded_by is null or status = 'superseded' group by 1"
            ).fetchall()
        )
    assert counts == {"accepted": 1300, "superseded": 1300}
    # Measured 0.1 s; the bound only tells it from 1,300 single transactions.
    assert seconds < 2


def test_a_load_that_was_superseded_can_be_in_force_again(settings: Settings) -> None:
    with psycopg.connect(settings.database_url) as connection:
        migrate(connection)
        for status in ("accepted", "loaded"):
            connection.execute(
                sql.SQL(
                    "insert into audit.loads (feed, batch_date, status, content_hash,"
                    " contract_hash, run_id) values ('f', %s, {}, 'c', 'c', 'r')"
                ).format(sql.Literal(status)),
                [date(2026, 1, 1)],
            )
        accept_load(connection, 2)
        accept_load(connection, 1)
        rows = connection.execute(
            "select load_id, status, superseded_by from audit.loads order by load_id"
        ).fetchall()
    assert rows == [(1, "accepted", None), (2, "superseded", 1)]
