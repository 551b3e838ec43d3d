"""What is known of a new source from one of its exports: all that the drafts say.

In: an export's content, name, and the names that a person gives. Out: a `SourceDraft`
with a `ColumnDraft` for each column, and the doubts that a person must settle.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from include.contracts import PersonalData, Role
from include.new_source.column_names import name_columns, split_words
from include.new_source.date_order import DateOrder
from include.new_source.file_layout import FileLayout, find_layout
from include.new_source.header_words import (
    BIRTH,
    CHANGED,
    HAPPENED,
    ID_WORDS,
    ROLES,
    has_any,
)
from include.new_source.keys import find_key
from include.new_source.null_markers import choose_null_markers
from include.new_source.personal_data import PersonalDataGuess, classify
from include.new_source.sample_rows import ColumnTexts, Sample, read_sample
from include.new_source.value_kinds import ValueKind, guess_kind

# More columns than a raw table carries well: a row becomes one record.
MOST_PLAIN_COLUMNS = 120
# Few values are a list when each comes so often, on average.
MOST_VALUES = 20
OFTEN = 10
LONGEST_VALUE = 60


@dataclass(frozen=True)
class ColumnDraft:
    """One column: its name in raw, what it is called and what it holds."""

    name: str
    texts: ColumnTexts
    kind: ValueKind
    personal: PersonalDataGuess
    values: tuple[str, ...] = ()
    is_trimmed: bool = False
    is_key: bool = False

    @property
    def personal_data(self) -> PersonalData:
        """Its class of personal data."""
        return self.personal.personal_data


@dataclass(frozen=True)
class SourceDraft:
    """A feed of a new source, as far as one of its exports tells.

    Rows that have no key are known by their `identity`, all that these columns say.
    """

    system: str
    feed: str
    role: Role
    layout: FileLayout
    columns: tuple[ColumnDraft, ...]
    null_markers: tuple[str, ...]
    identity: tuple[ColumnDraft, ...]
    event_time: ColumnDraft | None
    rows_in_file: int
    doubts: tuple[str, ...]

    @property
    def is_json(self) -> bool:
        """Whether its records are JSON, stored as they are sent."""
        return self.layout.format in ("json", "jsonl")

    @property
    def is_wide(self) -> bool:
        """Whether it has more columns than a raw table carries well."""
        outer = sum(not column.texts.is_inner for column in self.columns)
        return outer > MOST_PLAIN_COLUMNS

    @property
    def is_record(self) -> bool:
        """Whether raw keeps each row as one JSON record."""
        return self.is_json or self.is_wide

    @property
    def date_order(self) -> DateOrder | None:
        """The order of day and month in its dates, where they prove one."""
        first = [self.event_time] if self.event_time else []
        orders = (column.kind.order for column in (*first, *self.columns))
        return next((order for order in orders if order), None)

    @property
    def key(self) -> tuple[ColumnDraft, ...]:
        """The columns of its natural key."""
        return tuple(column for column in self.columns if column.is_key)


def draft_source(
    content: bytes, file_name: str, system: str, feed: str, role: Role | None
) -> SourceDraft:
    """Look at an export and say all that is known of its feed.

    Raises WarehouseError when it cannot be read.
    """
    layout = find_layout(content, file_name)
    sample = read_sample(layout, content)
    trimmed = [_trim(column) for column in sample.columns]
    kinds = [kind for kind, _ in trimmed]
    null_markers, marker_doubts = choose_null_markers(kinds)
    outer = [
        (column, kind)
        for column, kind in zip(sample.columns, kinds, strict=True)
        if not column.is_inner
    ]
    key = find_key(sample, [column for column, _ in outer], [kind for _, kind in outer])
    chosen = {outer[position][0].header for position in key.positions}
    key_headers = set() if key.is_identity else chosen
    names = name_columns([column.header for column in sample.columns])
    columns = tuple(
        _draft_column(
            name, column, kind, is_trimmed, column.header in key_headers, sample
        )
        for name, column, (kind, is_trimmed) in zip(
            names, sample.columns, trimmed, strict=True
        )
    )
    event_time, time_doubts = _choose_event_time(columns, len(sample.rows))
    found_role = role or _guess_role(columns)
    doubts = [
        *layout.doubts,
        *(
            []
            if role
            else [f"role: {found_role}, by the words of its headers (ROLE=…)"]
        ),
        *_describe_rows(sample),
        *marker_doubts,
        *key.doubts,
        *_describe_key(columns),
        *time_doubts,
        *_describe_columns(columns),
    ]
    return SourceDraft(
        *(system, feed, found_role, layout, columns, null_markers),
        identity=tuple(
            column
            for column in columns
            if key.is_identity and column.texts.header in chosen
        ),
        event_time=event_time,
        rows_in_file=sample.rows_in_file,
        doubts=tuple(doubts),
    )


def _trim(column: ColumnTexts) -> tuple[ValueKind, bool]:
    """Find the kind of a column, if need be of its texts without blanks around them."""
    kind = guess_kind(column.texts)
    if kind.is_typed or all(text == text.strip() for text in column.texts):
        return kind, False
    stripped: dict[str, int] = {}
    for text, count in column.texts.items():
        if text.strip():
            stripped[text.strip()] = stripped.get(text.strip(), 0) + count
    trimmed = guess_kind(stripped)
    return (trimmed, True) if trimmed.is_typed else (kind, False)


def _draft_column(
    name: str,
    column: ColumnTexts,
    kind: ValueKind,
    is_trimmed: bool,
    is_key: bool,
    sample: Sample,
) -> ColumnDraft:
    personal = classify(column, kind, len(sample.rows))
    values: tuple[str, ...] = ()
    if personal.personal_data == "none" and not is_key and not column.is_inner:
        values = _list_values(column, kind, len(sample.rows))
    return ColumnDraft(name, column, kind, personal, values, is_trimmed, is_key)


def _list_values(column: ColumnTexts, kind: ValueKind, rows: int) -> tuple[str, ...]:
    """Return all values of a column that has few, which come again and again."""
    real = [text for text in column.texts if text not in kind.nulls]
    is_listed = kind.kind in ("text", "yes_or_no") and 1 < len(real) <= MOST_VALUES
    is_often = is_listed and rows >= OFTEN * len(real)
    is_short = all(len(text) <= LONGEST_VALUE for text in real)
    return tuple(sorted(real)) if is_often and is_short else ()


def _choose_event_time(
    columns: Sequence[ColumnDraft], rows: int
) -> tuple[ColumnDraft | None, list[str]]:
    """Choose the column that says when a row happened, or last changed."""
    times = [
        column
        for column in columns
        if column.kind.is_time
        and not column.texts.is_inner
        and column.texts.texts.total() >= 0.99 * rows
        and not has_any(split_words(column.texts.header), BIRTH)
    ]
    if not times:
        return None, [
            "event_time: no column of readable times is filled in every row: rows are"
            " dated by the night that brings them"
        ]

    def rank(column: ColumnDraft) -> tuple[bool, bool]:
        words = split_words(column.texts.header)
        return not has_any(words, CHANGED), not has_any(words, HAPPENED)

    chosen = min(times, key=rank)
    doubts = []
    if len(times) > 1:
        others = ", ".join(time.name for time in times if time is not chosen)
        doubts.append(f"event_time: {chosen.name}; it could be {others}")
    if not chosen.kind.has_offset and "timestamp" in chosen.kind.kind:
        doubts.append(
            "time_zone: the times do not say their zone, UTC was taken: ask the vendor"
        )
    return chosen, doubts


def _guess_role(columns: Sequence[ColumnDraft]) -> Role:
    words = [word for column in columns for word in split_words(column.texts.header)]
    counts = {role: sum(words.count(word) for word in wanted) for role, wanted in ROLES}
    best = max(counts.values())
    return (
        next(role for role, count in counts.items() if count == best) if best else "crm"
    )


def _describe_rows(sample: Sample) -> list[str]:
    said = []
    if sample.rejects:
        reasons = "; ".join(
            f"{reason} ({count:,})" for reason, count in sample.rejects.most_common(3)
        )
        said.append(
            f"rows: {sample.rejects.total():,} of {sample.rows_in_file:,} cannot be"
            f" read: {reasons}. They go to audit.rejects; if they are right, the"
            " delimiter or the header is wrong"
        )
    if sample.rows_in_file > len(sample.rows) + sample.rejects.total():
        said.append(f"rows: only the first {len(sample.rows):,} were looked at")
    if len(sample.rows) < 100:
        said.append(
            f"rows: there are only {len(sample.rows)}: take a larger export if you can"
        )
    return said


def _describe_key(columns: Sequence[ColumnDraft]) -> list[str]:
    return [
        f"natural_key: {column.name} is personal data, and keys reach staging: take"
        " another if there is one"
        for column in columns
        if column.is_key and column.personal_data in ("contact", "free_text")
    ]


def _describe_columns(columns: Sequence[ColumnDraft]) -> list[str]:
    said = [
        f"{column.name}: {doubt}"
        for column in columns
        if column.personal_data == "none"
        for doubt in column.kind.doubts
    ]
    empty = [column.name for column in columns if _is_empty(column)]
    if empty:
        said.append(
            f"{', '.join(empty)}: empty in every row, so nothing is known of them"
        )
    by_reason: dict[str, list[str]] = {}
    for column in columns:
        if column.personal_data != "none":
            reason = f"{column.personal_data}, by {column.personal.reason}"
            by_reason.setdefault(reason, []).append(column.name)
    said += [
        f"personal data ({reason}): {', '.join(names)}"
        for reason, names in by_reason.items()
    ]
    return said


def _is_empty(column: ColumnDraft) -> bool:
    return column.kind.kind == "empty" and not column.texts.nested


def is_number_of_record(column: ColumnDraft) -> bool:
    """Tell an id, which stays text and may link records, from what people say."""
    return has_any(split_words(column.texts.header), ID_WORDS)
