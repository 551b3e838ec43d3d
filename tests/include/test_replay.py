"""A replay: which loads it takes, how gate 1 and the next build see them."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from include.audit import accept_loads, hold_load
from include.building import frozen_loads
from include.contracts import read_contracts
from include.errors import WarehouseError
from include.gates import check_raw
from include.loading.landing import Landing
from include.loading.loader import load_feed
from include.replay import describe_replays, reread_rejects
from include.settings import Settings, connect
from tests.include.gates.gate_world import (
    NIGHT,
    GateWorld,
    make_people,
    open_gate_world,
)

BEFORE = NIGHT - timedelta(days=1)
ACCENT = "é".encode("cp1252")


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[GateWorld]:
    world = open_gate_world(settings, tmp_path / "project")
    yield world
    world.connection.close()


def send_people(
    world: GateWorld, batch_date: date, emails: list[bytes] | None = None
) -> int:
    """Load a list of people; one of them, by default, has an accent of Windows."""
    folder = Path(world.settings.landing_url) / "shop" / "people" / str(batch_date)
    folder.mkdir(parents=True, exist_ok=True)
    rows = emails or [b"Jos" + ACCENT, *([b"ana@example.org"] * 30)]
    lines = [b"%d,%s\n" % (number, email) for number, email in enumerate(rows)]
    (folder / "people.csv").write_bytes(b"id,email\n" + b"".join(lines))
    contract = read_contracts(world.settings.project_folder)["shop.people"]
    landing = Landing(world.settings.landing_url)
    result = load_feed(world.connection, landing, contract, batch_date, "test")
    world.connection.commit()
    assert result is not None
    return result.load_id


def accept(world: GateWorld) -> None:
    """Put every load in force that waits, as gate 1 does."""
    waiting = world.connection.execute(
        "select load_id from audit.waiting_loads order by load_id"
    ).fetchall()
    accept_loads(world.connection, [load_id for (load_id,) in waiting])
    world.connection.commit()


def mend_contract(world: GateWorld, old: str = "", new: str = "") -> None:
    (path,) = world.settings.project_folder.glob("dbt_project/**/_shop__sources.yml")
    text = path.read_text()
    old = old or "{delivery: snapshot, "
    assert old in text
    path.write_text(text.replace(old, new or f"{old}encoding: cp1252, "))


def build(world: GateWorld) -> None:
    """Freeze and settle, as a build does around its models."""
    contracts = list(read_contracts(world.settings.project_folder).values())
    with connect(world.settings, "transformer") as connection:
        frozen_loads.freeze(connection, contracts)
        frozen_loads.apply(connection)


def find_touched(world: GateWorld) -> tuple[list[int], list[str]]:
    """The loads that the next build takes up, and the keys that it rebuilds."""
    contracts = list(read_contracts(world.settings.project_folder).values())
    with connect(world.settings, "transformer") as connection:
        touched = frozen_loads.freeze(connection, contracts)
        frozen_loads.collect_touched_keys(connection, contracts, touched)
        keys = connection.execute(
            "select key from audit.dirty_keys where place = 'shop.people' order by 1"
        ).fetchall()
    return [load.load_id for load in touched], [key for (key,) in keys]


def test_a_load_in_force_stays_so_and_the_next_build_takes_it_up(
    world: GateWorld,
) -> None:
    mend_contract(world)
    send_people(world, BEFORE)
    mend_contract(world, "encoding: cp1252, ", " ")
    load_id = send_people(world, NIGHT)
    accept(world)
    build(world)
    assert find_touched(world) == ([], [])

    mend_contract(world)
    replays = reread_rejects(world.settings, "replay", progress=lambda line: None)
    assert describe_replays(world.settings, replays) == [
        "1 of 1 rejected rows of shop.people are read now."
    ]
    # The row is that of the list before, so no comparison would find its key.
    assert find_touched(world) == ([load_id], ["0"])
    result = check_raw(world.settings, "replay")
    assert (result.checked, result.held_loads) == (1, [])
    assert world.read_status(load_id) == ("accepted", None)
    assert world.read_profile(load_id)["rows_rejected"] == 0
    assert check_raw(world.settings, "again").checked == 0

    # What was begun is settled by the build; a second replay touches nothing.
    build(world)
    replays = reread_rejects(world.settings, "again", progress=lambda line: None)
    assert replays["shop.people"].rejects == 0
    assert find_touched(world) == ([], [])
    assert check_raw(world.settings, "again").checked == 0


def test_what_still_cannot_be_read_is_told_with_its_reasons(world: GateWorld) -> None:
    emails = [b"%d@example.org" % number for number in range(300)]
    emails += [b"a" + ACCENT, b"b" + ACCENT, b"c,d", b"\0"]
    load_id = send_people(world, NIGHT, emails)
    accept(world)
    mend_contract(world)
    lines: list[str] = []
    replays = reread_rejects(world.settings, "replay", progress=lines.append)
    assert lines == [
        f"shop.people of {NIGHT} (load {load_id}): 2 rejected rows are read"
    ]
    assert describe_replays(world.settings, replays) == [
        "2 of 4 rejected rows of shop.people are read now; 2 still are not:"
        " 3 fields where the header has 2 (1), a NUL character (1)."
    ]


def test_a_load_that_is_held_for_its_rejects_is_read_again_by_its_number(
    world: GateWorld,
) -> None:
    load_id = world.send("visits", NIGHT, [], broken_rows=20)
    hold_load(world.connection, load_id, "20 of 20 rows could not be read")
    world.connection.commit()
    mend_contract(
        world,
        '{delivery: delta, path: "*.csv", format: csv,',
        '{delivery: delta, path: "*.csv", format: csv, null_markers: [x],',
    )
    # The header had three columns; now there is one more.
    world.execute(
        "update audit.load_files set header = %s", b"id,visited_at,page,more\n"
    )
    replays = reread_rejects(world.settings, "replay", progress=lambda line: None)
    assert describe_replays(world.settings, replays) == [
        "20 rejected rows of shop.visits belong to loads that are held: name the load"
        " (LOAD=<number>) to read them again."
    ]
    replays = reread_rejects(
        world.settings, "replay", load_id=load_id, progress=lambda line: None
    )
    assert replays["shop.visits"].rows_read == 20
    assert world.read_status(load_id) == ("loaded", None)


def test_a_load_that_gate_1_doubts_after_a_replay_makes_way(world: GateWorld) -> None:
    first = send_people(world, NIGHT, [b"%d@example.org" % n for n in range(9)])
    accept(world)
    second = send_people(
        world, NIGHT, [b"%d@example.com" % n for n in range(9)] + [ACCENT]
    )
    accept(world)
    mend_contract(world)
    reread_rejects(world.settings, "replay", progress=lambda line: None)
    world.execute("update raw_shop.people set id = '1' where email like '%%.com'")
    result = check_raw(world.settings, "replay")
    assert result.held_loads == [second]
    assert world.read_status(first) == ("accepted", None)
    assert world.read_status(second)[0] == "held"


def test_a_replay_settles_nothing_that_is_held_for_the_same_date(
    world: GateWorld,
) -> None:
    in_force = send_people(world, NIGHT)
    accept(world)
    held = world.send("people", NIGHT, [])
    hold_load(world.connection, held, "the list is empty")
    world.connection.commit()
    mend_contract(world)
    reread_rejects(world.settings, "replay", progress=lambda line: None)
    check_raw(world.settings, "replay")
    assert world.read_status(in_force)[0] == "accepted"
    assert world.read_status(held)[0] == "held"


@pytest.mark.parametrize(
    ("feed", "is_superseded", "words"),
    [
        ("shop.nothing", False, "No contract declares the feed shop.nothing"),
        ("shop.visits", False, "is one of shop.people, not of shop.visits"),
        (None, True, "is superseded, so none of its rows counts"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_one_sentence(
    world: GateWorld, feed: str | None, is_superseded: bool, words: str
) -> None:
    load_id = send_people(world, NIGHT)
    accept(world)
    if is_superseded:
        world.send("people", NIGHT, make_people(3))
        accept(world)
    named = None if feed == "shop.nothing" else load_id
    with pytest.raises(WarehouseError, match=words):
        reread_rejects(world.settings, "replay", feed, named)
    with pytest.raises(WarehouseError, match="does not exist"):
        reread_rejects(world.settings, "replay", None, load_id + 100)
    rejects = world.connection.execute("select count(*) from audit.rejects").fetchone()
    assert rejects == (1,)
