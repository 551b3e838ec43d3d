"""The header of a table-like file, matched with its contract.

In: the header rows as the file has them. Out: a `TableHeader`, one name per column of
the file: the contract's name for declared columns, the header's own text for others.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from include.contracts import FeedContract
from include.errors import make_printable
from include.loading.file_content import FileProblem
from include.loading.header_names import (
    clean_name,
    is_options_row,
    join_names,
    simplify_header,
)
from include.loading.text_lines import has_undecoded

SHOWN_HEADERS = 12
# A first row with fewer of the contract's headers may be no header at all.
KNOWN_HEADERS = 2
SHOWN_CHARACTERS = 60
# More than any table or sheet has: what says so has another delimiter or no newlines.
MOST_COLUMNS = 20_000


@dataclass(frozen=True, slots=True)
class HeaderLayout:
    """How many rows come before the first record, and which holds the names.

    `rename` says what its names are called today, `without` which required columns it
    lacks.
    """

    rows: int
    name_row: int
    rename: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableHeader:
    """The names of a file's columns, in file order, each once.

    `declared` and `undeclared` are positions in `names`.
    """

    names: tuple[str, ...]
    declared: tuple[int, ...]
    undeclared: tuple[int, ...]


def read_header_rows(
    contract: FeedContract,
    rows: Iterator[list[str]],
    peek: Callable[[], Sequence[str] | None] = lambda: None,
) -> TableHeader:
    """Take the header rows off `rows` and match them.

    `peek` shows the row after them, for contracts with `header_options`; it is taken
    too where it holds options, and is nothing where it cannot be read. Raises
    FileProblem when the file is empty, ends within them or lacks a required
    column.
    """
    first = next(rows, None)
    if first is None:
        raise FileProblem("the file is empty", "export it again")
    layout = choose_layout(contract, first)
    header = [first, *islice(rows, layout.rows - 1)]
    if len(header) < layout.rows:
        raise FileProblem(
            f"the file ends within its {layout.rows} header rows", "export it again"
        )
    name_row = header[layout.name_row - 1]
    matched = match_header(contract, layout, name_row)
    if contract.header_options is None:
        return matched
    below = peek()
    if below is None or not is_options_row(below, matched.declared):
        return matched
    options = next(rows)
    names = join_names(contract.header_options, name_row, options, matched.declared)
    return match_header(contract, layout, names)


def choose_layout(contract: FeedContract, first_row: Sequence[str]) -> HeaderLayout:
    """Find the shape of the header from its first row; what is told by it goes before
    what is told by the date alone."""
    first = simplify_header(first_row[0]) if first_row else ""
    for shape in sorted(contract.shapes, key=lambda shape: shape.first_header is None):
        if shape.first_header is None or simplify_header(shape.first_header) == first:
            return HeaderLayout(
                *(shape.header_rows, shape.header_name_row),
                *(shape.rename, shape.without),
            )
    return HeaderLayout(contract.header_rows, contract.header_name_row)


def trim_fields(fields: list[str]) -> list[str]:
    """Return a row without the empty fields at its end."""
    end = len(fields)
    while end and not fields[end - 1].strip():
        end -= 1
    return fields[:end]


def match_header(
    contract: FeedContract, layout: HeaderLayout, name_row: Sequence[str]
) -> TableHeader:
    """Name the columns of a file.

    A name that comes again gets `__2`, `__3` …; a column without a name is called by
    its position, `column_16`. With `plain_headers` names lose their markup
    and needless blanks. Raises FileProblem when a required column is missing, and for
    what no header is.
    """
    if len(name_row) > MOST_COLUMNS:
        raise FileProblem(
            f"the header has {len(name_row):,} columns",
            "check delimiter and header_rows in the contract, or export it again",
        )
    renamed = {simplify_header(old): new for old, new in layout.rename.items()}
    headers: list[str] = []
    taken: set[str] = set()
    repeats: Counter[str] = Counter()
    for position, cell in enumerate(name_row, start=1):
        text = clean_name(cell) if contract.plain_headers else cell.strip()
        text = text or f"column_{position}"
        text = renamed.get(simplify_header(text), text)
        if "\0" in text or has_undecoded(text):
            raise FileProblem(
                f"the name of column {position} is no text", "export it again"
            )
        unique = text
        while unique in taken:
            repeats[text] += 1
            unique = f"{text}__{repeats[text] + 1}"
        taken.add(unique)
        headers.append(unique)
    names = list(headers)
    declared = _find_declared(contract, headers)
    for position, name in declared.items():
        names[position] = name
    missing = [
        name
        for name in contract.required_columns
        if name not in declared.values() and name not in layout.without
    ]
    if missing:
        _refuse(contract, missing, headers)
    # An undeclared header may be called as a declared column that came by its alias.
    for position in range(len(names)):
        while position not in declared and names[position] in declared.values():
            names[position] += "__2"
    return TableHeader(
        names=tuple(names),
        declared=tuple(sorted(declared)),
        undeclared=tuple(i for i in range(len(names)) if i not in declared),
    )


def _find_declared(contract: FeedContract, headers: list[str]) -> dict[int, str]:
    """Return the declared columns by their position in the header.

    First those whose header is there as it is declared; then those of which just one
    other header differs in no more than `simplify_header` leaves out.
    """
    positions = {header: position for position, header in enumerate(headers)}
    declared: dict[int, str] = {}
    for column in contract.columns:
        for alias in (*column.headers, column.name):
            if alias in positions and positions[alias] not in declared:
                declared[positions[alias]] = column.name
                break
    if len(declared) == len(contract.columns):
        return declared
    alike: dict[str, list[int]] = {}
    for position, header in enumerate(headers):
        if position not in declared:
            alike.setdefault(simplify_header(header), []).append(position)
    found = set(declared.values())
    for column in contract.columns:
        if column.name in found:
            continue
        for alias in (*column.headers, column.name):
            match alike.get(simplify_header(alias)):
                case [position] if position not in declared:
                    declared[position] = column.name
                    break
    return declared


def _refuse(contract: FeedContract, missing: list[str], headers: list[str]) -> None:
    columns = {column.name: column for column in contract.columns}
    wanted = ", ".join(" or ".join(columns[name].headers) for name in missing)
    noun = "column is" if len(missing) == 1 else "columns are"
    raise FileProblem(
        f"the required {noun} missing: {wanted} ({_describe(contract, headers)})",
        "export it again with them, or change the contract",
    )


def _describe(contract: FeedContract, headers: list[str]) -> str:
    """Say what a file has; a first row that may be somebody's data is not shown."""
    text = " ".join(headers)
    known = [
        column
        for column in contract.columns
        if any(
            re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
            for name in column.headers
        )
    ]
    if len(known) < min(KNOWN_HEADERS, len(contract.columns)):
        return (
            f"the first row, of {len(headers)} fields, names no columns of the "
            "contract: perhaps the header row is missing"
        )
    shown = ", ".join(
        make_printable(header, SHOWN_CHARACTERS) for header in headers[:SHOWN_HEADERS]
    )
    more = len(headers) - SHOWN_HEADERS
    return f"the file has {shown}" + (f" and {more} more" if more > 0 else "")
