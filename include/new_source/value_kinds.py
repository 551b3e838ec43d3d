"""What kind of values a column holds, told from its texts alone.

In: the distinct texts of a column, with how often each comes. Out: a `ValueKind` whose
type a staging view can read by the macros of dbt_project/macros/parsing.sql, or `text`
with the reason. Nothing is guessed where two readings fit: the order of day and month,
a point or comma that could stand between thousands, are said and left for a person.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from include.new_source.date_order import DateOrder, find_date_order

Kind = Literal[
    "empty",
    "text",
    "integer",
    "number",
    "comma_number",
    "boolean",
    "yes_or_no",
    "date",
    "timestamp",
    "year_first",
    "local_date",
    "local_timestamp",
]

# What vendors write where nothing is; proposed as null markers only beside typed
# values, or in several columns (include/new_source/null_markers.py).
NULL_WORDS = frozenset(
    {"?", "-", "--", "n/a", "na", "#n/a", "null", "(null)", "none", "nan", "nil", "\\n"}
    | {"n/d", "nd", "s/d", "não informado", "no disponible", "undefined"}
)
# A column is of a kind when so many of its values are; the others are said.
SHARE = 0.98

INTEGER = re.compile(r"[+-]?\d{1,18}")
CODE = re.compile(r"0\d+|\d{16,}")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
COMMA_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?")
THOUSANDS_OR_DECIMALS = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}")
GROUPED_NUMBER = re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?")
SIGN = r"(R\$|€|\$|£|lei|RON|EUR|BRL|USD|%)"
MONEY = re.compile(rf"{SIGN}\s?[+-]?[\d.,]+|[+-]?[\d.,]+\s?{SIGN}", re.IGNORECASE)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TIMESTAMP = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?"
)
OFFSET = re.compile(r".{16,}(Z|[+-]\d{2}:?\d{2})")
YEAR_FIRST = re.compile(
    r"\d{4}(/\d{1,2}/|\.\d{1,2}\.|-\d{1,2}-)\d{1,2}"
    r"([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?"
    r"( ?(GMT|UTC)([+-]\d{1,2}(:?\d{2})?)?)?)?"
)
LOCAL_DATE = re.compile(r"\d{1,2}([/.-])\d{1,2}\1\d{4}")
LOCAL_TIMESTAMP = re.compile(
    LOCAL_DATE.pattern + r"([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?)?"
)
OTHER_DATES = (
    (re.compile(r"\d{1,2}([/.-])\d{1,2}\1\d{2}( .*)?"), "years of two digits"),
    (re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])"), "dates as 20260131"),
    (
        re.compile(r"\d{1,2}[ -](de )?[^\W\d]{3,}\.?[ -](de )?\d{2,4}( .*)?"),
        "month names",
    ),
    (
        re.compile(r"1[0-9]{9}(\d{3})?(\.\d+)?"),
        "perhaps seconds or milliseconds since 1970",
    ),
)
TRUE_WORDS = {"true", "yes"}
FALSE_WORDS = {"false", "no"}
# Pairs of words of other languages: what is true, what is false.
YES_AND_NO = (
    *(("sim", "não"), ("sim", "nao"), ("s", "n"), ("si", "no"), ("sí", "no")),
    *(("da", "nu"), ("y", "n"), ("oui", "non"), ("ja", "nein")),
    *(("verdadeiro", "falso"), ("verdadero", "falso")),
)


@dataclass(frozen=True)
class ValueKind:
    """What a column's values are.

    `order` is that of local dates, None where a person must decide; `words` what is
    true and what is false; `nulls` are words among the values that stand for nothing.
    """

    kind: Kind
    order: DateOrder | None = None
    words: tuple[str, str] | None = None
    has_offset: bool = False
    nulls: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def is_time(self) -> bool:
        """Whether a staging view reads it as a date or a time."""
        if self.kind in ("local_date", "local_timestamp"):
            return self.order is not None
        return self.kind in ("date", "timestamp", "year_first")

    @property
    def is_typed(self) -> bool:
        """Whether it is more than text."""
        return self.kind not in ("empty", "text")


def guess_kind(values: Mapping[str, int]) -> ValueKind:
    """Find the kind of a column from its distinct texts and their counts."""
    nulls = tuple(sorted(text for text in values if is_null_word(text)))
    real = Counter({text: n for text, n in values.items() if text not in nulls})
    if not real:
        return ValueKind("empty", nulls=nulls)
    for guess in (_guess_boolean, _guess_time, _guess_number):
        if found := guess(real):
            return ValueKind(
                *(found.kind, found.order, found.words, found.has_offset),
                nulls=nulls,
                doubts=found.doubts,
            )
    return ValueKind("text", nulls=nulls, doubts=_describe_unread(real))


def is_null_word(text: str) -> bool:
    """Tell whether a text may stand for nothing: a blank, or a word such as N/A."""
    return not text.strip() or text.strip().lower() in NULL_WORDS


def _guess_boolean(values: Counter[str]) -> ValueKind | None:
    words = {text.lower() for text in values}
    if words <= TRUE_WORDS | FALSE_WORDS and words & TRUE_WORDS and words & FALSE_WORDS:
        return ValueKind("boolean")
    if words in ({"true"}, {"false"}):
        return ValueKind("boolean")
    for yes, no in YES_AND_NO:
        if words == {yes, no}:
            return ValueKind("yes_or_no", words=(yes, no))
    return None


def _guess_time(values: Counter[str]) -> ValueKind | None:
    for kind, pattern in (("date", DATE), ("timestamp", TIMESTAMP)):
        doubts = _describe_others(values, pattern, f"no {kind}")
        if doubts is not None:
            swapped = find_date_order(values, "ISO").doubts if kind == "date" else ()
            offsets = [text for text in values if OFFSET.fullmatch(text)]
            has_offset = kind == "timestamp" and len(offsets) > len(values) / 2
            return ValueKind(
                "date" if kind == "date" else "timestamp",
                has_offset=has_offset,
                doubts=(*doubts, *swapped),
            )
    doubts = _describe_others(values, YEAR_FIRST, "no date")
    if doubts is not None:
        return ValueKind("year_first", doubts=doubts)
    for local, pattern in (
        ("local_date", LOCAL_DATE),
        ("local_timestamp", LOCAL_TIMESTAMP),
    ):
        doubts = _describe_others(values, pattern, "no date")
        if doubts is not None:
            order = find_date_order(
                {text: n for text, n in values.items() if pattern.fullmatch(text)}
            )
            return ValueKind(
                "local_date" if local == "local_date" else "local_timestamp",
                order=order.order,
                doubts=(*doubts, *order.doubts),
            )
    return None


def _guess_number(values: Counter[str]) -> ValueKind | None:
    if any(CODE.fullmatch(text) for text in values):
        # Numbers that begin with 0 or are very long are names of things.
        return None
    doubts = _describe_others(values, INTEGER, "no number")
    if doubts is not None:
        return ValueKind("integer", doubts=(*doubts, *_describe_unread(values)))
    separators = {
        match[1] for text in values if (match := THOUSANDS_OR_DECIMALS.fullmatch(text))
    }
    plain = [text for text in values if not set(text) & {".", ","}]
    grouped = [text for text in values if THOUSANDS_OR_DECIMALS.fullmatch(text)]
    if separators and len(plain) + len(grouped) == len(values):
        sign = "point" if separators == {"."} else "comma"
        return ValueKind(
            "text",
            doubts=(
                f"the {sign} in its numbers may stand between thousands or before"
                " decimals, every value fits both: decide, and read it by parse_number"
                " or parse_comma_number",
            ),
        )
    for kind, pattern in (("number", NUMBER), ("comma_number", COMMA_NUMBER)):
        doubts = _describe_others(values, pattern, "no number")
        if doubts is not None:
            return ValueKind(
                "number" if kind == "number" else "comma_number", doubts=doubts
            )
    return None


def _describe_others(
    values: Counter[str], pattern: re.Pattern[str], otherwise: str
) -> tuple[str, ...] | None:
    """Say what does not fit a pattern that nearly all values fit, else return None."""
    others = sum(n for text, n in values.items() if not pattern.fullmatch(text))
    total = values.total()
    if total - others < total * SHARE:
        return None
    if not others:
        return ()
    return (f"{others:,} of {total:,} values are {otherwise}: null in staging",)


def _describe_unread(values: Counter[str]) -> tuple[str, ...]:
    """Say what text may be, though no macro reads it."""
    for pattern, words in OTHER_DATES:
        if _describe_others(values, pattern, "") is not None:
            return (f"{words}: no macro of parsing.sql reads that yet",)
    if _describe_others(values, GROUPED_NUMBER, "") is not None:
        return ("numbers with commas between thousands: no macro reads that yet",)
    if _describe_others(values, MONEY, "") is not None:
        return ("amounts with a sign (R$, %, …): take it off before parsing",)
    return ()
