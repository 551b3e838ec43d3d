"""How a file is to be read, told from its bytes."""

import io
import json

import pytest
from openpyxl import Workbook

from include.errors import WarehouseError
from include.new_source.file_layout import find_layout
from include.new_source.text_encoding import guess_encoding
from tests.include.new_source.bank_export import write_bank_export

BODY = "".join(
    f"{number},ação {number},2026-01-{number:02}\n" for number in range(1, 30)
)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_delimiter_and_encoding(delimiter: str, encoding: str) -> None:
    text = f"id,nome,data\n{BODY}".replace(",", delimiter)
    layout = find_layout(text.encode(encoding), "file.csv")
    assert (layout.format, layout.delimiter) == ("csv", delimiter)
    assert layout.encoding == encoding.removesuffix("-sig")
    assert (layout.header_rows, layout.header_name_row) == (1, 1)
    assert bool(layout.doubts) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("não à ação", "cp1252"),
        ("não à ação", "cp850"),
        ("știință și învăţare", "utf-8"),
        ("año ü", "mac_roman"),
    ],
)
def test_an_encoding_of_one_byte_is_told_by_its_letters(
    words: str, encoding: str
) -> None:
    assert guess_encoding(words.encode(encoding)).encoding == encoding


def test_a_few_damaged_lines_are_no_other_encoding() -> None:
    lines = ["ação\n".encode()] * 300 + ["ação\n".encode("cp1252")]
    found = guess_encoding(b"".join(lines))
    assert found.encoding == "utf-8"
    assert "1 of 302 lines" in found.doubts[0]


def test_decimal_commas_are_no_delimiter() -> None:
    lines = "".join(f"{number};a{number};1,5\n" for number in range(30))
    assert find_layout(f"id;name;amount\n{lines}".encode(), "a.csv").delimiter == ";"


@pytest.mark.parametrize(
    ("head", "rows", "name_row"),
    [
        ("id,name,day\n", 1, 1),
        ("sep=,\nid,name,day\n", 1, 1),
        ("Report of 2026\nfrom,2026-01-01,\nid,name,day\n", 3, 3),
        ("id,name,day\nNumber,What they are called,Day of it\n", 2, 1),
        ('Id,Name,Day\nA,"B\nC",D\n{"a":1},{"b":1},{"c":1}\n'.replace(":1", ""), 3, 1),
    ],
)
def test_where_the_header_is(head: str, rows: int, name_row: int) -> None:
    layout = find_layout((head + BODY).encode(), "file.csv")
    assert (layout.header_rows, layout.header_name_row) == (rows, name_row)


def test_the_header_of_a_table_of_words() -> None:
    lines = "".join(f"red,{colour}\n" for colour in ("blue", "green", "white"))
    layout = find_layout(f"one,two\n{lines}".encode(), "file.csv")
    assert (layout.header_rows, layout.header_name_row) == (1, 1)
    assert "no column holds numbers or dates" in layout.doubts[0]


def test_a_hostile_export() -> None:
    layout = find_layout(write_bank_export(), "complaints.csv.gz")
    assert (layout.encoding, layout.delimiter) == ("cp1252", ";")
    assert (layout.header_rows, layout.header_name_row, layout.suffix) == (3, 3, "csv")
    assert layout.footer == (r"(\w+ )?total\b.*",)


@pytest.mark.parametrize(
    ("text", "form", "path"),
    [
        ('{"a": 1}\n{"a": 2}\n', "jsonl", None),
        ('{"a": 1}', "jsonl", None),
        ('[{"a": 1}, {"a": 2}]', "json", ""),
        (
            json.dumps({"data": {"items": [{"a": 1}] * 3}, "users": [{}]}, indent=1),
            *("json", "data.items"),
        ),
    ],
)
def test_where_json_records_are(text: str, form: str, path: str | None) -> None:
    layout = find_layout(text.encode(), "page.json")
    assert (layout.format, layout.record_path) == (form, path)


def test_a_workbook_of_two_sheets() -> None:
    book = Workbook()
    for row in (["Name", "Day"], *([f"n{i}", f"{i}.1.2026"] for i in range(1, 29))):
        book.active.append(row)
    book.create_sheet("second")
    file = io.BytesIO()
    book.save(file)
    layout = find_layout(file.getvalue(), "file.xlsx")
    assert (layout.format, layout.header_rows) == ("xlsx", 1)
    assert "2 sheets" in layout.doubts[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b" \n", "is empty"),
        (b"\xd0\xcf\x11\xe0rest", "old format"),
        (b"<html><table>", "HTML or XML"),
        (b'{"a": [1, 2', "begins as JSON"),
        (b"[1, 2]", "no list of records"),
        (BODY.encode(), "no row with the names"),
    ],
)
def test_what_cannot_be_read_is_said(content: bytes, words: str) -> None:
    with pytest.raises(WarehouseError, match=words):
        find_layout(content, "file.csv")
