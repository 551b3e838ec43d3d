"""By which columns a row is known again: candidates for the natural key.

In: the columns, their kinds, and the rows of a sample. Out: a `KeyGuess`. One column
that never repeats is best, and one that is called a number or id; else two or more
columns together; else those that come nearest, with how many rows they confuse.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from include.new_source.column_names import split_words
from include.new_source.header_words import ID_WORDS, STAFF, has_any
from include.new_source.sample_rows import ColumnTexts, Sample
from include.new_source.value_kinds import ValueKind

# A key is indexed: longer texts are none.
LONGEST_KEY = 100
MOST_COLUMNS = 4
BEST_NAMES = (["id"], ["number"], ["key"], ["uuid"])
NOT_KEYS = ("empty", "number", "comma_number", "boolean", "yes_or_no")
# A key that confuses fewer rows is one, with repeated rows.
FEW_REPEATS = 0.001
MANY_REPEATS = 0.05
# Columns that a row without a key is known by.
MOST_IDENTITY = 20


@dataclass(frozen=True)
class KeyGuess:
    """Positions (in the rows of the sample) of a key's columns, and what is unsure.

    With `is_identity` rows have no key: they are known by all that those columns say.
    """

    positions: tuple[int, ...]
    doubts: tuple[str, ...] = ()
    is_identity: bool = False


@dataclass(frozen=True)
class _Column:
    position: int
    header: str
    distinct: int
    is_named: bool
    is_number: bool


def find_key(
    sample: Sample, columns: Sequence[ColumnTexts], kinds: Sequence[ValueKind]
) -> KeyGuess:
    """Find the natural key of a sample's rows.

    Parameters
    ----------
    columns, kinds : the outer columns, in the order of the rows' texts
    """
    usable = list(_list_usable(sample, columns, kinds))
    if not usable:
        return _describe_identity(columns)
    rows = len(sample.rows)
    single = [column for column in usable if column.distinct == rows]
    if single:
        return _describe_single(single, rows)
    # The best column, and then each time the one that tells most further rows apart.
    nearest: tuple[int, ...] = ()
    repeats = rows
    while len(nearest) < MOST_COLUMNS and repeats > rows * FEW_REPEATS:
        tried = {
            (*nearest, column.position): rows
            - _count_distinct(sample, (*nearest, column.position))
            for column in (usable if nearest else usable[:1])
            if column.position not in nearest
        }
        if not tried or min(tried.values()) == repeats:
            break
        nearest = min(tried, key=lambda positions: tried[positions])
        repeats = tried[nearest]
    if repeats > rows * MANY_REPEATS:
        return _describe_identity(columns)
    headers = {column.position: column.header for column in usable}
    named = " + ".join(headers[position] for position in nearest)
    if repeats:
        doubt = (
            f"natural_key: nothing tells all rows apart; {named} comes nearest and"
            f" {repeats:,} of {rows:,} rows repeat one: of equal keys the last"
            " row holds, so make sure that is meant"
        )
    else:
        doubt = f"natural_key: no single column tells the rows apart, {named} do"
    return KeyGuess(nearest, (doubt,))


def _list_usable(
    sample: Sample, columns: Sequence[ColumnTexts], kinds: Sequence[ValueKind]
) -> Iterator[_Column]:
    """Yield the columns that may be part of a key, the best first."""
    found = []
    for position, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
        is_filled = all(row[position] is not None for row in sample.rows)
        if (
            not is_filled
            or column.nested
            or kind.kind in NOT_KEYS
            or max(map(len, column.texts), default=0) > LONGEST_KEY
            or any("\n" in text for text in column.texts)
        ):
            continue
        found.append(
            _Column(
                *(position, column.header, len(column.texts)),
                is_named=has_any(split_words(column.header), ID_WORDS),
                is_number=not kind.is_time,
            )
        )
    yield from sorted(
        found,
        key=lambda column: (
            split_words(column.header) not in BEST_NAMES,
            not column.is_named,
            has_any(split_words(column.header), STAFF),
            not column.is_number,
            -column.distinct,
            column.position,
        ),
    )


def _describe_single(single: Sequence[_Column], rows: int) -> KeyGuess:
    first, *others = single
    doubts = []
    if others:
        named = ", ".join(column.header for column in others)
        doubts.append(
            f"natural_key: {first.header} tells all rows apart; so would {named}"
        )
    if not first.is_named:
        doubts.append(
            f"natural_key: {first.header} repeats in none of the {rows:,} rows, but its"
            " name does not say that it is a number of the record"
        )
    return KeyGuess((first.position,), tuple(doubts))


def _describe_identity(columns: Sequence[ColumnTexts]) -> KeyGuess:
    """Take all that rows say for what they are known by."""
    filled = [place for place, column in enumerate(columns) if column.texts]
    return KeyGuess(
        tuple(filled[:MOST_IDENTITY]),
        (
            "natural_key: nothing tells the rows apart: have it exported with the"
            " number of the record. Until then a row is known by all that it says"
            " (identity_of): take out what may change",
        ),
        is_identity=True,
    )


def _count_distinct(sample: Sample, positions: tuple[int, ...]) -> int:
    return len({tuple(row[place] for place in positions) for row in sample.rows})
