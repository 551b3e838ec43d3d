"""Loads: lineage, accounting, repetition, replacement, rejects and drift."""

import gzip
import io
import lzma
import threading
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta

import pyarrow
import pytest

from include.audit import hold_load
from include.errors import WarehouseError
from include.loading.landing import Landing
from include.loading.loader import load_feed
from include.loading.raw_tables import create_raw_tables
from include.settings import Settings, connect
from tests.include.loading.load_world import (
    NIGHT,
    LoadWorld,
    make_contract,
    open_load_world,
)

ORDERS = "id,name,note\n1,Ana,\n2,Ion,late\n"


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def test_a_plain_file_arrives_with_its_lineage(world: LoadWorld) -> None:
    world.put(ORDERS, "a.csv")
    world.put("id,name,note\n3,Eva,\n", "b.csv")
    result = world.load()
    assert (result.outcome, result.rows_in_file, result.rows_rejected) == (
        *("loaded", 3),
        0,
    )
    assert world.raw_rows("_load_id, _file_no, _row_number, id, name, note") == [
        (result.load_id, 1, 1, "1", "Ana", None),
        (result.load_id, 1, 2, "2", "Ion", "late"),
        (result.load_id, 2, 1, "3", "Eva", None),
    ]
    assert world.rows(
        "select status, rows_in_file, rows_loaded, bytes, run_id from audit.loads"
    ) == [("loaded", 3, 3, result.bytes, "test")]
    assert world.rows(
        "select file_no, path, bytes, rows_loaded, reader, length(sha256)"
        " from audit.load_files order by file_no"
    ) == [
        (1, f"shop/orders/{NIGHT}/a.csv", len(ORDERS), 2, "fast", 64),
        (2, f"shop/orders/{NIGHT}/b.csv", 20, 1, "fast", 64),
    ]


def test_a_header_without_rows_is_a_load_of_no_rows(world: LoadWorld) -> None:
    world.put("id,name,note\n")
    assert world.load().rows_in_file == 0
    assert world.raw_rows() == []


def test_empty_and_quoted_empty_are_both_null(world: LoadWorld) -> None:
    world.put('id,name,note\n1,"",\n2,a," "\n')
    world.load()
    assert world.raw_rows() == [("1", None, None), ("2", "a", " ")]


def test_null_markers_become_null(world: LoadWorld) -> None:
    world.put("id,name,note\n1,?,x\n2,NULL,??\n")
    world.load(make_contract(null_markers=["?", "NULL"]))
    assert world.raw_rows() == [("1", None, "x"), ("2", None, "??")]


def test_a_missing_optional_column_is_null(world: LoadWorld) -> None:
    world.put("name,id\nAna,1\n")
    world.load()
    assert world.raw_rows() == [("1", "Ana", None)]
    assert world.readers() == ["fast"]


def test_header_aliases_name_the_same_column(world: LoadWorld) -> None:
    contract = make_contract(headers={"id": ["Order ID", "Order No"]})
    world.put("Order No,name,note\n1,Ana,\n", night=NIGHT)
    world.put("Order ID,name,note\n2,Ion,\n", night=NIGHT + timedelta(days=1))
    world.load(contract)
    world.load(contract, NIGHT + timedelta(days=1))
    assert world.raw_rows("id") == [("1",), ("2",)]


def test_undeclared_columns_are_kept_and_recorded(world: LoadWorld) -> None:
    world.put("id,name,colour,note,size\n1,Ana,red,,\n2,Ion,,,\n")
    result = world.load()
    assert world.raw_rows("id, name, note, _extra") == [
        ("1", "Ana", None, {"colour": "red"}),
        ("2", "Ion", None, None),
    ]
    assert world.rows("select * from audit.drift order by column_name") == [
        (result.load_id, "colour", 1),
        (result.load_id, "size", 0),
    ]


def test_a_repeated_header_keeps_both_columns(world: LoadWorld) -> None:
    world.put("id,name,note,note\n1,Ana,x,y\n")
    world.load()
    assert world.raw_rows("note, _extra") == [("x", {"note__2": "y"})]


def test_unreadable_rows_are_kept_as_rejects(world: LoadWorld) -> None:
    world.put(
        b'id,name,note\n1,Ana,ok\n2,Ion\n3,Eva,a,b\n4,"Li" x,y\n5,L\xe9o,z\n'
        b"6,N\0l,z\n7,Mia,ok\n"
    )
    result = world.load()
    assert (result.rows_in_file, result.rows_loaded, result.rows_rejected) == (7, 2, 5)
    assert world.raw_rows("id, _row_number") == [("1", 1), ("7", 7)]
    assert world.rejects() == [
        (2, "2 fields where the header has 3", "2,Ion"),
        (3, "4 fields where the header has 3", "3,Eva,a,b"),
        (4, "text after the closing quote of a field", '4,"Li" x,y'),
        (5, "bytes that are not utf-8", "5,L\\xe9o,z"),
        (6, "a NUL character", "6,N\\x00l,z"),
    ]


def test_quotes_in_the_middle_of_a_field_swallow_no_line(world: LoadWorld) -> None:
    world.put('id,name,note\n1,5" tv,a\n2,b,c\n3,6" tv,d\n')
    world.load()
    assert world.raw_rows() == [
        ("1", '5" tv', "a"),
        ("2", "b", "c"),
        ("3", '6" tv', "d"),
    ]
    assert world.readers() == ["careful"]


def test_the_rest_of_a_malformed_record_is_not_taken_for_a_row(
    world: LoadWorld,
) -> None:
    world.put('id,name,note\n1,"a\nb "x" c\nd, e" g",h\n2,Ion,ok\n')
    world.load()
    assert world.raw_rows() == [("2", "Ion", "ok")]
    assert [row_number for row_number, _, _ in world.rejects()] == [1, 2]


def test_the_same_files_again_change_nothing(world: LoadWorld) -> None:
    world.put(ORDERS)
    first = world.load()
    world.accept(first)
    again = world.load()
    assert (again.outcome, again.load_id) == ("unchanged", first.load_id)
    assert (again.rows_in_file, again.rows_loaded) == (2, 2)
    assert len(world.raw_rows()) == 2
    assert world.rows("select status from audit.loads") == [("accepted",)]


def test_a_file_of_the_same_size_with_other_content_is_loaded(world: LoadWorld) -> None:
    world.put(ORDERS)
    world.accept(world.load())
    world.put(ORDERS.replace("late", "soon"))
    assert world.load().outcome == "loaded"


def test_the_same_content_under_another_name_is_another_load(world: LoadWorld) -> None:
    path = world.put(ORDERS)
    world.accept(world.load())
    path.rename(path.with_name("other.csv"))
    assert world.load().outcome == "loaded"


def test_a_changed_contract_loads_the_same_files_anew(world: LoadWorld) -> None:
    world.put("id,name,note,colour\n1,Ana,,red\n")
    world.accept(world.load())
    wider = make_contract(columns=("id", "name", "note", "colour"))
    assert world.load(wider).outcome == "loaded"
    assert world.raw_rows("colour, _extra") == [
        (None, {"colour": "red"}),
        ("red", None),
    ]


def test_a_held_load_comes_before_the_gate_again(world: LoadWorld) -> None:
    world.put(ORDERS)
    first = world.load()
    hold_load(world.connection, first.load_id, "too few rows")
    world.connection.commit()
    again = world.load()
    assert (again.outcome, again.load_id) == ("recheck", first.load_id)
    assert world.rows("select status, held_reason from audit.loads") == [
        ("loaded", None)
    ]


def test_a_corrected_file_leaves_the_accepted_load_in_force(world: LoadWorld) -> None:
    world.put(ORDERS)
    first = world.load()
    world.accept(first)
    world.put(ORDERS + "3,Eva,\n")
    second = world.load()
    assert second.outcome == "loaded"
    assert world.rows("select status from audit.loads order by load_id") == [
        ("accepted",),
        ("loaded",),
    ]


def test_an_undecided_load_gives_way_to_newer_content(world: LoadWorld) -> None:
    world.put(ORDERS)
    first = world.load()
    world.accept(first)
    world.put(ORDERS + "3,Eva,\n")
    second = world.load()
    world.put(ORDERS)
    assert world.load().outcome == "unchanged"
    assert world.rows(
        "select load_id, status, superseded_by from audit.loads order by load_id"
    ) == [
        (first.load_id, "accepted", None),
        (second.load_id, "superseded", first.load_id),
    ]


def test_an_optional_feed_may_send_nothing(world: LoadWorld) -> None:
    world.landing_folder.mkdir(exist_ok=True)
    contract = make_contract(required=())
    optional = contract.model_copy(update={"required": False})
    landing = Landing(str(world.landing_folder))
    assert load_feed(world.connection, landing, optional, NIGHT, "test") is None


def compress_zip(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("orders.csv", content)
        archive.writestr("__MACOSX/._orders.csv", b"x")
    return buffer.getvalue()


COMPRESSORS = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "zip": compress_zip,
    "zst": lambda content: pyarrow.compress(content, "zstd", asbytes=True),
}


@pytest.mark.parametrize("suffix", list(COMPRESSORS))
def test_compressed_files_take_the_fast_path_too(world: LoadWorld, suffix: str) -> None:
    stored = COMPRESSORS[suffix](ORDERS.encode())
    world.put(stored, f"orders.csv.{suffix}")
    result = world.load()
    assert result.rows_loaded == 2
    assert result.bytes == len(stored)
    assert world.readers() == ["fast"]
    assert world.load().outcome == "recheck"


def test_a_failed_load_leaves_nothing_behind(
    world: LoadWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put(ORDERS)
    world.accept(world.load())
    world.put(ORDERS + "3,Eva,\n")
    # COPY is told to take a row less than the file has, without saying so.
    world.connection.execute(
        "create function raw_shop.swallow() returns trigger language plpgsql as"
        " $$ begin return null; end $$"
    )
    world.connection.execute(
        "create trigger swallow before insert on raw_shop.orders for each row"
        " when (new.id = '3') execute function raw_shop.swallow()"
    )
    world.connection.commit()
    with pytest.raises(WarehouseError, match="3 rows were counted in the file, but 2"):
        world.load()
    assert len(world.raw_rows()) == 2
    assert world.rows("select count(*) from audit.loads") == [(1,)]


def test_two_loads_of_one_feed_wait_for_each_other(
    world: LoadWorld, settings: Settings
) -> None:
    nights = [NIGHT + timedelta(days=day) for day in range(6)]
    for night in nights:
        rows = "".join(f"{night}-{row},x,y\n" for row in range(200))
        world.put("id,name,note\n" + rows, night=night)
    landing = Landing(str(world.landing_folder))
    failures: list[BaseException] = []

    def load(some: list[date]) -> None:
        try:
            with connect(settings, "loader") as connection:
                for night in some:
                    load_feed(connection, landing, make_contract(), night, "test")
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [
        threading.Thread(target=load, args=[nights[start::2]]) for start in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    numbers = world.rows(
        "select min(_row_number), max(_row_number), count(distinct _row_number)"
        " from raw_shop.orders group by _load_id"
    )
    assert numbers == [(1, 200, 200)] * 6


def test_raw_tables_are_indexed_once_they_hold_rows(world: LoadWorld) -> None:
    create_raw_tables(world.connection, [make_contract()])
    assert len(find_indexes(world)) == 1
    world.put(ORDERS)
    world.load()
    create_raw_tables(world.connection, [make_contract()])
    load_id_index, key_index = find_indexes(world)
    assert load_id_index.endswith("USING brin (_load_id)")
    assert key_index.endswith("USING btree (id)")
    create_raw_tables(world.connection, [make_contract()])
    assert len(find_indexes(world)) == 2


def test_records_and_memberships_are_indexed_too(world: LoadWorld) -> None:
    contract = make_contract(format="jsonl", delivery="snapshot")
    world.put('{"id": 1}\n')
    world.load(contract)
    create_raw_tables(world.connection, [contract])
    keys = [text.partition(" USING ")[2] for text in find_indexes(world)]
    assert "btree (((record ->> 'id'::text)))" in keys
    assert "btree (_row_id)" in keys


def find_indexes(world: LoadWorld) -> list[str]:
    rows = world.rows(
        "select indexdef from pg_indexes where schemaname = 'raw_shop'"
        " order by indexname"
    )
    return [definition for (definition,) in rows]
