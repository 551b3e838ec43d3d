"""The scan: it counts what a CSV reader counts, and refuses all that is not plain."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.loading.csv_scan import CsvScan, NotClean

FIELD = st.text(alphabet='ab",;\n é', max_size=6)


def scan(blocks: list[bytes]) -> int:
    reader = CsvScan(",")
    for block in blocks:
        reader.feed(block)
    reader.finish()
    return reader.rows


def cut_at_newlines(content: bytes, cuts: set[int]) -> list[bytes]:
    """Cut content into blocks at those of its newlines whose number is in `cuts`."""
    blocks = [b""]
    for number, line in enumerate(content.splitlines(keepends=True)):
        if number in cuts:
            blocks.append(b"")
        blocks[-1] += line
    return blocks


@given(
    rows=st.lists(st.lists(FIELD, min_size=2, max_size=4), max_size=12),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    cuts=st.sets(st.integers(0, 12)),
)
def test_plain_files_pass_with_the_count_of_their_records(
    rows: list[list[str]], end: str, quoting: int, cuts: set[int]
) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    assert scan(cut_at_newlines(buffer.getvalue().encode(), cuts)) == len(rows)


def test_a_last_record_without_a_newline_counts() -> None:
    assert scan([b"1,a\n2,b"]) == 2
    assert scan([b'1,a\n2,"b\n', b'c"']) == 2
    assert scan([b""]) == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'1,5" tv,a\n2,b,c\n', "in the middle of a field"),
        (b'1,"a \\"q\\" b",c\n', "a backslash before a quote"),
        (b'1,"a" b,c\n', "text after a closing quote"),
        (b'1, "a",c\n', "in the middle of a field"),
        (b'1,a""b,c\n', "in the middle of a field"),
        (b'1,""b,c\n', "text after a closing quote"),
        (b'1,"a,b\n', "a quoted field that is not closed"),
        (b"1,a\0b\n", "a NUL byte"),
        (b"1,a\r2,b\r", "a carriage return without a newline"),
        (b'1,"a\rb"\n', "a carriage return without a newline"),
        (b"\\.\n1,a\n", r"a line that begins with \\\."),
        (b"1,a\n\\.\n2,b\n", r"a line that begins with \\\."),
    ],
)
def test_what_readers_may_take_differently_is_refused(
    content: bytes, reason: str
) -> None:
    with pytest.raises(NotClean, match=reason):
        scan([content])


def test_quotes_are_followed_across_blocks() -> None:
    assert scan([b'1,"a\n', b"still a\n", b'end"\n', b'2,"b"\n']) == 2
    with pytest.raises(NotClean, match="in the middle of a field"):
        scan([b'1,"a\n', b'2,"b"\n'])
