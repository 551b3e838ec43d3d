"""JSON pages that break off, and records that no database takes."""

import json

import pytest

from tests.include.loading.bad_exports.bad_night import BadExport, BadNight

PAGE = {"format": "json", "record_path": "orders", "storage": "record"}
LINES = {"format": "jsonl", "storage": "record"}


def page(case: str, content: str | bytes, **expected: object) -> BadExport:
    return BadExport(case, content, "orders.json", PAGE, **expected)  # type: ignore[arg-type]


def lines(case: str, content: str | bytes, **expected: object) -> BadExport:
    return BadExport(case, content, "orders.jsonl", LINES, **expected)  # type: ignore[arg-type]


def among(case: str, record: str, reason: str) -> BadExport:
    """Put a bad record between two good ones: it alone is rejected."""
    content = f'{{"orders": [{{"id": 1}}, {record}, {{"id": 3}}]}}'
    return page(case, content, loaded=("1", "3"), rejected={2: reason})


HALF = "the page is half-written: it breaks off before its end; transfer it again, or"
DEEP = "[" * 500_000
CASES = [
    page(
        "a page that breaks off within a record",
        '{"orders": [{"id": 1}, {"id": 2',
        refused=f"row 2: {HALF} fetch it again from the vendor.",
    ),
    page(
        "a page that breaks off between records", '{"orders": [{"id": 1},', refused=HALF
    ),
    page("a page that breaks off in a string", '{"orders": [{"id": "a', refused=HALF),
    page(
        "an answer that says what went wrong",
        '{"error": "RecordNotFound"}',
        refused="the page has no orders (it has error); fetch the page again, or change"
        " record_path in the contract.",
    ),
    page(
        "the page of an error instead of a page of records",
        "<html><body>502 Bad Gateway</body></html>",
        refused="the page has no orders (it begins with '<'); fetch the page again",
    ),
    page("a list instead of an object", '[{"id": 1}]', refused="it begins with '['"),
    page("an object of nothing", "{}", refused="(it has no fields)"),
    page("nothing but blanks", " \n\t ", refused="the file is empty"),
    page("records that are no list", '{"orders": {"id": 1}}', refused="is no list of"),
    page("records that are null", '{"orders": null}', refused="is no list of"),
    page(
        "two pages in one file",
        '{"orders": [{"id": 1}]}\n{"orders": [{"id": 2}]}',
        refused="there is text after the end of the page",
    ),
    page(
        "a comma after the last record",
        '{"orders": [{"id": 1},]}',
        refused="the page cannot be read: a comma stands before ']'",
    ),
    page(
        "no comma between records",
        '{"orders": [{"id": 1} {"id": 2}]}',
        refused="'{' stands where ',' should",
    ),
    page(
        "single quotes",
        "{'orders': [{'id': 1}]}",
        refused='"\'" stands where a name should',
    ),
    page(
        "a comment",
        '{/* all of them */ "orders": []}',
        refused="'/' stands where a name should",
    ),
    page(
        "names without quotes",
        '{"orders": [{id: 1}]}',
        refused="it is no valid JSON (Expecting property name",
    ),
    page(
        "a number that begins with zero",
        '{"orders": [{"id": 01}]}',
        refused="it is no valid JSON (Expecting ',' delimiter)",
    ),
    page(
        "lists in lists without end",
        f'{{"orders": [{{"id": 1}}, {DEEP}',
        refused="the page cannot be read: it is nested too deep",
    ),
    page(
        "a name with a NUL and half a pair in it",
        '{"a\\u0000b\\ud800": 1}',
        refused=r"the page has no orders (it has a\x00b\ud800)",
    ),
    page(
        "three thousand names",
        json.dumps({f"name {number}": 0 for number in range(3_000)}),
        refused="name 10, name 11); fetch",
    ),
    page(
        "UTF-16 where the contract says UTF-8",
        '{"orders": []}'.encode("utf-16"),
        refused="the bytes are UTF-16",
    ),
    page("no record", '{"orders": []}'),
    page("a byte order mark", b'\xef\xbb\xbf{"orders": [{"id": 1}]}', loaded=("1",)),
    page(
        "two lists of records",
        '{"orders": [{"id": 1}], "next": null, "orders": [{"id": 2}]}',
        loaded=("1", "2"),
    ),
    among("a name that comes twice", '{"id": 2, "id": 4}', "the field id comes twice"),
    among(
        "a name that comes twice further in",
        '{"id": 2, "via": [{"a\\u0000": 1, "a\\u0000": 1}]}',
        r"the field a\x00 comes twice",
    ),
    among("NaN", '{"id": 2, "x": NaN}', "a number that is not finite (NaN)"),
    among("infinity", '{"id": 2, "x": -Infinity}', "a number that is not finite"),
    among("an exponent beyond all", '{"id": 2, "x": 1e999999}', "larger than the data"),
    among(
        "an exponent of six thousand digits",
        f'{{"id": 2, "x": 1e{"9" * 6_000}}}',
        "a number larger than the database can hold",
    ),
    among(
        "a number of 140,000 digits",
        f'{{"id": 2, "x": {"1" * 140_000}}}',
        "the database refuses it",
    ),
    among("an escaped NUL", '{"id": 2, "x": "a\\u0000"}', "a NUL character"),
    among("half a surrogate pair", '{"id": 2, "x": "\\ud800"}', "half of a surrogate"),
    among("a control character", '{"id": 2, "x": "a\x01"}', "a control character"),
    among("a record that is a number", "17", "the record is not an object"),
    among("a record that is null", "null", "the record is not an object"),
    among("a record that is a list", '[{"id": 2}]', "the record is not an object"),
    among("a record without its key", '{"ID": 2}', "the required field id is missing"),
    among(
        "deep lists around an escaped NUL",
        f'{{"id": 2, "x": {"[" * 900}"\\u0000"{"]" * 900}}}',
        "a NUL character",
    ),
    lines(
        "lines of all kinds",
        '{"id": 1}\n\n{"id": \n[2]\r\n{"id": 3} x\n{"id": 4}\n',
        loaded=("1", "4"),
        rejected={2: "no JSON", 3: "not an object", 4: "text after the record"},
    ),
    lines(
        "a line that is nested too deep",
        f'{{"id": 1}}\n{{"id": 2, "x": {DEEP}\n{{"id": 3}}\n',
        loaded=("1", "3"),
        rejected={2: "JSON that is nested too deep"},
    ),
    lines(
        "a line of five million characters",
        f'{{"id": 1}}\n{{"id": 2, "x": "{"x" * 5_000_000}"}}\n{{"id": 3}}\n',
        loaded=("1", "3"),
        rejected={2: "a record longer than 4 million characters"},
    ),
    lines(
        "a last line that was cut off",
        '{"id": 1}\n{"id": 2, "na',
        refused="row 2: the file is half-written",
    ),
    lines(
        "CSV instead of lines of JSON",
        "id,name\n1,Ana\n",
        rejected={1: "no JSON", 2: ""},
    ),
    lines("no line", "\n\n", refused="the file is empty"),
]


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_json_that_is_not_as_it_should_be(bad_night: BadNight, bad: BadExport) -> None:
    bad_night.check(bad)
