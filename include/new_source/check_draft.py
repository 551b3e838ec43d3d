"""The draft of a test: rows made up in an export's form, and what becomes of them.

In: a `SourceDraft`. Out: Python for tests/staging. No value of the export is in it.
"""

import json
from dataclasses import dataclass
from typing import Any

from include.new_source.contract_draft import list_declared
from include.new_source.source_draft import ColumnDraft, SourceDraft
from include.new_source.staging_draft import StagedColumn, list_required, list_staged

WIDEST_LINE = 88

HEAD = '''"""What staging makes of the exports of {feed}: rows made up in their form.

A draft: add the rows that could go wrong.
"""

{imports}from tests.staging.stage_world import Stage

FEED = "{feed}"
# As an export writes it; nothing of it is anybody's.
ROW = {row}
STAGED = {staged}


def test_a_row_is_read_as_its_contract_says(stage: Stage) -> None:
    [staged] = stage(FEED, [ROW])
    assert {{name: staged[name] for name in STAGED}} == STAGED
    assert not staged["is_quarantined"], staged["quarantine_reason"]
'''
UNREADABLE = """

def test_a_row_of_unreadable_{name}_is_kept_aside(
    stage: Stage,
) -> None:
    [staged] = stage(FEED, [ROW | {broken}])
    assert staged["quarantine_reason"] == "{name} cannot be read"
"""
MISSING = """

def test_a_row_without_{name}_is_kept_aside(
    stage: Stage,
) -> None:
    [staged] = stage(FEED, [ROW | {broken}])
    assert staged["quarantine_reason"] == "{name} is missing"
"""


@dataclass(frozen=True)
class Invented:
    """A value as an export would write it, and the Python that staging's equals."""

    sent: Any
    staged: str


def write_check(draft: SourceDraft) -> str:
    """Write the tests of a feed's staging view."""
    staged = list_staged(draft)
    invented = {id(column): _invent(draft, column) for column in draft.columns}
    row: dict[str, Any] = {}
    wanted = {id(column) for column in list_declared(draft)}
    wanted |= {id(column.draft) for column in staged}
    for column in draft.columns:
        if id(column) in wanted and not column.texts.nested:
            _put(row, draft, column, invented[id(column)].sent)
    expected = {
        column.name: _expect(column, invented[id(column.draft)]) for column in staged
    }
    text = HEAD.format(
        feed=f"{draft.system}.{draft.feed}",
        imports=_write_imports(expected),
        row=_write_value(row, room=0),
        staged="".join(
            [
                "{\n",
                *(f'    "{name}": {value},\n' for name, value in expected.items()),
                "}",
            ]
        ),
    )
    for required in list_required(draft):
        broken: dict[str, Any] = {}
        can_be_unread = required.sent is not None
        if can_be_unread:
            _put(broken, draft, required.draft, "in no known form")
            template = UNREADABLE
        elif not draft.is_json:
            _put(broken, draft, required.draft, "")
            template = MISSING
        else:
            # Without it the record is a reject, and no row.
            continue
        text += template.format(name=required.name, broken=_write_value(broken))
    is_wide = any(len(line) > WIDEST_LINE for line in text.splitlines())
    return f"# ruff: noqa: E501\n{text}" if is_wide else text


def _invent(draft: SourceDraft, column: ColumnDraft) -> Invented:
    """Make up a value of a column's kind."""
    kind = column.kind
    match kind.kind:
        case "integer":
            return Invented("12", "12")
        case "number":
            return Invented("12.5", 'Decimal("12.5")')
        case "comma_number":
            return Invented("1.234,5", 'Decimal("1234.5")')
        case "boolean":
            word = _pick(column, ("true", "yes"))
            return Invented(True if draft.is_json else word, "True")
        case "yes_or_no" if kind.words:
            return Invented(kind.words[0], "True")
        case "date":
            return Invented("2025-12-31", "date(2025, 12, 31)")
        case "timestamp":
            zone = "Z" if kind.has_offset else ""
            staged = "datetime(2025, 12, 31, 10, 20, 30, tzinfo=UTC)"
            return Invented(f"2025-12-31T10:20:30{zone}", staged)
        case "year_first":
            staged = "datetime(2025, 12, 31, 10, 20, tzinfo=UTC)"
            return Invented("2025/12/31 10:20", staged)
        case "local_date" | "local_timestamp":
            return _invent_local(column)
    if column.values:
        return Invented(column.values[0], _quote(column.values[0]))
    if column.personal_data == "contact":
        return Invented("invented@example.com", '"invented@example.com"')
    return Invented(f"{column.name} 1", f'"{column.name} 1"')


def _invent_local(column: ColumnDraft) -> Invented:
    texts = list(column.texts.texts)
    sign = next((sign for sign in "/.-" if any(sign in text for text in texts)), "/")
    numbers = ("12", "31") if column.kind.order == "MDY" else ("31", "12")
    sent = sign.join((*numbers, "2025"))
    if column.kind.kind == "local_date":
        staged = "date(2025, 12, 31)"
    else:
        sent += " 10:20"
        staged = "datetime(2025, 12, 31, 10, 20, tzinfo=UTC)"
    return Invented(sent, staged if column.kind.order else _quote(sent))


def _expect(column: StagedColumn, invented: Invented) -> str:
    """Return what the view holds; text where it is not parsed."""
    if column.draft.personal_data == "free_text":
        return "True"
    if column.sent is None:
        return _quote(str(invented.sent))
    return invented.staged


def _pick(column: ColumnDraft, words: tuple[str, ...]) -> str:
    """Return the word that the export writes for true, as it writes it."""
    return next(
        (text for text in column.texts.texts if text.strip().lower() in words), words[0]
    )


def _put(
    row: dict[str, Any], draft: SourceDraft, column: ColumnDraft, value: Any
) -> None:
    """Put a value where the export has it."""
    path = column.texts.path if draft.is_json else (column.texts.header,)
    for name in path[:-1]:
        row = row.setdefault(name, {})
    row[path[-1]] = value


def _write_imports(expected: dict[str, str]) -> str:
    text = " ".join(expected.values())
    names = []
    if "datetime(" in text:
        names += ["UTC"]
    if "date(" in text.replace("datetime(", ""):
        names += ["date"]
    if "datetime(" in text:
        names += ["datetime"]
    lines = []
    if names:
        lines.append(f"from datetime import {', '.join(names)}\n")
    if "Decimal(" in text:
        lines.append("from decimal import Decimal\n")
    return "".join([*lines, "\n"]) if lines else ""


def _write_value(value: Any, indent: str = "", room: int = WIDEST_LINE) -> str:
    """Write a value as Python; a row that does not fit in `room` a field a line."""
    if not isinstance(value, dict):
        return _quote(value) if isinstance(value, str) else repr(value)
    parts = [f"{_quote(name)}: {_write_value(part)}" for name, part in value.items()]
    line = f"{{{', '.join(parts)}}}"
    if len(line) <= room:
        return line
    inner = f"{indent}    "
    lines = []
    for name, part in value.items():
        start = f"{inner}{_quote(name)}: "
        written = _write_value(part, inner, WIDEST_LINE - len(start) - 1)
        lines.append(f"{start}{written},\n")
    return "".join(["{\n", *lines, indent, "}"])


def _quote(text: str) -> str:
    """Write text as Python, in the quotes that it does not hold."""
    if '"' in text and not set(text) & set("'\\\n"):
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)
