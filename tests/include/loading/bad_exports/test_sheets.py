"""XLSX and Parquet: formulas, merged cells, wrong parts, wrong bytes."""

import io
import zipfile
from collections.abc import Mapping

import openpyxl
import pyarrow
import pytest
from pyarrow import parquet

from tests.include.loading.bad_exports.bad_night import BadExport, BadNight

BROKEN = "the file is no readable XLSX workbook ("
HEAD = '<row><c t="str"><v>id</v></c><c t="str"><v>name</v></c></row>'
BOOK = '<workbook xmlns:r="r"><sheets><sheet name="a" r:id="one"/></sheets></workbook>'
RELATIONS = '<R><a Id="one" Target="worksheets/sheet1.xml"/></R>'
# Style 1 shows dates.
STYLES = '<s><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></s>'
STRINGS = "<sst><si><t>one</t></si></sst>"


def zip_parts(parts: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def make_book(rows: str, **parts: str | bytes | None) -> bytes:
    """Make a workbook out of the XML of its rows; `parts` replace the others."""
    names = {
        "book": "xl/workbook.xml",
        "relations": "xl/_rels/workbook.xml.rels",
        "styles": "xl/styles.xml",
        "strings": "xl/sharedStrings.xml",
        "sheet": "xl/worksheets/sheet1.xml",
    }
    content = {
        "book": BOOK,
        "relations": RELATIONS,
        "styles": STYLES,
        "strings": STRINGS,
        "sheet": f"<worksheet><sheetData>{rows}</sheetData></worksheet>",
        **parts,
    }
    return zip_parts(
        {names[part]: text for part, text in content.items() if text is not None}
    )


def sheet(case: str, content: str | bytes, **expected: object) -> BadExport:
    if isinstance(content, str):
        content = make_book(content)
    return BadExport(case, content, "orders.xlsx", {"format": "xlsx"}, **expected)  # type: ignore[arg-type]


def cell(case: str, xml: str, **expected: object) -> BadExport:
    """Put one cell into the first column of the only row."""
    return sheet(case, f"{HEAD}<row>{xml}</row>", **expected)


def encrypt(content: bytes) -> bytes:
    """Set the flag that says that a password protects the parts."""
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        changed = bytearray(content)
        while (start := content.find(signature, start + 1)) >= 0:
            changed[start + offset] |= 1
        content = bytes(changed)
    return content


def merge_keys() -> bytes:
    book = openpyxl.Workbook()
    rows = book.active
    assert rows is not None
    for row in (("id", "name"), (1, "a"), (2, "b"), (3, "c")):
        rows.append(row)
    rows.merge_cells("A2:A3")
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def make_parquet(**columns: pyarrow.Array) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def table(case: str, content: bytes, **expected: object) -> BadExport:
    declared = {"format": "parquet"}
    return BadExport(case, content, "orders.parquet", declared, **expected)  # type: ignore[arg-type]


WHOLE = make_parquet(id=pyarrow.array(["1"]), name=pyarrow.array(["a"]))
NOT_TEXT = pyarrow.array([b"1", b"\xff2"]).cast(pyarrow.binary()).view(pyarrow.string())
FORMULA = {1: "a formula without its value"}

CASES = [
    sheet("CSV called a workbook", b"id,name\n1,a\n", refused=BROKEN + "File is not a"),
    sheet(
        "a workbook of the old kind",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        refused="save it as .xlsx without a password, and transfer it again.",
    ),
    sheet(
        "a workbook with a password on its parts",
        encrypt(make_book(HEAD)),
        refused=BROKEN + "a password protects it)",
    ),
    sheet("a workbook that breaks off", make_book(HEAD)[:-30], refused=BROKEN),
    sheet("an archive of something else", zip_parts({"a.csv": "id"}), refused=BROKEN),
    sheet(
        "a book without sheets", make_book(HEAD, book="<b/>"), refused="it has no sh"
    ),
    sheet("a sheet that is nowhere", make_book(HEAD, relations="<R/>"), refused=BROKEN),
    sheet(
        "a sheet without a relation",
        make_book(HEAD, book="<b><sheets><sheet/></sheets></b>"),
        refused=BROKEN,
    ),
    sheet(
        "a sheet that breaks off", make_book("", sheet="<worksheet>"), refused=BROKEN
    ),
    sheet(
        "a sheet that declares entities",
        make_book("", sheet='<!DOCTYPE a [<!ENTITY b "b">]><worksheet/>'),
        refused=BROKEN + "it declares entities)",
    ),
    sheet(
        "strings that declare entities",
        make_book(HEAD, strings='<!DOCTYPE a [<!ENTITY b "b">]><sst/>'),
        refused=BROKEN + "it declares entities)",
    ),
    sheet(
        "styles of nine megabytes",
        make_book(HEAD, styles=bytes(9_000_000)),
        refused=BROKEN + "its part xl/styles.xml has 9,000,000 bytes)",
    ),
    sheet("a sheet without rows", "", refused="the file is empty"),
    cell(
        "a cell beyond the last column",
        '<c r="ZZZ2"><v>1</v></c>',
        refused="cell ZZZ2 stands where none can",
    ),
    cell(
        "a cell far beyond any column",
        '<c r="AAAAAAAAA2"><v>1</v></c>',
        refused="AAAAAAAAA is no column",
    ),
    cell(
        "a cell that goes back",
        '<c r="B2"><v>1</v></c><c r="A2"><v>2</v></c>',
        refused="cell A2 stands where none can",
    ),
    cell("a cell of small letters", '<c r="a2"><v>1</v></c>', refused="a is no column"),
    cell(
        "a string that is not there",
        '<c t="s"><v>7</v></c>',
        refused=BROKEN + "a cell names string 7, which is not there)",
    ),
    cell("a string before the first", '<c t="s"><v>-1</v></c>', refused="string -1,"),
    cell(
        "a cell of two million characters",
        f'<c t="str"><v>{"x" * 2_000_000}</v></c>',
        refused="it has a cell of more than a million characters",
    ),
    cell(
        "a string without a number", '<c t="s"/><c t="str"><v>a</v></c>', loaded=(None,)
    ),  # type: ignore[arg-type]
    cell("a formula with its value", "<c><f>1+1</f><v>2</v></c>", loaded=("2",)),
    cell("a formula without its value", "<c><f>1+1</f></c>", rejected=FORMULA),
    cell(
        "a formula whose value is no text",
        '<c t="str"><f>A9</f><v></v></c><c><v>1</v></c>',
        loaded=(None,),  # type: ignore[arg-type]
    ),
    cell("an error for a value", '<c t="e"><v>#REF!</v></c>', loaded=("#REF!",)),
    cell("words for a number", "<c><v>a lot</v></c>", loaded=("a lot",)),
    cell("a number with an underscore", "<c><v>1_000</v></c>", loaded=("1_000",)),
    cell(
        "a number of 9,000 digits",
        f"<c><v>{'9' * 9_000}</v></c>",
        loaded=("9" * 9_000,),
    ),
    cell("a number beyond all", "<c><v>1e999</v></c>", rejected={1: "not finite"}),
    cell(
        "a date beyond the calendar",
        '<c s="1"><v>99999999</v></c>',
        loaded=("99999999",),
    ),
    cell("a truth value in words", '<c t="b"><v>true</v></c>', loaded=("true",)),
    cell(
        "a reading beside a name",
        '<c t="inlineStr"><is><t>a</t><rPh><t>b</t></rPh></is></c>',
        loaded=("a",),
    ),
    cell(
        "more cells than the header has",
        "<c><v>1</v></c>" * 3,
        rejected={1: "3 fields where the header has 2"},
    ),
    sheet("keys that are merged", merge_keys(), loaded=("1", None, "3")),
    table("CSV called Parquet", b"id,name\n1,a\n", refused="no readable Parquet file"),
    table("a Parquet file that breaks off", WHOLE[:-9], refused="no readable Parquet"),
    table(
        "a Parquet file with damaged pages",
        WHOLE[:4] + bytes(60) + WHOLE[64:],
        refused="no readable Parquet file",
    ),
    table(
        "a Parquet file of other columns",
        make_parquet(key=pyarrow.array(["1"])),
        refused="the required column is missing: id (",
    ),
    table(
        "text in Parquet that is no UTF-8",
        make_parquet(id=NOT_TEXT),
        loaded=("1",),
        rejected={2: "bytes that are not UTF-8"},
    ),
    table(
        "a NUL in Parquet",
        make_parquet(id=pyarrow.array(["1", "2\0"])),
        loaded=("1",),
        rejected={2: "a NUL character"},
    ),
    table(
        "a NUL in a column's name",
        make_parquet(id=pyarrow.array(["1"]), **{"a\0b": pyarrow.array(["x"])}),
        refused="the name of column 2 is no text; export it again.",
    ),
]


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_a_workbook_or_table_that_is_not_as_it_should_be(
    bad_night: BadNight, bad: BadExport
) -> None:
    bad_night.check(bad)
