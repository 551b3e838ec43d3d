"""Text of whole columns: from codes and numbers to lines of CSV and JSON.

In: numpy arrays and catalogues. Out: pyarrow string arrays, one element per row.
Nothing here loops over rows in Python.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.sample_exports.plan.local_days import NEVER

# A pyarrow string array; pyarrow ships without types.
Text: TypeAlias = Any
# Whole numbers of a column, as an array or as a column of a frame.
Numbers: TypeAlias = "NDArray[Any] | pd.Series[Any]"


def take(catalogue: Sequence[str], codes: Numbers) -> Text:
    """The texts of codes; blank (null) where the code is negative."""
    position = np.asarray(codes, dtype=np.int64)
    positions = pa.array(np.maximum(position, 0), mask=position < 0)
    return pa.array(catalogue, pa.string()).take(positions)


def write_integers(values: Numbers, blank: int | None = None) -> Text:
    """Decimal numbers; null where the value is `blank`."""
    values = np.asarray(values, dtype=np.int64)
    mask = None if blank is None else values == blank
    return pa.array(values, mask=mask).cast(pa.string())


def write_money(cents: Numbers) -> Text:
    """Amounts with two decimals, from cents."""
    whole = pa.array(np.asarray(cents) // 100).cast(pa.string())
    return join(whole, ".", write_padded(np.asarray(cents) % 100, 2))


def write_padded(values: Numbers, width: int) -> Text:
    """Decimal numbers with leading zeros."""
    return pc.utf8_lpad(write_integers(values), width, padding="0")


def write_times(seconds: Numbers) -> Text:
    """UTC times as "2026-11-19 17:30:00"; null for NEVER."""
    seconds = np.asarray(seconds, dtype=np.int64)
    mask = seconds == NEVER
    return pa.array(np.where(mask, 0, seconds), pa.timestamp("s"), mask=mask).cast(
        pa.string()
    )


def write_iso_times(seconds: Numbers) -> Text:
    """UTC times as "2026-11-19T17:30:00Z"; null for NEVER."""
    times = pc.replace_substring(write_times(seconds), " ", "T")
    return pc.binary_join_element_wise(times, "Z", "")


def write_dates(seconds: Numbers) -> Text:
    """UTC dates as "2026-11-19"; null for NEVER."""
    return pc.utf8_slice_codeunits(write_times(seconds), 0, 10)


def write_booleans(values: object) -> Text:
    """true or false."""
    return take(("false", "true"), np.asarray(values).astype(np.int64))


def join(*parts: Text | str) -> Text:
    """Put texts side by side; null counts as nothing."""
    return pc.binary_join_element_wise(
        *parts, "", null_handling="replace", null_replacement=""
    )


def mix_bits(values: Numbers) -> NDArray[np.uint64]:
    """Numbers that look random and differ where the values differ (splitmix64)."""
    mixed = np.asarray(values).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


LETTERS = np.frombuffer(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", dtype=np.uint8
)


def write_vendor_ids(prefix: str, values: Numbers, length: int = 15) -> Text:
    """Ids as survey vendors make them: "R_" and letters; null where negative.

    Eleven base-62 digits of a mixed 64-bit number are unique; more repeat others.
    """
    values = np.asarray(values, dtype=np.int64)
    rest = mix_bits(np.maximum(values, 0))
    digits = np.empty((len(values), length), dtype=np.uint8)
    for place in range(length):
        if place == 11:
            rest = mix_bits(np.maximum(values, 0) + 1)
        digits[:, place] = LETTERS[(rest % np.uint64(62)).astype(np.int64)]
        rest = rest // np.uint64(62)
    text = pa.array(digits.view(f"S{length}").ravel(), pa.binary(length))
    texts = join(prefix, text.cast(pa.binary()).cast(pa.string()))
    return pc.if_else(pa.array(values >= 0), texts, pa.scalar(None, pa.string()))


def fill_pattern(patterns: Sequence[str], codes: Numbers, numbers: Numbers) -> Text:
    """Texts of patterns whose every # is the next digit of a nine-digit number."""
    code_of, number_of = np.asarray(codes), np.asarray(numbers)
    filled = np.empty(len(code_of), dtype=object)
    for code, pattern in enumerate(patterns):
        rows = np.flatnonzero(code_of == code)
        first, *others = pattern.split("#")
        parts: list[Text | str] = [first]
        for place, other in enumerate(others):
            digit = number_of[rows] // 10 ** (8 - place % 9) % 10
            parts += [write_integers(digit), other]
        if len(rows):
            filled[rows] = join(*parts).to_numpy(zero_copy_only=False)
    return pa.array(filled, pa.string())


def quote_csv(text: Text) -> Text:
    """Quote what holds a comma, a quote or a line break, and nothing else."""
    needs_quotes = pc.fill_null(pc.match_substring_regex(text, '[",\r\n]'), False)
    doubled = pc.replace_substring(text, '"', '""')
    return pc.if_else(needs_quotes, join('"', doubled, '"'), text)


def join_csv(columns: Sequence[Text]) -> Text:
    """Lines of CSV, each with its line feed; null is an empty field."""
    fields = pc.binary_join_element_wise(
        *columns, ",", null_handling="replace", null_replacement=""
    )
    return join(fields, "\n")


def escape_json(texts: Sequence[str]) -> list[str]:
    """Catalogue texts as the inside of JSON strings."""
    return [json.dumps(text, ensure_ascii=False)[1:-1] for text in texts]


def fill_json(template: Mapping[str, object], columns: Mapping[str, Text]) -> Text:
    """Compact JSON objects, each followed by a comma.

    template : the object; the text "<name>" stands for the string, "<<name>>" for the
        bare value (number, true, object) in `columns`. A null element writes null.
    """
    pattern = json.dumps(template, ensure_ascii=False, separators=(",", ":")) + ","
    parts: list[Text | str] = []
    position = 0
    for match in re.finditer(r'"<<(\w+)>>"|"<(\w+)>"|<(\w+)>', pattern):
        parts.append(pattern[position : match.start()])
        bare, string, inside = match.groups()
        if bare:
            parts.append(pc.fill_null(columns[bare], "null"))
        elif string:
            parts.append(pc.fill_null(join_quoted(columns[string]), "null"))
        else:
            parts.append(pc.fill_null(columns[inside], ""))
        position = match.end()
    parts.append(pattern[position:])
    return join(*parts)


def join_quoted(text: Text) -> Text:
    """Text in double quotes; null stays null."""
    return pc.binary_join_element_wise('"', text, '"', "")
