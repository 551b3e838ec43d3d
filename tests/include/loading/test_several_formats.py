"""A feed whose files come in several formats: each is read as its name says."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from io import BytesIO

import pytest
from openpyxl import Workbook

from include.errors import ExportError, MissingExportError
from include.loading.replay import replay_load
from include.settings import Settings
from tests.include.loading.load_world import (
    NIGHT,
    LoadWorld,
    make_contract,
    open_load_world,
)

TABLES = {"path": ["*.xlsx", "*.csv*"], "format": ["xlsx", "csv"]}
TEXT = "id;name;note\n1;João;a\n2;Inês;\n"
ROWS = [("1", "João", "a"), ("2", "Inês", None)]


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def make_workbook(*rows: Sequence[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def test_each_file_of_a_batch_is_read_in_its_format(world: LoadWorld) -> None:
    contract = make_contract(
        **TABLES,
        encoding=["utf-8", "windows-1252"],
        delimiter=[",", ";"],
        padded_rows=True,
    )
    world.put(TEXT.encode("windows-1252"), "a.csv")
    world.put(make_workbook(("id", "name", "note"), (3, "Ana", "b")), "b.xlsx")
    # What a program calls a workbook that it made of a.csv.
    world.put(make_workbook(("id", "name", "note"), (4, "Ion", "c")), "a.csv.xlsx")
    world.load(contract)
    assert sorted(world.raw_rows()) == [*ROWS, ("3", "Ana", "b"), ("4", "Ion", "c")]
    assert world.rows(
        "select path, reader, encodings, delimiter from audit.load_files order by path"
    ) == [
        (f"shop/orders/{NIGHT}/a.csv", "fast", ["windows-1252"], ";"),
        (f"shop/orders/{NIGHT}/a.csv.xlsx", "careful", [], None),
        (f"shop/orders/{NIGHT}/b.xlsx", "careful", [], None),
    ]


def test_a_file_that_no_path_wants_is_told_with_all_of_them(world: LoadWorld) -> None:
    world.put(TEXT, "orders.xls")
    with pytest.raises(
        MissingExportError, match=r"no file matches \*\.xlsx or \*\.csv\*"
    ):
        world.load(make_contract(**TABLES))


def test_a_rejected_row_of_a_workbook_is_read_again_as_one(world: LoadWorld) -> None:
    broken = make_workbook(
        ("id", "name", "note"), (1, "João", "a"), (2, "Inês", "b", "c")
    )
    world.put(broken, "a.xlsx")
    contract = make_contract(**TABLES, encoding=["utf-8", "windows-1252"])
    result = world.load(contract)
    world.accept(result)
    reason = "4 fields where the header has 3"
    assert [reject[1] for reject in world.rejects()] == [reason]
    replay = replay_load(world.connection, contract, result.load_id, "again")
    assert replay.remaining == {reason: 1}


HEADER = ("id", "name", "note")
READ_AS_A_DATE = datetime(2026, 3, 2, 10, 0)


@pytest.mark.parametrize(
    "text", ["02/25/2026 10:00", "25.02.2026", "2-25-2026 9:00 AM"]
)
def test_dates_that_a_spreadsheet_read_otherwise_refuse_the_workbook(
    world: LoadWorld, text: str
) -> None:
    world.put(make_workbook(HEADER, (1, READ_AS_A_DATE, ""), (2, text, "")), "a.xlsx")
    with pytest.raises(ExportError, match="the column name 1 cells are dates") as told:
        world.load(make_contract(**TABLES))
    assert "export it again" in str(told.value)
    assert text not in str(told.value)


@pytest.mark.parametrize(
    "text",
    [
        # Of no certain order, of no order at all, no day of any month, other words.
        *("02/03/2026", "2026-02-25", "02/25/26", "45/02/2026", "Ana 25/02/2026", ""),
    ],
)
def test_other_texts_beside_dates_are_read(world: LoadWorld, text: str) -> None:
    world.put(make_workbook(HEADER, (1, READ_AS_A_DATE, ""), (2, text, "")), "a.xlsx")
    world.load(make_contract(**TABLES))
    assert [row[1] for row in world.raw_rows()] == ["2026-03-02 10:00:00", text or None]


def test_free_text_and_undeclared_columns_may_hold_any_dates(world: LoadWorld) -> None:
    contract = make_contract(**TABLES)
    note = contract.columns[2].model_copy(update={"personal_data": "free_text"})
    contract = contract.model_copy(update={"columns": (*contract.columns[:2], note)})
    rows = [(1, "a", READ_AS_A_DATE, date(2026, 3, 2)), (2, "b", *["25/02/2026"] * 2)]
    world.put(make_workbook((*HEADER, "other"), *rows), "a.xlsx")
    world.load(contract)
    assert len(world.raw_rows()) == 2
