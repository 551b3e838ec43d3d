"""CSV files drawn by chance load the same by the fast and by the careful path.

Each example is loaded both ways inside one transaction that is rolled back, so that
thousands of them take minutes. The slow test draws more of the same.
"""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.contracts import FeedContract
from include.errors import ExportError
from include.loading.file_copy import Reader
from include.loading.raw_tables import create_raw_tables
from include.settings import Settings
from tests.include.loading.load_world import LoadWorld, make_contract, open_load_world

DELIMITERS = [",", ";", "\t", "|"]
LINE_ENDS = ["\n", "\n", "\r\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\n \n", ""]
NULL_MARKERS = ["", "NULL", "NA", "-", "?"]
CHARACTERS = "ab1é€ł '\"\\.,;|\t\n\r\0\ufeff\xa0\u2028"
FIELDS = st.one_of(
    st.sampled_from(["", "1", "a b", "é", *NULL_MARKERS]),
    st.sampled_from(
        ['""', '"a"', '"a,b;c"', '"a\nb"', '"say ""hi"""', '"\r\n"', '" "']
    ),
    st.sampled_from(
        ['5" tv', '"a" b', 'a""b', '"a \\"q\\" b"', "\\.", '"', "\ufeffid"]
    ),
    st.text(CHARACTERS, max_size=6),
)
# Mostly as wide as the header, at times ragged.
ROWS = st.one_of(
    *[st.lists(FIELDS, min_size=3, max_size=3)] * 4,
    st.lists(FIELDS, max_size=5),
    st.just(["id", "name", "note"]),
)
FILES = st.fixed_dictionaries(
    {
        "rows": st.lists(st.tuples(ROWS, st.sampled_from(LINE_ENDS)), max_size=8),
        "end": st.sampled_from(["\n", "\r\n"]),
        "delimiter": st.sampled_from(DELIMITERS),
        "encoding": st.sampled_from(["utf-8", "cp1252", "latin-1", "cp1250", "utf-16"]),
        "written": st.sampled_from([None, None, None, "utf-8", "cp1252"]),
        "has_mark": st.booleans(),
        "null_markers": st.sampled_from([[""], [""], NULL_MARKERS]),
        "has_extra": st.sampled_from([False, False, False, True]),
        "one_line_end": st.booleans(),
    }
)


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    create_raw_tables(world.connection, [make_contract()])
    world.connection.commit()
    yield world
    world.connection.close()


def write(drawn: dict[str, Any]) -> bytes:
    """Write the bytes of a drawn file; what its encoding lacks becomes a mark."""
    delimiter, end = drawn["delimiter"], drawn["end"]
    header = ["id", "name", "note"] + (["more"] if drawn["has_extra"] else [])
    text = delimiter.join(header) + end
    for fields, its_end in drawn["rows"]:
        text += delimiter.join(fields) + (end if drawn["one_line_end"] else its_end)
    if drawn["has_mark"]:
        text = "\ufeff" + text
    return text.encode(drawn["written"] or drawn["encoding"], errors="replace")


def load(world: LoadWorld, contract: FeedContract, reader: Reader) -> dict[str, object]:
    """Return all that a load wrote, or its error; it is rolled back."""
    connection = world.connection
    try:
        result = world.load(contract, reader=reader)
        columns = "id, name, note, _extra, _file_no, _row_number"
        return {
            "rows": connection.execute(
                f"select {columns} from raw_shop.orders order by _row_number".encode()
            ).fetchall(),
            "rejects": connection.execute(
                "select row_number, reason, raw_text from audit.rejects"
                " order by row_number"
            ).fetchall(),
            "counts": (result.rows_in_file, result.rows_loaded, result.rows_rejected),
            "drift": connection.execute(
                "select column_name, rows from audit.drift"
            ).fetchall(),
        }
    except ExportError as error:
        return {"error": str(error)}
    finally:
        connection.rollback()


def check_both_ways(world: LoadWorld, drawn: dict[str, Any]) -> None:
    shutil.rmtree(world.landing_folder)
    world.put(write(drawn))
    contract = make_contract(
        delimiter=drawn["delimiter"],
        encoding=drawn["encoding"],
        null_markers=drawn["null_markers"],
    )
    fast = load(world, contract, "fast")
    assert fast == load(world, contract, "careful")
    if "counts" in fast:
        read, loaded, rejected = fast["counts"]  # type: ignore[misc]
        assert read == loaded + rejected  # type: ignore[has-type]


def draw(examples: int) -> hypothesis_settings:
    return hypothesis_settings(
        max_examples=examples,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@given(drawn=FILES)
@draw(150)
def test_a_file_drawn_by_chance_loads_the_same_both_ways(
    world: LoadWorld, drawn: dict[str, Any]
) -> None:
    check_both_ways(world, drawn)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(drawn=FILES)
@draw(20_000)
def test_many_files_drawn_by_chance_load_the_same_both_ways(
    world: LoadWorld, drawn: dict[str, Any]
) -> None:
    check_both_ways(world, drawn)
