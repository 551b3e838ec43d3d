"""Bad exports: one clear sentence each, and nothing left behind."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from include.errors import ExportError, MissingExportError, WarehouseError
from include.settings import Settings
from tests.include.loading.load_world import (
    NIGHT,
    LoadWorld,
    make_contract,
    open_load_world,
)

PLACE = f"shop.orders of {NIGHT}"
FILE = f"{PLACE}, file shop/orders/{NIGHT}/orders.csv"
RECORDS = {"format": "json", "record_path": "orders"}
LATIN = "id,name,note\n1,João,são\n2,Inês,café\n3,Ana,maçã\n".encode("latin-1")


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


@pytest.mark.parametrize(
    ("content", "declared", "sentence"),
    [
        (
            "nummer,name,note\n1,Ana,\n",
            {},
            f"{FILE}: the required column is missing: id (the file has nummer, name,"
            " note); export it again with them, or change the contract.",
        ),
        (
            "id;name;note\n1;Ana;\n",
            {},
            f"{FILE}: the required column is missing: id (the file has id;name;note);"
            " export it again with them, or change the contract.",
        ),
        (b"", {}, f"{FILE}: the file is empty; export it again."),
        (b"\xef\xbb\xbf", {}, f"{FILE}: the file is empty; export it again."),
        (
            "id,name,note\n",
            {"header_rows": 3},
            f"{FILE}: the file ends within its 3 header rows; export it again.",
        ),
        (
            'id,"na"me,note\n1,a,b\n',
            {},
            f"{FILE}: the header cannot be read: text after the closing quote of a"
            " field; export it again.",
        ),
        (
            LATIN,
            {},
            f"{FILE}, row 1: the bytes are not utf-8, which the contract says; write"
            " the file's encoding (perhaps cp1252) into the contract, or export it as"
            " declared.",
        ),
        (
            "id,name,note\n1,João,\n",
            {"encoding": "latin-1"},
            f"{FILE}: the contract says latin-1, but the bytes are UTF-8; write"
            " encoding: utf-8 into the contract, or export it as declared.",
        ),
        (
            b"\xef\xbb\xbfid,name,note\n1,Joao,\n",
            {"encoding": "cp1252"},
            f"{FILE}: the contract says cp1252, but the bytes are UTF-8; write"
            " encoding: utf-8 into the contract, or export it as declared.",
        ),
        (
            "id,name,note\n1,João,\n".encode("utf-16"),
            {},
            f"{FILE}: the contract says utf-8, but the bytes are UTF-16; write"
            " encoding: utf-16 into the contract, or export it as declared.",
        ),
        (
            '{"orders": [{"id": 1}, {"id": 2',
            RECORDS,
            f"{FILE}, row 2: the page is half-written: it breaks off before its end;"
            " transfer it again, or fetch it again from the vendor.",
        ),
        (
            '{"error": "RecordNotFound"}',
            RECORDS,
            f"{FILE}: the page has no orders (it has error); fetch the page again, or"
            " change record_path in the contract.",
        ),
    ],
)
def test_a_bad_file_is_refused_with_one_sentence(
    world: LoadWorld, content: str | bytes, declared: dict[str, Any], sentence: str
) -> None:
    world.put(content)
    with pytest.raises(ExportError) as caught:
        world.load(make_contract(**declared))
    assert str(caught.value) == sentence
    assert world.rows("select count(*) from audit.loads") == [(0,)]


def test_a_half_transferred_archive_is_refused(world: LoadWorld) -> None:
    whole = gzip.compress(b"id,name,note\n" + b"1,Ana,x\n" * 1000)
    world.put(whole[:-20], "orders.csv.gz")
    with pytest.raises(ExportError, match=r"gz: the file cannot be read to its end"):
        world.load()


@pytest.mark.parametrize("name", ["orders.csv.gz", "orders.csv.zip", "orders.csv.xz"])
def test_a_file_that_is_no_archive_is_refused(world: LoadWorld, name: str) -> None:
    world.put("id,name,note\n", name)
    with pytest.raises(ExportError, match="the file cannot be read to its end"):
        world.load()


@pytest.mark.parametrize("file_format", ["xlsx", "parquet"])
def test_a_file_of_another_format_is_refused(
    world: LoadWorld, file_format: str
) -> None:
    world.put("id,name,note\n")
    with pytest.raises(ExportError, match="the file is no readable "):
        world.load(make_contract(format=file_format))


def test_a_required_feed_that_sent_nothing_is_missed(world: LoadWorld) -> None:
    world.landing_folder.mkdir(exist_ok=True)
    with pytest.raises(MissingExportError) as caught:
        world.load()
    assert str(caught.value) == (
        f"{PLACE}: no file has arrived in shop/orders/{NIGHT}; ask the source for it,"
        " then run this night again."
    )


def test_one_bad_file_refuses_the_whole_load(world: LoadWorld) -> None:
    world.put("id,name,note\n1,Ana,\n", "a.csv")
    world.put("name,note\nAna,\n", "b.csv")
    with pytest.raises(ExportError, match=r"b\.csv: the required column is missing"):
        world.load()
    assert world.rows("select to_regclass('raw_shop.orders')") == [(None,)]


def test_a_single_damaged_row_does_not_refuse_a_file(world: LoadWorld) -> None:
    rows = "".join(f"{number},João,x\n" for number in range(50)).encode()
    world.put(b"id,name,note\n" + rows + b"50,Jo\xe3o,x\n")
    result = world.load()
    assert (result.rows_loaded, result.rows_rejected) == (50, 1)


def test_the_next_load_on_the_connection_is_not_hurt(world: LoadWorld) -> None:
    world.put("name\nAna\n")
    with pytest.raises(ExportError):
        world.load()
    world.put("id,name,note\n1,Ana,\n")
    assert world.load().rows_loaded == 1


def test_every_refusal_is_a_warehouse_error(world: LoadWorld) -> None:
    world.put("name\nAna\n")
    with pytest.raises(WarehouseError):
        world.load()
