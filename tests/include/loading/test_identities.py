"""Rows whose source gives them no number: known by what they say."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import ValidationError

from include.loading.replay import replay_load
from include.settings import Settings
from tests.include.loading.load_world import (
    NIGHT,
    LoadWorld,
    make_contract,
    open_load_world,
)

SHEET = make_contract(
    ("at", "answer"),
    required=("at",),
    storage="record",
    natural_key=["_identity"],
    identity_of=["_file_stem", "at"],
)
TABLE = make_contract(
    ("title", "text", "stars"),
    required=("text",),
    natural_key=["_identity"],
    identity_of=["title", "text"],
)


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def identities(world: LoadWorld, what: str) -> dict[str, str]:
    rows = world.rows(f"select {what}, _identity from raw_shop.orders")
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def test_the_order_of_the_rows_plays_no_part(world: LoadWorld) -> None:
    rows = ["9:00:01,b", "9:00:01,a", "9:00:02,c", "9:00:01,"]
    world.put("at,answer\n" + "\n".join(rows) + "\n")
    world.load(SHEET)
    first = identities(world, "coalesce(record ->> 'answer', 'none')")
    assert len(set(first.values())) == 4
    night = NIGHT + timedelta(days=1)
    # One answer more, one question more, other rows first.
    again = [f"{row},new" for row in reversed([*rows, "8:00:00,z"])]
    world.put("at,answer,more\n" + "\n".join(again) + "\n", night=night)
    world.load(SHEET, night)
    both = world.rows(
        "select coalesce(record ->> 'answer', 'none'), count(distinct _identity)"
        " from raw_shop.orders where record ->> 'answer' in ('c', 'z') group by 1"
    )
    assert dict(both) == {"c": 1, "z": 1}
    assert world.rows("select count(distinct _identity) from raw_shop.orders") == [(5,)]


def test_rows_that_are_alike_in_everything_are_all_counted(world: LoadWorld) -> None:
    world.put("title,text,stars\nBun,foarte bun,5\nBun,foarte bun,5\nBun,,4\n")
    world.load(TABLE)
    rows = world.raw_rows("title, stars, _identity")
    assert len({identity for _, _, identity in rows}) == 3
    numbers = world.raw_rows("split_part(_identity, '-', 2)")
    assert sorted(numbers) == [("",), ("",), ("2",)]


def test_what_no_number_is_made_of_may_change(world: LoadWorld) -> None:
    world.put("title,text,stars\nBun,foarte bun,5\n")
    world.load(TABLE)
    night = NIGHT + timedelta(days=1)
    world.put("stars,text,title\n4,foarte bun,Bun\n", night=night)
    world.load(TABLE, night)
    assert world.rows(
        "select count(*), count(distinct _identity) from raw_shop.orders"
    ) == [(2, 1)]


def test_the_same_row_in_files_of_two_surveys_is_two(world: LoadWorld) -> None:
    world.put("at,answer\n9:00:01,a\n", "one.csv")
    world.put("at,answer\n9:00:01,a\n", "two.csv")
    world.load(SHEET)
    assert len(identities(world, "_file_stem")) == 2


def test_a_row_without_any_of_it_has_no_identity(world: LoadWorld) -> None:
    world.put("at,answer\n9:00:01,a\n,b\n")
    world.load(SHEET)
    assert identities(world, "record ->> 'answer'")["b"] is None


def test_a_row_that_is_read_later_gets_its_number(world: LoadWorld) -> None:
    world.put("at,answer\n9:00:01,a\n9:00:01,b,too many\n")
    result = world.load(SHEET)
    assert result.rows_rejected == 1
    world.connection.execute("update audit.rejects set raw_bytes = '9:00:01,b'::bytea")
    assert replay_load(world.connection, SHEET, result.load_id, "test").rows_read == 1
    world.connection.commit()
    assert len(set(identities(world, "record ->> 'answer'").values())) == 2


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"natural_key": ["id"], "identity_of": ["id"]}, "natural_key with _identity"),
        ({"natural_key": ["_identity"]}, "_identity: used but not declared"),
        (
            {"natural_key": ["_identity"], "identity_of": ["nothing"]},
            "nothing: used but not declared",
        ),
        (
            {"natural_key": ["_identity"], "identity_of": ["_file_stem"]},
            "tells no rows apart",
        ),
        (
            {
                **{"natural_key": ["_identity"], "identity_of": ["id"]},
                "delivery": "snapshot",
            },
            "known by their key",
        ),
    ],
)
def test_a_wrong_declaration_is_told(declared: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        make_contract(**declared)
