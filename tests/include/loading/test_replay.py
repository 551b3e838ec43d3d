"""Rejected rows are read again under the contract of today, with their own lineage."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta

import pyarrow
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from include.contracts import FeedContract
from include.loading.replay import NOT_KEPT, LoadReplay, replay_load
from include.settings import Settings
from tests.include.loading.load_world import (
    NIGHT,
    LoadWorld,
    make_contract,
    open_load_world,
)

LINEAGE = "_load_id, _file_no, _row_number"


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def replay(
    world: LoadWorld, contract: FeedContract, load_id: int, run_id: str = "replay"
) -> LoadReplay:
    with world.connection.transaction():
        return replay_load(world.connection, contract, load_id, run_id)


def assert_replayed(
    world: LoadWorld, load_id: int, contract: FeedContract, rows: int = 1
) -> None:
    """All is read: counts are true, a trace is there, and a second replay is idle."""
    result = replay(world, contract, load_id)
    assert (result.rows_read, dict(result.remaining)) == (rows, {})
    assert world.rejects() == []
    counts = (
        "select rows_in_file, rows_loaded, rows_rejected from audit.loads"
        " union select sum(rows_in_file), sum(rows_loaded), sum(rows_rejected)"
        " from audit.load_files"
    )
    ((in_file, loaded, rejected),) = world.rows(counts)
    assert (in_file, rejected) == (loaded, 0)
    assert world.rows(
        "select run_id, rows_read, contract_hash_before <> contract_hash_after"
        " from audit.replays"
    ) == [("replay", rows, True)]
    trace = "select load_id, file_no, row_number, reason from audit.replayed_rejects"
    traced = world.rows(trace)
    assert len(traced) == rows
    everything = world.rows(f"select {LINEAGE}, orders from raw_shop.orders as orders")
    again = replay(world, contract, load_id, "again")
    assert (again.rows_read, again.replay_id) == (0, None)
    assert world.rows(trace) == traced
    assert world.rows("select count(*) from audit.replays") == [(1,)]
    assert everything == world.rows(
        f"select {LINEAGE}, orders from raw_shop.orders as orders"
    )


def test_rows_of_another_encoding_are_read_once_the_contract_names_it(
    world: LoadWorld,
) -> None:
    world.put("id,name,note\n1,Ion,\n", "a.csv")
    world.put(b"id,name,note\n2,Ana,\n3,Jo\xe3o,\x80\n", "b.csv")
    load_id = world.load().load_id
    assert world.rejects() == [(2, "bytes that are not utf-8", "3,Jo\\xe3o,\\x80")]
    world.connection.commit()
    assert_replayed(world, load_id, make_contract(encoding="cp1252"))
    assert world.raw_rows(f"{LINEAGE}, id, name, note")[-1] == (
        *(load_id, 2, 2),
        *("3", "João", "€"),
    )
    assert world.rows("select file_no, reason from audit.replayed_rejects") == [
        (2, "bytes that are not utf-8")
    ]


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        ({"format": "jsonl"}, b'{"id": 1}\n{"id": 2, "name": "Jo\xe3o"}\n'),
        (
            {"format": "json", "record_path": "data.orders"},
            b'{"data": {"orders": [{"id": 1},\n {"id": 2,\n "name": "Jo\xe3o"}]}}',
        ),
    ],
)
def test_records_of_another_encoding_are_read_once_the_contract_names_it(
    world: LoadWorld, declared: dict, content: bytes
) -> None:
    world.put(content, "SV_1__page.json")
    load_id = world.load(make_contract(**declared)).load_id
    assert_replayed(world, load_id, make_contract(encoding="latin-1", **declared))
    assert world.rows(
        f"select {LINEAGE}, _file_stem, record ->> 'name' from raw_shop.orders"
        " order by _row_number"
    ) == [(load_id, 1, 1, "SV_1", None), (load_id, 1, 2, "SV_1", "João")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_records_without_a_field_are_read_once_it_is_not_required(
    world: LoadWorld, encoding: str
) -> None:
    declared = {"format": "jsonl", "encoding": encoding}
    strict = make_contract(required=["id", "name"], **declared)
    world.put('{"id": 1, "name": "Ana"}\n{"id": 2, "note": "é"}\n'.encode(encoding))
    load_id = world.load(strict).load_id
    assert [reason for _, reason, _ in world.rejects()] == [
        "the required field name is missing"
    ]
    assert_replayed(world, load_id, make_contract(**declared))
    assert world.rows(
        "select _row_number, record ->> 'note' from raw_shop.orders order by 1"
    ) == [(1, None), (2, "é")]


def test_rows_are_split_by_the_delimiter_that_the_contract_names_now(
    world: LoadWorld,
) -> None:
    world.put("id;name;note\n1;Ana;\n2;Ion;late, again\n")
    load_id = world.load(make_contract(required=[])).load_id
    assert [reason for _, reason, _ in world.rejects()] == [
        "2 fields where the header has 1"
    ]
    assert_replayed(world, load_id, make_contract(required=[], delimiter=";"))
    assert world.raw_rows()[-1] == ("2", "Ion", "late, again")


def test_numbers_that_are_none_are_null_once_the_contract_says_so(
    world: LoadWorld,
) -> None:
    table = pyarrow.table({"id": ["1", "2"], "note": [1.5, float("nan")]})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    world.put(buffer.getvalue(), "orders.parquet")
    load_id = world.load(make_contract(format="parquet")).load_id
    assert world.rejects() == [(2, "a number that is not finite", '["2", "nan"]')]
    # Another change does not help.
    required = make_contract(format="parquet", required=["id", "note"])
    result = replay(world, required, load_id)
    assert dict(result.remaining) == {"a number that is not finite": 1}
    assert_replayed(
        world, load_id, make_contract(format="parquet", null_markers=["", "nan"])
    )
    assert world.raw_rows() == [("1", None, "1.5"), ("2", None, None)]


def test_what_the_database_refused_is_kept_as_the_file_had_it(
    world: LoadWorld,
) -> None:
    contract = make_contract(headers={"name": ["Customer"]})
    world.put("id,Customer,note\n0,Eva,\n", night=NIGHT - timedelta(days=1))
    world.load(contract, NIGHT - timedelta(days=1))
    # As an index does, but with less text: it refuses long values.
    world.connection.execute(
        "alter table raw_shop.orders alter column name type varchar(9)"
    )
    world.connection.commit()
    world.put('note,Customer,id\n"a ""b""",Ana Maria Simões,7\n,Ana,8\n')
    load_id = world.load(contract).load_id
    ((row_number, reason, raw_text),) = world.rejects()
    assert (row_number, raw_text) == (1, '"a ""b""",Ana Maria Simões,7')
    assert reason.startswith("the database refuses it")
    assert dict(replay(world, contract, load_id).remaining) == {reason: 1}
    world.connection.execute("alter table raw_shop.orders alter column name type text")
    assert replay(world, contract, load_id).rows_read == 1
    assert world.raw_rows(f"{LINEAGE}, id, name, note")[1] == (
        *(load_id, 1, 1),
        *("7", "Ana Maria Simões", 'a "b"'),
    )


def test_what_still_cannot_be_read_stays_with_its_reason_of_today(
    world: LoadWorld,
) -> None:
    world.put(b"id,name,note\n1,Ana,\n2,Jo\xe3o\n3,\x00,\n")
    load_id = world.load().load_id
    result = replay(world, make_contract(encoding="cp1252"), load_id)
    assert (result.rows_read, result.replay_id) == (0, None)
    assert dict(result.remaining) == {
        "2 fields where the header has 3": 1,
        "a NUL character": 1,
    }
    assert [row[:2] for row in world.rejects()] == [
        (2, "2 fields where the header has 3"),
        (3, "a NUL character"),
    ]
    assert world.rows("select rows_loaded, rows_rejected from audit.loads") == [(1, 2)]
    assert world.rows("select replayed_at from audit.loads") == [(None,)]


def test_the_rest_of_a_malformed_record_is_not_taken_for_a_row_later(
    world: LoadWorld,
) -> None:
    world.put('id,name,note\n1,"a"b,\n2,5" tv,x\n3,c,\n4,7" tv,y\n')
    load_id = world.load().load_id
    reasons = [(row_number, reason) for row_number, reason, _ in world.rejects()]
    assert reasons == [
        (1, "text after the closing quote of a field"),
        (2, "stray quotes after a malformed row"),
    ]
    assert replay(world, make_contract(), load_id).rows_read == 0
    assert [(row[0], row[1]) for row in world.rejects()] == reasons


def test_a_reject_that_reads_as_several_rows_now_stays(world: LoadWorld) -> None:
    world.put('id,name,note\n1,Ana,\n2,"Ion,\n3,Eva,\n')
    load_id = world.load().load_id
    world.connection.execute(
        "update audit.rejects set raw_bytes = convert_to(%s, 'UTF8')",
        ["2,Ion,\n3,Eva,"],
    )
    (reason,) = replay(world, make_contract(), load_id).remaining
    assert reason.startswith("it reads as 2 rows where the file had one")


def test_no_byte_of_a_reject_is_lost(world: LoadWorld) -> None:
    record = b'1,"\xff\xfe\x00\\x00\xc3\xa9",\r'
    world.put(b"id,name,note\n" + record + b"\n2,a,b\n")
    world.load()
    assert world.rows(
        "select raw_bytes, header from audit.rejects"
        " join audit.load_files using (load_id, file_no)"
    ) == [(record.rstrip(b"\r"), b"id,name,note\n")]


def test_a_row_of_a_sheet_is_kept_cell_by_cell(world: LoadWorld) -> None:
    book = Workbook()
    for row in (["id", "name", "note"], [1, "Ana", None], [2, "Ion", 1.5, "more"]):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    contract = make_contract(format="xlsx")
    world.put(buffer.getvalue(), "orders.xlsx")
    load_id = world.load(contract).load_id
    ((kept, header),) = world.rows(
        "select raw_bytes, header from audit.rejects"
        " join audit.load_files using (load_id, file_no)"
    )
    assert json.loads(kept) == ["2", "Ion", "1.5", "more"]
    assert json.loads(header) == [["id", "name", "note"]]
    assert dict(replay(world, contract, load_id).remaining) == {
        "4 fields where the header has 3": 1
    }
    # As if the fourth cell had not been there.
    world.connection.execute(
        "update audit.rejects set raw_bytes = convert_to('[\"2\", \"Ion\"]', 'UTF8')"
    )
    world.connection.commit()
    assert_replayed(world, load_id, make_contract(format="xlsx", null_markers=["-"]))
    assert world.raw_rows()[-1] == ("2", "Ion", None)


def test_undeclared_columns_of_a_row_that_is_back_are_kept_and_counted(
    world: LoadWorld,
) -> None:
    world.put(b"id,name,colour\n1,Ana,red\n2,Jo\xe3o,blue\n")
    load_id = world.load().load_id
    assert world.rows("select column_name, rows from audit.drift") == [("colour", 1)]
    assert_replayed(world, load_id, make_contract(encoding="cp1252"))
    assert world.rows("select column_name, rows from audit.drift") == [("colour", 2)]
    assert world.raw_rows("id, _extra")[-1] == ("2", {"colour": "blue"})


def test_a_row_that_is_back_belongs_to_its_snapshot_alone(world: LoadWorld) -> None:
    wrong = make_contract(delivery="snapshot")
    right = make_contract(delivery="snapshot", encoding="cp1252")
    known = b"id,name,note\n1,Ana,\n2,Jo\xe3o,\n"
    world.put(known, night=NIGHT - timedelta(days=1))
    first = world.load(right, NIGHT - timedelta(days=1)).load_id
    world.put(known)
    load_id = world.load(wrong).load_id
    result = replay(world, right, load_id)
    assert result.rows_read == 1
    members = (
        "select members._load_id, orders.id, members._file_no, members._row_number"
        " from raw_shop.orders__snapshots as members"
        " join raw_shop.orders as orders using (_row_id) order by 1, 4"
    )
    assert world.rows(members) == [
        (first, "1", 1, 1),
        (first, "2", 1, 2),
        (load_id, "1", 1, 1),
        (load_id, "2", 1, 2),
    ]
    assert world.rows("select count(*) from raw_shop.orders") == [(2,)]


def test_rejects_of_before_their_bytes_were_kept_say_so(world: LoadWorld) -> None:
    world.put(b"id,name,note\n1,Ana,\n2,Jo\xe3o,\n")
    load_id = world.load().load_id
    world.connection.execute("update audit.rejects set raw_bytes = null")
    world.connection.commit()
    result = replay(world, make_contract(encoding="cp1252"), load_id)
    assert (result.rows_read, dict(result.remaining)) == (0, {NOT_KEPT: 1})
    assert world.rejects() == [(2, "bytes that are not utf-8", "2,Jo\\xe3o,")]
