"""Which of the first rows of a table are its header, and which of them has the names.

In: the first rows, as cells. Out: a `HeaderGuess`. Data begins where the columns that
hold numbers or dates all the way down begin to do so; what stands above is header: a
title, the names, a second row of names, descriptions.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.errors import WarehouseError
from include.new_source.value_kinds import Kind, guess_kind, is_null_word

# Nobody puts more above the names.
MOST_ROWS = 15
# A column tells where data begins when so many of its rows are filled.
FILLED = 0.8
# The names are in the first row that is filled half as well as the best.
NAMED = 0.5
NOT_TELLING = ("empty", "text", "boolean", "yes_or_no")
NUMBERS = ("integer", "number", "comma_number")


@dataclass(frozen=True)
class HeaderGuess:
    """How many rows come before the data, and which, from 1, holds the names."""

    rows: int
    name_row: int
    doubts: tuple[str, ...] = ()


def find_header(rows: Sequence[Sequence[str]]) -> HeaderGuess:
    """Find the header in the first rows of a file.

    Raises WarehouseError: no row is a header.
    """
    width = max(len(row) for row in rows)
    body = rows[min(MOST_ROWS, len(rows) // 2) :]
    kinds = {position: _find_kind(body, position) for position in range(width)}
    telling = {place: kind for place, kind in kinds.items() if kind is not None}
    candidates = rows[:MOST_ROWS]
    if not telling:
        return _find_by_width(candidates)
    header = next(
        (place for place, row in enumerate(candidates) if _is_data(row, telling)),
        len(candidates),
    )
    if header == 0:
        raise WarehouseError(
            "The first row seems to be data: the file has no row with the names of its"
            " columns; have it exported with one."
        )
    name_row = _find_names(rows[:header])
    doubts = []
    if header > 1:
        doubts.append(
            f"header: {header} rows come before the data, and the names were taken from"
            f" row {name_row}: check header_rows and header_name_row"
        )
    return HeaderGuess(header, name_row, tuple(doubts))


def _find_kind(body: Sequence[Sequence[str]], position: int) -> Kind | None:
    """Return the kind of a column that holds numbers or dates nearly everywhere."""
    cells = [row[position].strip() for row in body if position < len(row)]
    values = Counter(cell for cell in cells if not is_null_word(cell))
    if values.total() < FILLED * len(body):
        return None
    kind = guess_kind(values).kind
    return None if kind in NOT_TELLING else kind


def _is_data(row: Sequence[str], telling: Mapping[int, Kind]) -> bool:
    """Tell whether half of the telling cells of a row are as those below."""
    cells = {place: row[place].strip() for place in telling if place < len(row)}
    fitting = sum(
        (found := guess_kind({cell: 1}).kind) == telling[place]
        or (found in NUMBERS and telling[place] in NUMBERS)
        for place, cell in cells.items()
        if not is_null_word(cell)
    )
    return fitting >= len(telling) * NAMED


def _find_names(rows: Sequence[Sequence[str]]) -> int:
    """Return the first row, from 1, that is well filled; names are no dates."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    good = [
        number
        for number, count in enumerate(filled, start=1)
        if count >= max(filled) * NAMED
    ]
    return next((row for row in good if not _has_dates(rows[row - 1])), good[0])


def _has_dates(row: Sequence[str]) -> bool:
    kinds = (guess_kind({cell.strip(): 1}).kind for cell in row)
    return any("date" in kind or "timestamp" in kind for kind in kinds)


def _find_by_width(rows: Sequence[Sequence[str]]) -> HeaderGuess:
    """Take the first well filled row of a table that is all text."""
    row = _find_names(rows)
    return HeaderGuess(
        row,
        row,
        (
            f"header: no column holds numbers or dates, so row {row}, the first that is"
            " well filled, was taken for the names",
        ),
    )
