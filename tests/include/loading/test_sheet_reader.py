"""The sheet reader finds the cells that openpyxl finds."""

import datetime
import io
import random
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from include.loading.file_content import FileProblem
from include.loading.sheet_reader import read_sheet
from include.loading.workbook_parts import KEPT_STRINGS

VALUES = (
    *(None, "", "a", " padded ", "line one\nline two", "<&>", "é€", "_x0041_"),
    *(0, 1, -5, 2.5, 0.1 + 0.2, 1e21, 1e-9, 2**53, True, False),
    datetime.datetime(2026, 11, 20, 9, 30, 15),
    datetime.date(1999, 12, 31),
    datetime.time(9, 30),
    datetime.timedelta(hours=30, minutes=5),
)


def read_with_openpyxl(content: bytes) -> list[list[object]]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    rows = book.worksheets[0].iter_rows(values_only=True)
    return [strip(row) for row in rows if strip(row)]


def strip(row: object) -> list[object]:
    """Leave out empty cells at a row's end, and tell empty text from no cell not."""
    cells = [None if cell == "" else cell for cell in row]  # type: ignore[attr-defined]
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def check_same(content: bytes) -> None:
    rows = [strip(row) for row in read_sheet(io.BytesIO(content))]
    assert [row for row in rows if row] == read_with_openpyxl(content)


def save(workbook: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("write_only", [False, True])
@pytest.mark.parametrize("is_1904", [False, True])
def test_all_kinds_of_cells_are_read(write_only: bool, is_1904: bool) -> None:
    source = random.Random(7)
    workbook = openpyxl.Workbook(write_only=write_only)
    if is_1904:
        workbook.epoch = CALENDAR_MAC_1904
    sheet = workbook.create_sheet("first", 0)
    for _ in range(200):
        sheet.append(source.choices(VALUES, k=source.randrange(30)))
    check_same(save(workbook))


def test_more_strings_than_are_kept_in_memory() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for number in range(KEPT_STRINGS * 2):
        sheet.append([f"é{number % 3000}", f"b{number}"])
    check_same(save(workbook))


def test_rich_text_is_its_text() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet["A1"] = CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"))
    assert list(read_sheet(io.BytesIO(save(workbook)))) == [["plain bold"]]


def test_only_the_first_sheet_is_read() -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["first"])  # type: ignore[union-attr]
    workbook.create_sheet("second").append(["second"])
    assert list(read_sheet(io.BytesIO(save(workbook)))) == [["first"]]


def test_a_damaged_workbook_is_refused() -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["a"])  # type: ignore[union-attr]
    whole = save(workbook)
    damaged = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as source,
        zipfile.ZipFile(damaged, "w") as target,
    ):
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data[:200] if "sheet1" in name else data)
    for content in (whole[:-100], b"no workbook", damaged.getvalue()):
        with pytest.raises(FileProblem, match="no readable XLSX workbook"):
            list(read_sheet(io.BytesIO(content)))


@pytest.mark.parametrize(
    "path",
    ["crm_telco/Telco_customer_churn.xlsx", "survey_reviews/restaurants_es.xlsx"],
)
def test_real_workbooks_are_read_alike(shared_data: Path, path: str) -> None:
    check_same((shared_data / path).read_bytes())
