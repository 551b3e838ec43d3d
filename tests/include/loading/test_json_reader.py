"""JSON pages and lines: exact values, rejects of records, refusals of pages."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.errors import ExportError
from include.loading.file_content import FileProblem
from include.loading.readers import read_rows
from include.settings import Settings
from tests.include.loading.load_world import (
    NIGHT,
    LoadWorld,
    make_contract,
    open_load_world,
)

PAGES = make_contract(format="json", record_path="orders")
LINES = make_contract(format="jsonl")


class Trickle:
    """Hands out a stream a few bytes at a time, so that every cut is tried."""

    def __init__(self, content: bytes, size: int) -> None:
        self._content = content
        self._size = size
        self._at = 0

    def read(self, size: int, /) -> bytes:
        piece = self._content[self._at : self._at + min(size, self._size)]
        self._at += len(piece)
        return piece


def read(
    content: bytes | str,
    contract=PAGES,
    size: int = 1 << 20,  # type: ignore[no-untyped-def]
) -> tuple[list[str], list[tuple[int, str]]]:
    """Return the records' texts, and the rejects' row numbers and reasons."""
    content = content.encode() if isinstance(content, str) else content
    batches = list(read_rows(contract, Trickle(content, size)).batches)
    return (
        [str(row[1]) for batch in batches for row in batch.rows],
        [(r.row_number, r.reason) for batch in batches for r in batch.rejects],
    )


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


JSON_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('ab\\"é'), inner),
    max_leaves=8,
)


@given(
    records=st.lists(st.fixed_dictionaries({"id": st.integers(), "x": JSON_VALUE})),
    before=JSON_VALUE,
    after=JSON_VALUE,
    size=st.integers(1, 40),
    indent=st.sampled_from([None, 2]),
    is_ascii=st.booleans(),
)
@hypothesis_settings(deadline=None)
def test_records_are_found_wherever_the_stream_is_cut(
    records: list[object],
    before: object,
    after: object,
    size: int,
    indent: int | None,
    is_ascii: bool,
) -> None:
    page = {"before": before, "orders": records, "after": after}
    text = json.dumps(page, indent=indent, ensure_ascii=is_ascii)
    texts, rejects = read(text, size=size)
    assert [json.loads(text) for text in texts] == records
    assert rejects == []


def test_every_half_written_page_is_refused() -> None:
    page = json.dumps(
        {"n": 12.5, "orders": [{"id": 1, "ok": True}, {"id": 2}], "end": None}
    )
    for cut in range(len(page)):
        with pytest.raises(FileProblem, match=r"half-written|the file is empty"):
            read(page[:cut], size=7)


def test_numbers_arrive_digit_by_digit(world: LoadWorld) -> None:
    numbers = ["0.1", "12345678901234567890.123456789", "1e2", "9007199254740993"]
    records = ",".join(f'{{"id":{number}}}' for number in numbers)
    world.put(f'{{"orders":[{records}]}}')
    world.load(PAGES)
    stored = [value for (value,) in world.raw_rows("(record -> 'id')::numeric")]
    assert stored == [Decimal(number) for number in numbers]


def test_what_jsonb_cannot_hold_rejects_the_record_alone(world: LoadWorld) -> None:
    records = [
        '{"id": 1}',
        '{"id": 2, "x": "a\\u0000b"}',
        '{"id": 3, "x": "\\ud800"}',
        '{"id": 4, "x": NaN}',
        '{"id": 5, "x": -Infinity}',
        '{"id": 6, "x": "\\\\u0000 and \\ud83d\\ude00"}',
        '{"id": 7, "x": "a\tb"}',
        '{"id": 8, "x": 1e999999}',
        "17",
        '{"x": 1}',
        '{"id": 11, "\\u0000": 1}',
        '{"id": 12}',
    ]
    world.put('{"orders": [' + ",\n".join(records) + "]}")
    result = world.load(PAGES)
    assert (result.rows_in_file, result.rows_loaded) == (12, 3)
    assert world.raw_rows("record ->> 'id', _row_number") == [
        ("1", 1),
        ("6", 6),
        ("12", 12),
    ]
    reasons = {row: (reason, text) for row, reason, text in world.rejects()}
    assert {row: reason for row, (reason, _) in reasons.items()} == {
        2: "a NUL character (\\u0000)",
        3: "half of a surrogate pair (\\ud800 to \\udfff)",
        4: "a number that is not finite (NaN)",
        5: "a number that is not finite (-Infinity)",
        7: "a control character inside a string",
        8: "a number larger than the database can hold",
        9: "the record is not an object",
        10: "the required field id is missing",
        11: "a NUL character (\\u0000)",
    }
    assert reasons[3][1] == records[2]


def test_a_value_that_only_the_database_refuses_is_a_reject(world: LoadWorld) -> None:
    # One digit more than numeric can have before the point.
    records = ['{"id": 1}', f'{{"id": 1{"0" * 131_072}}}', '{"id": 3}']
    world.put('{"orders": [' + ",".join(records) + "]}")
    result = world.load(PAGES)
    assert (result.rows_loaded, result.rows_rejected) == (2, 1)
    ((row_number, reason, _),) = world.rejects()
    assert row_number == 2
    assert reason.startswith("the database refuses it: ")


def test_a_damaged_byte_rejects_the_record_alone() -> None:
    page = b'{"orders": [{"id": 1, "x": "caf\xe9"}, {"id": 2}, {"id": 3}]}'
    assert read(page) == (
        ['{"id": 2}', '{"id": 3}'],
        [(1, "bytes that are not utf-8")],
    )


def test_records_may_lie_deeper_or_be_the_page_itself() -> None:
    deep = make_contract(format="json", record_path="data.orders")
    assert read('{"data": {"n": 1, "orders": [{"id": 1}]}}', deep)[0] == ['{"id": 1}']
    bare = make_contract(format="json", record_path="")
    assert read('[{"id": 1}, {"id": 2}]', bare)[0] == ['{"id": 1}', '{"id": 2}']
    assert read('{"orders": []}') == ([], [])


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("", "the file is empty"),
        ('{"error": "down"}', r"the page has no orders \(it has error\)"),
        ("[]", "the page has no orders"),
        ('{"orders": {"id": 1}}', "orders is no list of records"),
        ('{"orders": [{"id": 1}]} x', "text after the end"),
        ('{"orders": [{"id": 1} {"id": 2}], "long": "enough to be sure"}', "where ','"),
        ('{"orders": [{"id" 1}], "and": "enough to be sure of it"}', "no valid JSON"),
        ('{"orders": [' + "[" * 100_000, "nested too deep|half-written"),
        ('{"orders": [{"id": "' + "x" * (1 << 25), "a record has no end"),
    ],
)
def test_a_page_that_cannot_be_read_is_refused(page: str, message: str) -> None:
    with pytest.raises(FileProblem, match=message):
        read(page)


def test_a_half_written_page_names_its_record(world: LoadWorld) -> None:
    world.put('{"orders": [{"id": 1}, {"id": 2, "na')
    with pytest.raises(
        ExportError,
        match=rf"shop/orders/{NIGHT}/orders\.csv, row 2: the page is half-written",
    ):
        world.load(PAGES)


def test_lines_are_records_and_bad_lines_rejects() -> None:
    texts, rejects = read('{"id": 1}\n\n{"id": \n[2]\r\n{"id": 3} x\n{"id": 4}', LINES)
    assert texts == ['{"id": 1}', '{"id": 4}']
    assert [row for row, _ in rejects] == [2, 3, 4]


def test_a_half_written_last_line_is_refused() -> None:
    with pytest.raises(FileProblem, match="half-written"):
        read('{"id": 1}\n{"id": 2, "na', LINES)
