"""Exports by somebody who means harm: names are quoted, and nothing leads outside.

And exports full of personal data, in every place where something is told of them.
"""

import logging
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import Workbook
from pydantic import ValidationError

from include import audit
from include.errors import ExportError
from include.loading.landing import Landing
from include.settings import Settings
from tests.include.loading.load_world import (
    NIGHT,
    LoadWorld,
    make_contract,
    open_load_world,
)

HOSTILE = (
    'x"; drop table audit.loads; --',
    "x'; drop table audit.loads; --",
    "x'); drop schema audit cascade; select ('",
    "{table}%s%(id)s$1{}",
    "\\'; drop table audit.loads; --",
)
PERSONAL = ("ana.souza@example.org", "+55 11 98765-4321", "Ana Souza", "98765-4321")


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("reader", ["fast", "careful"])
def test_a_hostile_column_is_kept_as_a_name(
    world: LoadWorld, name: str, reader: str
) -> None:
    quoted = name.replace('"', '""')
    world.put(f'id,"{quoted}"\n1,"{quoted}"\n')
    result = world.load(reader=reader)  # type: ignore[arg-type]
    assert result.rows_loaded == 1
    assert world.raw_rows("id, _extra") == [("1", {name: name})]
    assert world.rows("select column_name, rows from audit.drift") == [(name, 1)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_contract_takes_plain_names_and_any_header(
    world: LoadWorld, name: str
) -> None:
    for hostile in ({"feed": name}, {"system": name}, {"columns": (name,)}):
        with pytest.raises(ValidationError):
            make_contract(**hostile)  # type: ignore[arg-type]
    header = name.replace('"', '""')
    world.put(f'id,"{header}"\n1,kept\n')
    world.load(make_contract(headers={"name": [name]}))
    assert world.raw_rows("name") == [("kept",)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_name_is_kept_as_a_name(world: LoadWorld, name: str) -> None:
    file = f"{name}.csv"
    world.put("id,name,note\n1,Ana,x\n", name=file)
    world.load()
    (path,) = world.rows("select path from audit.load_files")
    assert path == (f"shop/orders/{NIGHT}/{file}",)


def test_hostile_sheets_and_cells_are_kept_as_text(
    world: LoadWorld, tmp_path: Path
) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "x'; drop table--"
    sheet.append(["id", "name", HOSTILE[0]])
    sheet.append(["1", HOSTILE[1], HOSTILE[2]])
    book.save(tmp_path / "book.xlsx")
    world.put((tmp_path / "book.xlsx").read_bytes(), name="orders.xlsx")
    world.load(make_contract(format="xlsx"))
    assert world.raw_rows("name, _extra") == [(HOSTILE[1], {HOSTILE[0]: HOSTILE[2]})]


def put_archive(world: LoadWorld, member: zipfile.ZipInfo | str) -> None:
    path = world.put(b"", name="orders.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "id,name,note\n1,Ana,x\n")


@pytest.mark.parametrize(
    "member",
    ["../orders.csv", "a/../../orders.csv", "/etc/orders.csv", "..\\orders.csv"],
)
def test_an_archive_with_a_path_that_leads_out_is_refused(
    world: LoadWorld, member: str
) -> None:
    put_archive(world, member)
    with pytest.raises(ExportError, match="leads out"):
        world.load()


def test_an_archive_with_a_link_is_refused(world: LoadWorld) -> None:
    link = zipfile.ZipInfo("orders.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    put_archive(world, link)
    with pytest.raises(ExportError, match="a link"):
        world.load()


def test_a_sound_archive_is_loaded(world: LoadWorld) -> None:
    put_archive(world, "exports/orders.csv")
    assert world.load().rows_loaded == 1


@pytest.mark.parametrize("place", ["file", "night", "feed", "system"])
def test_a_link_out_of_the_landing_folder_is_refused_at_every_level(
    world: LoadWorld, tmp_path: Path, place: str
) -> None:
    outside = tmp_path / "outside" / "orders" / str(NIGHT)
    outside.mkdir(parents=True)
    (outside / "orders.csv").write_text("id,name,note\n1,Ana,x\n")
    target = {
        "system": outside.parents[1],
        "feed": outside.parent,
        "night": outside,
        "file": outside / "orders.csv",
    }[place]
    link = (
        world.landing_folder
        / {
            "system": Path("shop"),
            "feed": Path("shop/orders"),
            "night": Path(f"shop/orders/{NIGHT}"),
            "file": Path(f"shop/orders/{NIGHT}/orders.csv"),
        }[place]
    )
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    with pytest.raises(ExportError, match="leads out of the landing folder"):
        Landing(str(world.landing_folder)).list_files(make_contract(), NIGHT)


# One row, or file, of each kind of trouble, full of personal data.
ROW = f"{PERSONAL[0]},{PERSONAL[1]},{PERSONAL[2]}"
TROUBLES = {
    "a row with too many fields": f"id,name,note\n1,a,b\n{ROW},and more\n",
    "a row with too few fields": f"id,name,note\n1,a,b\n{PERSONAL[0]}\n",
    "a quote that is never closed": f'id,name,note\n1,a,b\n"{ROW}\n',
    "text after a quote": f'id,name,note\n1,"{PERSONAL[2]}" {PERSONAL[0]},b\n',
    "a character that is no text": f"id,name,note\n{ROW}\0\n",
    "no header row": f"{ROW}\n",
    "no header row, and words like headers": f"{PERSONAL[2]},{PERSONAL[0]},note\n",
    "another encoding": f"id,name,note\n1,São,{PERSONAL[0]}\n".encode("latin-1"),
    "a header of another encoding": f"id,name,São {PERSONAL[2]}\n".encode("latin-1"),
}
RECORD_TROUBLES = {
    "a record that is none": f'{{"orders": [{{"id": "1"}}, "{PERSONAL[0]}"]}}',
    "half a page": f'{{"orders": [{{"id": "1", "name": "{PERSONAL[2]}',
    "another page": f'{{"order": [{{"id": "{PERSONAL[0]}"}}]}}',
    "no JSON": f"{PERSONAL[2]} <{PERSONAL[0]}>",
}


@pytest.mark.parametrize("trouble", [*TROUBLES, *RECORD_TROUBLES])
def test_what_is_told_of_a_bad_export_holds_nothing_personal(
    world: LoadWorld, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    is_record = trouble in RECORD_TROUBLES
    contract = make_contract(
        **({"format": "json", "record_path": "orders"} if is_record else {})
    )
    content = (TROUBLES | RECORD_TROUBLES)[trouble]
    world.put(content, name="orders.json" if is_record else "orders.csv")
    said = ""
    try:
        world.load(contract)
    except ExportError as error:
        world.connection.rollback()
        said = str(error)
        audit.record_feed_failure(world.connection, "run", "shop.orders", NIGHT, error)
    kept = [
        row
        for (table,) in world.rows(
            "select relname from pg_class where relkind = 'r'"
            " and relnamespace = 'audit'::regnamespace and relname <> 'rejects'"
        )
        for row in world.rows(f"select kept::text from audit.{table} as kept")
    ]
    reasons = world.rows("select reason from audit.rejects")
    told = f"{said}\n{caplog.text}\n{kept}\n{reasons}"
    assert said or reasons, "it was told"
    assert not [value for value in PERSONAL if value in told]
