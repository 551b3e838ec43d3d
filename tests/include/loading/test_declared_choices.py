"""What contracts may leave open: encodings, delimiters, shapes, spreadsheets' marks."""

import logging
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook
from pydantic import ValidationError

from include.errors import ExportError
from include.gates.load_profiles import profile_loads, read_waiting_loads
from include.loading.replay import replay_load
from include.settings import Settings
from tests.include.loading.load_world import (
    NIGHT,
    LoadWorld,
    make_contract,
    open_load_world,
)

ENCODINGS = ["utf-8", "windows-1252"]
DELIMITERS = [",", ";", "\t"]
TEXT = "id,name,note\n1,João,são\n2,Inês,café\n3,Ana,\n"
ROWS = [("1", "João", "são"), ("2", "Inês", "café"), ("3", "Ana", None)]


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def load(world: LoadWorld, content: bytes | str, **declared: Any) -> list[tuple]:
    world.put(content)
    world.load(make_contract(**declared))
    return world.raw_rows()


def how_it_was_read(world: LoadWorld) -> tuple:
    (row,) = world.rows("select reader, encodings, delimiter from audit.load_files")
    return row


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "windows-1252")],
)
def test_a_file_is_read_in_the_first_encoding_that_fits_all_of_it(
    world: LoadWorld, caplog: pytest.LogCaptureFixture, encoding: str, found: str
) -> None:
    caplog.set_level(logging.INFO)
    assert load(world, TEXT.encode(encoding), encoding=ENCODINGS) == ROWS
    assert how_it_was_read(world) == ("fast", [found], ",")
    said = f"shop/orders/{NIGHT}/orders.csv is read as windows-1252, fields between ','"
    assert (said in caplog.messages) == (found != "utf-8")


def test_utf_16_is_known_by_its_mark(world: LoadWorld) -> None:
    encodings = ["utf-8", "utf-16", "windows-1252"]
    assert load(world, TEXT.encode("utf-16"), encoding=encodings) == ROWS
    assert how_it_was_read(world) == ("careful", ["utf-16"], ",")


def test_a_file_of_another_encoding_in_a_few_lines_loses_only_these(
    world: LoadWorld,
) -> None:
    good = "".join(f"{number},João,\n" for number in range(2, 500))
    content = TEXT.splitlines()[0] + "\n" + good
    rows = load(world, content.encode() + b"1,Jo\xe3o,\n", encoding=ENCODINGS)
    assert len(rows) == 498
    assert [reject[:2] for reject in world.rejects()] == [
        (499, "bytes that are not utf-8")
    ]


MIXED = b"id,name,note\n1,Jo\xc3\xa3o,x\n2,In\xeas,caf\xe9\n3,Ana,\n"


def test_a_file_that_mixes_encodings_undeclared_is_refused(world: LoadWorld) -> None:
    rows = b"".join(b"%d,Jo\xe3o,\n" % number for number in range(9))
    with pytest.raises(
        ExportError,
        match="some of its lines are utf-8 and others are not; write mixed_encodings",
    ):
        load(world, MIXED + rows, encoding=ENCODINGS)


def test_a_file_that_mixes_encodings_is_read_line_by_line(world: LoadWorld) -> None:
    rows = load(world, MIXED, encoding=ENCODINGS, mixed_encodings=True)
    assert rows == [("1", "João", "x"), ("2", "Inês", "café"), ("3", "Ana", None)]
    assert how_it_was_read(world) == ("careful", ENCODINGS, ",")


def test_json_lines_may_mix_encodings_too(world: LoadWorld) -> None:
    lines = b'{"id": "1", "name": "Jo\xc3\xa3o"}\n{"id": "2", "name": "In\xeas"}\n'
    world.put(lines)
    declared = {"format": "jsonl", "encoding": ENCODINGS, "mixed_encodings": True}
    world.load(make_contract(**declared))
    names = world.rows("select record ->> 'name' from raw_shop.orders order by 1")
    assert names == [("Inês",), ("João",)]


def test_bytes_of_no_encoding_reject_their_row_or_refuse_the_file(
    world: LoadWorld,
) -> None:
    # 0x81 is no character of windows-1252, and no UTF-8.
    content = TEXT.encode("cp1252") + b"4,\x81,\n"
    assert load(world, content, encoding=ENCODINGS) == ROWS
    assert [reject[:2] for reject in world.rejects()] == [
        (4, "bytes that are not windows-1252")
    ]
    with pytest.raises(ExportError, match=r"its bytes are none of utf-8, windows-1252"):
        load(world, content + b"5,\x81,\n6,\x81,\n", encoding=ENCODINGS)


def test_a_rejected_row_is_read_again_as_its_file_was(world: LoadWorld) -> None:
    content = TEXT.replace(",", ";").encode("cp1252") + "4;São;Ré;x\n".encode("cp1252")
    declared = {"encoding": ENCODINGS, "delimiter": DELIMITERS}
    load(world, content, **declared)
    world.connection.commit()
    ((load_id,),) = world.rows("select load_id from audit.loads")
    # Today the fourth column of it, an empty one, would be no reason.
    world.connection.execute(
        "update audit.rejects set raw_bytes = %s", ["4;São;Ré".encode("cp1252")]
    )
    done = replay_load(world.connection, make_contract(**declared), load_id, "again")
    assert (done.rows_read, done.remaining) == (1, {})
    assert world.raw_rows()[-1] == ("4", "São", "Ré")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"encoding": ["cp1252", "utf-8"]}, "utf-8 comes first"),
        ({"encoding": ["utf-8", "klingon"]}, "'klingon' is no encoding"),
        ({"mixed_encodings": True}, "needs several encodings"),
        ({"delimiter": [",", ""]}, "at least 1 character"),
        ({"footer": ["("]}, "is no pattern"),
        ({"shapes": [{"name": "old"}]}, "needs first_header, valid_from or valid_to"),
        (
            {"shapes": [{"name": "o", "first_header": "x", "without": ["y"]}]},
            "y: lacked, but no column is so called",
        ),
    ],
)
def test_a_choice_that_is_none_is_told(declared: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        make_contract(**declared)


def test_what_is_not_declared_leaves_the_hash_of_a_contract_as_it_was() -> None:
    plain = make_contract()
    assert plain.content_hash == make_contract(encoding="utf-8").content_hash
    assert plain.content_hash == make_contract(encoding=["utf-8"]).content_hash
    for declared in ({"encoding": ENCODINGS}, {"padded_rows": True}):
        assert plain.content_hash != make_contract(**declared).content_hash


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("reader", ["fast", "careful"])
def test_a_file_is_cut_where_its_headers_are_found(
    world: LoadWorld, delimiter: str, reader: str
) -> None:
    # Fields that hold the other delimiters do not mislead.
    content = "id,name,note\n1,a;b;c;d,x\n" if delimiter == "," else TEXT
    content = content.replace(",", delimiter)
    world.put(content)
    world.load(make_contract(delimiter=DELIMITERS), reader=reader)
    assert how_it_was_read(world) == (reader, ["utf-8"], delimiter)
    expected = [("1", "a;b;c;d", "x")] if delimiter == "," else ROWS
    assert world.raw_rows() == expected


def test_no_delimiter_that_gives_the_headers_is_a_clear_refusal(
    world: LoadWorld,
) -> None:
    with pytest.raises(ExportError, match="the required column is missing: id"):
        load(world, "id|name|note\n1|a|b\n", delimiter=DELIMITERS)


@pytest.mark.parametrize("first_line", ["sep=;", '"sep=;"', "\ufeffSEP=;"])
def test_a_first_line_may_name_the_delimiter(world: LoadWorld, first_line: str) -> None:
    content = f"{first_line}\r\n" + TEXT.replace(",", ";").replace("\n", "\r\n")
    assert load(world, content) == ROWS
    assert how_it_was_read(world) == ("careful", ["utf-8"], ";")


RESAVED = (
    "\ufeffid;name;note;;\r\n"
    "1;João;são;;\r\n"
    # Excel leaves the last empty fields of some rows away.
    "2;Inês;café\r\n"
    ";;;;\r\n"
    "3;Ana\r\n"
    ";;;;\r\n"
)


def test_a_spreadsheet_pads_rows_and_adds_empty_ones(world: LoadWorld) -> None:
    declared = {"delimiter": DELIMITERS, "padded_rows": True}
    assert load(world, RESAVED, **declared) == ROWS
    assert world.rejects() == []
    # Nothing is undeclared: the columns without a name hold nothing.
    assert world.rows("select column_name from audit.drift") == []


def test_a_padded_row_that_holds_more_is_rejected(world: LoadWorld) -> None:
    load(world, RESAVED + "4;x;y;;z\r\n", delimiter=";", padded_rows=True)
    assert world.rejects() == [
        (4, "5 fields where the header has 3", "4;x;y;;z"),
    ]


@pytest.mark.parametrize("empty_row", [",,", '"",,""', ",,\r"])
def test_an_empty_row_takes_a_file_off_the_fast_path(
    world: LoadWorld, empty_row: str
) -> None:
    content = f"id,name,note\n1,a,b\n{empty_row}\n2,c,d\n"
    rows = load(world, content, padded_rows=True)
    assert rows == [("1", "a", "b"), ("2", "c", "d")]
    # Undeclared, it is a row like others, which staging sets aside.
    assert len(load(world, content)) == 5


FOOTER = [r"(Grand )?totals?\b.*", "generated by .*"]


@pytest.mark.parametrize(
    "end",
    [
        "Total,,12\n",
        "Grand Totals (3 records),,\n\n,,\nGenerated by Ana,2026-01-01,\n",
        ",TOTAL,12",
    ],
)
def test_a_declared_footer_is_no_row(world: LoadWorld, end: str) -> None:
    assert load(world, TEXT + end, footer=FOOTER) == ROWS
    ((read, rejected),) = world.rows(
        "select rows_in_file, rows_rejected from audit.loads"
    )
    assert (read, rejected) == (3, 0)


def test_what_looks_like_a_footer_between_rows_is_a_row(world: LoadWorld) -> None:
    content = TEXT + "Total,Energies,x\n4,b,c\n"
    assert load(world, content, footer=FOOTER)[3:] == [
        ("Total", "Energies", "x"),
        ("4", "b", "c"),
    ]


def test_a_sheet_may_have_a_footer_too(world: LoadWorld) -> None:
    book = Workbook()
    for row in (["id", "name", "note"], [1, "a", "b"], [], [None, "Totals", 1]):
        book.active.append(row)
    file = BytesIO()
    book.save(file)
    rows = load(world, file.getvalue(), format="xlsx", footer=FOOTER)
    assert rows == [("1", "a", "b")]


@pytest.mark.parametrize(
    "header",
    [
        "ID,Customer Name,note",
        "id,\u00a0customer  name ,NOTE",
        "id,<b>Customer</b>&nbsp;Name<br/>,note",
    ],
)
def test_headers_are_known_in_other_letters_blanks_and_html(
    world: LoadWorld, header: str
) -> None:
    world.put(f"{header}\n1,a,b\n")
    world.load(make_contract(headers={"name": ["Customer name"]}))
    assert world.raw_rows() == [("1", "a", "b")]
    assert world.readers() == ["fast"]


def test_a_header_as_declared_goes_before_one_that_is_alike(world: LoadWorld) -> None:
    world.put("ID,id,name,NAME,Note,NOTE\nx,1,a,b,c,d\n")
    world.load(make_contract())
    # Of two that are alike none is taken for the column.
    assert world.raw_rows("id, name, note, _extra") == [
        ("1", "a", None, {"ID": "x", "NAME": "b", "Note": "c", "NOTE": "d"})
    ]


def test_two_headers_that_are_alike_are_no_required_column(world: LoadWorld) -> None:
    with pytest.raises(ExportError, match="the required column is missing: id"):
        load(world, "ID,Id,name\n1,2,a\n")


def test_headers_that_come_again_are_kept_under_names_of_their_own(
    world: LoadWorld,
) -> None:
    for night in (NIGHT, date(2026, 11, 21)):
        world.put("id,name,name,,name,\n1,a,b,c,d,e\n", night=night)
        world.load(make_contract(), night=night)
    again = {"name__2": "b", "name__3": "d", "column_4": "c", "column_6": "e"}
    assert world.raw_rows("name, _extra") == [("a", again)] * 2


SHAPES = {
    "shapes": [
        # Until then "amount" was what is called "name" today, and nobody sent a note.
        {
            "name": "before",
            "valid_to": "2026-11-19",
            "rename": {"Amount": "name"},
            "without": ["note"],
        },
        {
            "name": "after",
            "valid_from": "2026-11-21",
            "header_rows": 2,
            "rename": {"amount": "note"},
            "without": ["name"],
        },
    ],
    "required": ("id", "name", "note"),
}


@pytest.mark.parametrize(
    ("night", "content", "expected"),
    [
        (date(2026, 11, 19), "id,amount\n1,x\n", ("1", "x", None)),
        (NIGHT, "id,name,note\n1,x,y\n", ("1", "x", "y")),
        (date(2026, 11, 21), "id,amount\nnumber,money\n1,x\n", ("1", None, "x")),
    ],
)
def test_a_shape_may_be_told_by_the_date(
    world: LoadWorld, night: date, content: str, expected: tuple
) -> None:
    world.put(content, night=night)
    world.load(make_contract(**SHAPES), night=night)
    assert world.raw_rows() == [expected]


def test_a_column_is_only_lacked_while_its_shape_lasts(world: LoadWorld) -> None:
    with pytest.raises(ExportError, match="columns are missing: name, note"):
        load(world, "id,amount\n1,x\n", **SHAPES)


def test_a_shape_told_by_its_header_goes_before_one_told_by_the_date(
    world: LoadWorld,
) -> None:
    shapes = [
        {"name": "dated", "valid_from": "2026-01-01", "header_rows": 2},
        {"name": "legacy", "first_header": "V1", "rename": {"V1": "id"}},
    ]
    assert load(world, "v1,name,note\n1,a,b\n", shapes=shapes) == [("1", "a", "b")]


def test_gate_1_does_not_miss_what_a_shape_lacks(
    world: LoadWorld, settings: Settings
) -> None:
    contract = make_contract(**SHAPES)
    for night, content in {
        date(2026, 11, 19): "id,amount\n1,x\n",
        NIGHT: "id,name,note\n1,x,\n",
    }.items():
        world.put(content, night=night)
        world.load(contract, night=night)
    world.connection.commit()
    waiting = read_waiting_loads(world.connection)
    world.connection.commit()
    profile_loads(settings, {contract.name: contract}, waiting)
    assert world.rows(
        "select filled_rows from audit.load_profiles order by batch_date"
    ) == [({"id": 1, "name": 1},), ({"id": 1, "name": 1, "note": 0},)]
