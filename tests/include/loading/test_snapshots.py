"""Snapshot feeds: each distinct row once, and which load brought which."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from include.settings import Settings
from tests.include.loading.load_world import (
    NIGHT,
    LoadWorld,
    make_contract,
    open_load_world,
)

LIST = make_contract(delivery="snapshot")


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def members(world: LoadWorld, load_id: int) -> list[tuple[str, ...]]:
    return world.rows(
        "select orders.id, orders.name, orders.note, _extra, snapshots._row_number"
        " from raw_shop.orders__snapshots as snapshots"
        " join raw_shop.orders using (_row_id) where snapshots._load_id = %s"
        " order by snapshots._file_no, snapshots._row_number",
        load_id,
    )


def test_a_night_in_which_little_changed_adds_little(world: LoadWorld) -> None:
    nights = [NIGHT + timedelta(days=day) for day in range(3)]
    world.put("id,name,note\n1,Ana,\n2,Ion,x\n3,Eva,\n", night=nights[0])
    world.put("id,name,note\n1,Ana,\n2,Ion,y\n4,Leo,\n", night=nights[1])
    world.put("id,name,note\n4,Leo,\n2,Ion,x\n", night=nights[2])
    loads = [world.load(LIST, night).load_id for night in nights]
    assert world.rows("select count(*) from raw_shop.orders") == [(5,)]
    assert members(world, loads[0]) == [
        ("1", "Ana", None, None, 1),
        ("2", "Ion", "x", None, 2),
        ("3", "Eva", None, None, 3),
    ]
    assert members(world, loads[1]) == [
        ("1", "Ana", None, None, 1),
        ("2", "Ion", "y", None, 2),
        ("4", "Leo", None, None, 3),
    ]
    assert [row[0] for row in members(world, loads[2])] == ["4", "2"]
    assert world.rows(
        "select _load_id, _file_no, _row_number from raw_shop.orders where id = '4'"
    ) == [(loads[1], 1, 3)]


def test_a_row_that_comes_twice_is_stored_once_and_counted_twice(
    world: LoadWorld,
) -> None:
    world.put("id,name,note\n1,Ana,\n1,Ana,\n")
    result = world.load(LIST)
    assert result.rows_loaded == 2
    assert world.rows("select count(*) from raw_shop.orders") == [(1,)]
    assert len(members(world, result.load_id)) == 2


def test_rows_that_only_look_alike_are_told_apart(world: LoadWorld) -> None:
    glued = "".join(f"1,Ananote{gap}x,\n" for gap in ("", " ", "  ", " 1 "))
    world.put("id,name,note\n1,Ana,x\n1,,Ana\n1,Ana,\n" + glued)
    world.load(LIST)
    assert world.rows("select count(*) from raw_shop.orders") == [(7,)]


def test_both_paths_give_the_same_rows(world: LoadWorld) -> None:
    world.put("id,name,note\n1,Ana,\n2,Ion,x\n")
    fast = world.load(LIST, reader="fast")
    world.put("id,name,note\n2,Ion,x\n1,Ana,\n", night=NIGHT + timedelta(days=1))
    careful = world.load(LIST, NIGHT + timedelta(days=1), reader="careful")
    assert world.rows("select count(*) from raw_shop.orders") == [(2,)]
    assert sorted(row[:4] for row in members(world, fast.load_id)) == sorted(
        row[:4] for row in members(world, careful.load_id)
    )
    assert world.readers() == ["fast", "careful"]


def test_a_new_column_changes_no_row_in_which_it_is_null(world: LoadWorld) -> None:
    world.put("id,name,note\n1,Ana,\n2,Ion,x\n")
    world.load(LIST)
    wider = make_contract(("note", "city", "name", "id"), delivery="snapshot")
    world.put("id,city,name,note\n1,,Ana,\n2,Iasi,Ion,x\n")
    world.load(wider)
    assert world.rows("select id, city from raw_shop.orders order by _row_id") == [
        ("1", None),
        ("2", None),
        ("2", "Iasi"),
    ]


def test_undeclared_columns_make_another_row(world: LoadWorld) -> None:
    world.put("id,name,note\n1,Ana,\n")
    world.load(LIST)
    world.put("id,name,note,colour\n1,Ana,,red\n")
    result = world.load(LIST)
    assert members(world, result.load_id) == [("1", "Ana", None, {"colour": "red"}, 1)]
    assert world.rows("select count(*) from raw_shop.orders") == [(2,)]


def test_an_empty_list_is_a_load_without_members(world: LoadWorld) -> None:
    world.put("id,name,note\n")
    assert members(world, world.load(LIST).load_id) == []


def test_many_files_and_rejects_are_accounted_for(world: LoadWorld) -> None:
    world.put("id,name,note\n1,Ana,\n", "a.csv")
    world.put("id,name,note\n1,Ana\n2,Ion,x\n", "b.csv")
    result = world.load(LIST)
    assert (result.rows_in_file, result.rows_loaded, result.rows_rejected) == (3, 2, 1)
    assert world.rows(
        "select _file_no, _row_number from raw_shop.orders__snapshots order by 1"
    ) == [(1, 1), (2, 2)]


def test_records_may_be_snapshots_too(world: LoadWorld) -> None:
    contract = make_contract(format="jsonl", delivery="snapshot")
    world.put('{"id": 1, "x": 1.0}\n{"x": 1.0, "id": 1}\n', "a.v2__x.jsonl")
    world.put('{"id": 2}\n', "b__x.jsonl")
    assert world.load(contract).rows_loaded == 3
    assert world.raw_rows("record ->> 'id', _file_stem") == [
        ("1", "a.v2"),
        ("2", "b"),
    ]
