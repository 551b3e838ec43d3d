"""What every reader of files hands to the loader: batches of rows and rejects."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

BATCH_CHARACTERS = 1 << 20
BATCH_ROWS = 10_000

# Values of one raw row, in the order of FileRows.columns; None is null.
Row = Sequence[object]
# A record as the file has it: its text, or its cells.
Source = str | Sequence[object]
# What is kept of it: nothing is lost.
Kept = bytes


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read: where, why, and what it looked like.

    `raw_text` is for people; out of `raw_bytes` it can be read again. After a malformed
    record nobody knows where the next one begins.
    """

    row_number: int
    reason: str
    raw_text: str
    raw_bytes: Kept
    is_malformed: bool = False


# From a record's number, the reason and the record.
RejectMaker = Callable[[int, str, Source], Reject]


@dataclass(slots=True)
class Batch:
    """Some rows and rejects of a file, small enough for memory."""

    rows: list[Row] = field(default_factory=list)
    # The record of each row, for the case that the database refuses it.
    sources: list[Source] = field(default_factory=list)
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
    counts the filled values of each undeclared column and is complete at the end;
    `header` holds the header rows of a table-like file, kept as rejects are.
    """

    columns: tuple[str, ...]
    batches: Iterator[Batch]
    drift: Counter[str]
    make_reject: RejectMaker
    header: Kept | None = None


def make_storable(text: str) -> str:
    """Write what a database text cannot hold (NUL, undecodable bytes) as \\xNN."""
    text = text.replace("\0", "\\x00")
    if text.isascii():
        return text
    # Undecodable bytes were kept as lone surrogates U+DC80..U+DCFF.
    encoded = text.encode("utf-8", "surrogateescape")
    return encoded.decode("utf-8", "backslashreplace")
