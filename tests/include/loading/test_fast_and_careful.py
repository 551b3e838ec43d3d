"""The fast and the careful path give the same raw rows, whatever the file."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.errors import ExportError
from include.loading.fast_path import SERVER_ENCODINGS
from include.loading.file_copy import Reader
from include.settings import Settings
from tests.include.loading.load_world import LoadWorld, make_contract, open_load_world

HEADER = "id,name,note\n"
# Pieces that together make every trap of CSV, and plain rows too.
PIECES = st.sampled_from(
    [
        *("a", "1", " ", "é", "€", ",", ",", ",", "\n", "\n", "\r\n", "\r", '"', '""'),
        *("\\", '\\"', "\\.", "\0", "\ufeff", "1,x,y\n", '2,"x, y","z"\n', '3,"",\n'),
        *('4,"a\nb",c\n', '5,"say ""hi""",c\n', '6,5" tv,a\n', '7,"a \\"q\\" b",c\n'),
    ]
)
PLAIN_FIELD = st.text(alphabet='ab",;\n\\ é€', max_size=8)


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def load(world: LoadWorld, reader: Reader, **declared: Any) -> dict[str, object]:
    """Load the file from scratch; return all that the load wrote, or its error."""
    world.connection.execute("drop schema if exists raw_shop cascade")
    world.connection.execute("delete from audit.loads")
    world.connection.commit()
    try:
        result = world.load(make_contract(**declared), reader=reader)
    except ExportError as error:
        return {"error": str(error)}
    return {
        "rows": world.raw_rows("id, name, note, _extra, _file_no, _row_number"),
        "rejects": world.rejects(),
        "counts": (result.rows_in_file, result.rows_loaded, result.rows_rejected),
    }


def check_same(world: LoadWorld, content: bytes, **declared: Any) -> list[str]:
    world.put(content)
    fast = load(world, "fast", **declared)
    readers = world.readers()
    assert fast == load(world, "careful", **declared)
    return readers


@given(
    pieces=st.lists(PIECES, max_size=25), encoding=st.sampled_from(["utf-8", "cp1252"])
)
@example(pieces=['6,5" tv,a\n', "1,x,y\n"], encoding="utf-8")
@example(pieces=['7,"a \\"q\\" b",c\n', "1,x,y\n"], encoding="utf-8")
@example(pieces=['1,5",a\n', '2,6",b\n'], encoding="utf-8")
@example(pieces=["1,é,y\n", "2,€,y\n"], encoding="cp1252")
@example(pieces=["1,x,y\r", "2,x,y\r"], encoding="utf-8")
@example(pieces=["1,x,y\n", "\n", "2,x,y\n"], encoding="utf-8")
@hypothesis_settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_file_gives_the_same_rows_both_ways(
    world: LoadWorld, pieces: list[str], encoding: str
) -> None:
    content = (HEADER + "".join(pieces)).encode(encoding, errors="replace")
    check_same(world, content, encoding=encoding)


@given(
    pieces=st.lists(PIECES, max_size=12),
    encoding=st.sampled_from(["utf-8", "cp1252"]),
    delimiter=st.sampled_from([",", ";"]),
    is_mixed=st.booleans(),
    is_padded=st.booleans(),
)
@example(
    pieces=["1,x,y\n", ",,\n", "2,x,y\n"],
    encoding="utf-8",
    delimiter=",",
    is_mixed=False,
    is_padded=True,
)
@example(
    pieces=["1,x,y\n", '"",,""\n'],
    encoding="utf-8",
    delimiter=",",
    is_mixed=False,
    is_padded=True,
)
@example(
    pieces=["1,é,y\n", "2,€,y\n"],
    encoding="cp1252",
    delimiter=",",
    is_mixed=True,
    is_padded=False,
)
@hypothesis_settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_file_that_leaves_a_choice_gives_the_same_rows_both_ways(
    world: LoadWorld,
    pieces: list[str],
    encoding: str,
    delimiter: str,
    is_mixed: bool,
    is_padded: bool,
) -> None:
    text = (HEADER + "".join(pieces)).replace(",", delimiter)
    check_same(
        world,
        text.encode(encoding, errors="replace"),
        encoding=["utf-8", "cp1252"],
        delimiter=[",", ";", "\t"],
        mixed_encodings=is_mixed,
        padded_rows=is_padded,
    )


@given(
    rows=st.lists(st.tuples(*[PLAIN_FIELD] * 3), min_size=1, max_size=10),
    end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
    has_mark=st.booleans(),
)
@hypothesis_settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_a_csv_writer_wrote_arrives_as_it_was(
    world: LoadWorld,
    rows: list[tuple[str, str, str]],
    end: str,
    delimiter: str,
    has_mark: bool,
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator=end, delimiter=delimiter)
    writer.writerows([("id", "name", "note"), *rows])
    mark = b"\xef\xbb\xbf" if has_mark else b""
    readers = check_same(world, mark + buffer.getvalue().encode(), delimiter=delimiter)
    assert world.raw_rows() == [tuple(cell or None for cell in row) for row in rows]
    if '\\"' not in buffer.getvalue() and "\n\\" not in buffer.getvalue():
        assert readers == ["fast"]


@pytest.mark.parametrize("encoding", sorted(SERVER_ENCODINGS))
def test_both_ways_decode_every_byte_alike(world: LoadWorld, encoding: str) -> None:
    characters = []
    for byte in range(128, 256):
        try:
            characters.append(bytes([byte]).decode(encoding))
        except UnicodeDecodeError:
            # One such row among others is a reject.
            content = b"id,name,note\n1,a,b\n2,%c,x\n" % byte
            assert check_same(world, content, encoding=encoding) == ["careful"]
            assert len(world.rejects()) == 1
            if encoding.startswith(("utf-8", "ascii")):
                break
    rows = "".join(f"1,{character},x\n" for character in characters)
    content = ("id,name,note\n" + rows).encode(encoding)
    assert check_same(world, content, encoding=encoding) == ["fast"]
    assert world.raw_rows("name") == [(character,) for character in characters]


def test_columns_in_another_order_arrive_in_their_places(world: LoadWorld) -> None:
    assert check_same(world, b"note,id,name\nx,1,Ana\n") == ["fast"]
    assert world.raw_rows() == [("1", "Ana", "x")]


def test_an_empty_line_may_come_before_the_header(world: LoadWorld) -> None:
    assert check_same(world, b"\r\nid,name,note\r\n1,a,b\r\n") == ["fast"]
    assert world.raw_rows() == [("1", "a", "b")]


def test_an_empty_line_is_no_row_of_a_single_column(world: LoadWorld) -> None:
    world.put("id\n1\n\n2\n")
    world.load(make_contract(("id",)))
    assert world.raw_rows("id") == [("1",), ("2",)]


def test_a_file_larger_than_a_block_gives_the_same_rows(world: LoadWorld) -> None:
    body = "".join(
        f'{number},"name, {number}\nsecond ""line""",{"x" * 150}\r\n'
        for number in range(30_000)
    )
    assert check_same(world, ("id,name,note\r\n" + body).encode()) == ["fast"]
    numbers = [number for (number,) in world.raw_rows("_row_number")]
    assert numbers == list(range(1, 30_001))
