"""What every reader of files hands to the loader: batches of rows and rejects."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

BATCH_CHARACTERS = 1 << 20
BATCH_ROWS = 10_000

# Values of one raw row, in the order of FileRows.columns; None is null.
Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read: where, why, and what it looked like."""

    row_number: int
    reason: str
    raw_text: str


@dataclass(slots=True)
class Batch:
    """Some rows and rejects of a file, small enough for memory."""

    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    characters: int = 0

    @property
    def is_full(self) -> bool:
        """Whether it is time to write it away."""
        count = len(self.rows) + len(self.rejects)
        return self.characters >= BATCH_CHARACTERS or count >= BATCH_ROWS


@dataclass(slots=True)
class FileRows:
    """The rows of one file.

    `columns` are the raw columns that each row fills, `_row_number` first; `drift`
    counts the filled values of each undeclared column and is complete at the end.
    """

    columns: tuple[str, ...]
    batches: Iterator[Batch]
    drift: Counter[str]


def make_storable(text: str) -> str:
    """Write what a database text cannot hold (NUL, undecodable bytes) as \\xNN."""
    text = text.replace("\0", "\\x00")
    if text.isascii():
        return text
    # Undecodable bytes were kept as lone surrogates U+DC80..U+DCFF.
    encoded = text.encode("utf-8", "surrogateescape")
    return encoded.decode("utf-8", "backslashreplace")
