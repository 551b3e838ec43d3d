"""XLSX sheets and Parquet files: every cell as text, exactly."""

import datetime
import io
from collections.abc import Iterator
from decimal import Decimal

import openpyxl
import pyarrow
import pytest
from pyarrow import parquet

from include.settings import Settings
from tests.include.loading.load_world import LoadWorld, make_contract, open_load_world

SHEET = make_contract(format="xlsx")
PARQUET = make_contract(format="parquet")


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def make_workbook(*rows: tuple[object, ...], merge: str | None = None) -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def make_parquet(**columns: pyarrow.Array) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def test_cells_arrive_as_text(world: LoadWorld) -> None:
    when = datetime.datetime(2026, 11, 20, 9, 30)
    world.put(
        make_workbook(
            ("id", "name", "note"),
            (1, 2.5, "São"),
            (9007199254740991, 0.1, True),
            ("007", when, datetime.date(2026, 11, 20)),
            (4, None, ""),
            (5, 1e21, "line one\nline two"),
        ),
        "orders.xlsx",
    )
    assert world.load(SHEET).rows_loaded == 5
    assert world.raw_rows() == [
        ("1", "2.5", "São"),
        ("9007199254740991", "0.1", "true"),
        ("007", "2026-11-20 09:30:00", "2026-11-20 00:00:00"),
        ("4", None, None),
        ("5", "1e+21", "line one\nline two"),
    ]


def test_blank_rows_are_no_records_and_merged_cells_are_blank(world: LoadWorld) -> None:
    world.put(
        make_workbook(
            ("id", "name", "note"),
            (1, "Ana", "x"),
            (None, None, None),
            (2, "Ion", "y"),
            merge="B2:C2",
        ),
        "orders.xlsx",
    )
    world.load(SHEET)
    assert world.raw_rows("id, name, note, _row_number") == [
        ("1", "Ana", None, 1),
        ("2", "Ion", "y", 2),
    ]


def test_cells_beyond_the_header_reject_the_row(world: LoadWorld) -> None:
    world.put(make_workbook(("id", "name"), (1, "a"), (2, "b", "c")), "orders.xlsx")
    world.load(SHEET)
    assert world.raw_rows("id, name") == [("1", "a")]
    assert world.rejects() == [
        (2, "3 fields where the header has 2", '["2", "b", "c"]')
    ]


def test_a_sheet_may_be_stored_as_records(world: LoadWorld) -> None:
    world.put(make_workbook(("id", "x"), (1, 2.5), (2, None)), "orders.xlsx")
    world.load(make_contract(format="xlsx", storage="record"))
    assert world.raw_rows("record") == [
        ({"id": "1", "x": "2.5"},),
        ({"id": "2", "x": None},),
    ]


def test_parquet_values_arrive_exactly(world: LoadWorld) -> None:
    world.put(
        make_parquet(
            id=pyarrow.array([9007199254740993, None]),
            name=pyarrow.array(
                [Decimal("12345678901234567890.10"), None], pyarrow.decimal128(30, 2)
            ),
            note=pyarrow.array(
                [1_700_000_000_123_456_789, None], pyarrow.timestamp("ns")
            ),
            tags=pyarrow.array([["a", "b"], ["c"]]),
        ),
        "orders.parquet",
    )
    assert world.load(PARQUET).rows_loaded == 2
    assert world.raw_rows("id, name, note, _extra") == [
        (
            "9007199254740993",
            "12345678901234567890.10",
            "2023-11-14 22:13:20.123456789",
            {"tags": '["a", "b"]'},
        ),
        (None, None, None, {"tags": '["c"]'}),
    ]


def test_values_that_no_text_can_hold_reject_the_row(world: LoadWorld) -> None:
    world.put(
        make_parquet(
            id=pyarrow.array(["1", "2", "3"]),
            name=pyarrow.array(["a", "b\0", "c"]),
            note=pyarrow.array([1.5, 2.0, float("nan")]),
        ),
        "orders.parquet",
    )
    world.load(PARQUET)
    assert world.raw_rows() == [("1", "a", "1.5")]
    assert [(row, reason) for row, reason, _ in world.rejects()] == [
        (2, "a NUL character"),
        (3, "a number that is not finite"),
    ]
