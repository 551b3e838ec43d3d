"""In which order dates name day and month: 29.02.2016 can only be one, 03.04.2016 both.

In: distinct dates and how often each comes. Out: the order that is proven, or none and
why. Where an order is proven, days and months that were swapped in some rows (a
spreadsheet does that when it opens another country's file) are noticed by where they
lie in time.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

DateOrder = Literal["DMY", "MDY"]

LOCAL = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
# Fewer dates that could be swapped are no proof of anything.
FEWEST = 20
# Of the dates that could be swapped, so many must lie among the others one way, and so
# many outside the other way.
MOST_INSIDE = 0.9
FEW_INSIDE = 0.5


@dataclass(frozen=True)
class OrderGuess:
    """The order that the dates prove; None where they fit both, or neither."""

    order: DateOrder | None
    doubts: tuple[str, ...] = ()


def find_date_order(
    values: Mapping[str, int], written: Literal["local", "ISO"] = "local"
) -> OrderGuess:
    """Find the order of the dates at the beginning of each text.

    Parameters
    ----------
    written : "ISO" dates name the month first; only swapped ones are looked for
    """
    parts = _split(values, written)
    first = sum(n for (_, one, _), n in parts.items() if one > 12)
    second = sum(n for (_, _, two), n in parts.items() if two > 12)
    if first and second:
        return OrderGuess(
            None,
            (
                f"{first:,} dates can only be day first and {second:,} only month"
                " first: two orders in one column; have the export mended, or split it"
                " by a rule",
            ),
        )
    if not first and not second:
        if written == "ISO":
            return OrderGuess(None)
        return OrderGuess(
            None,
            (
                "day first or month first? every date fits both: ask the vendor, then"
                " read it with 'DMY' or 'MDY'; staged as text until then",
            ),
        )
    return OrderGuess("DMY" if first else "MDY", _find_swapped(parts, bool(first)))


def _split(
    values: Mapping[str, int], written: Literal["local", "ISO"]
) -> Counter[tuple[int, int, int]]:
    """Count year and the two numbers beside it, in their order."""
    parts: Counter[tuple[int, int, int]] = Counter()
    for text, count in values.items():
        if written == "ISO":
            if match := ISO.match(text):
                parts[int(match[1]), int(match[2]), int(match[3])] += count
        elif match := LOCAL.match(text):
            parts[int(match[3]), int(match[1]), int(match[2])] += count
    return parts


def _find_swapped(
    parts: Counter[tuple[int, int, int]], is_day_first: bool
) -> tuple[str, ...]:
    """Say whether dates that fit both orders lie where only the other one puts them."""
    certain: set[date] = set()
    either: Counter[tuple[date, date]] = Counter()
    for (year, one, two), count in parts.items():
        day, month = (one, two) if is_day_first else (two, one)
        read, swapped = _make_date(year, month, day), _make_date(year, day, month)
        if read and not swapped:
            certain.add(read)
        elif read and swapped and read != swapped:
            either[read, swapped] += count
    total = either.total()
    if not certain or total < FEWEST:
        return ()
    low, high = min(certain), max(certain)
    # The days at both ends of a period may all be early ones.
    low, high = low.replace(day=1), high
    as_read = sum(n for (read, _), n in either.items() if low <= read <= high)
    as_swapped = sum(n for (_, other), n in either.items() if low <= other <= high)
    if as_read < total * FEW_INSIDE and as_swapped > as_read:
        how = "" if as_swapped > total * MOST_INSIDE else "some of "
        return (
            f"day and month seem swapped in {how}{total:,} rows: the dates that can be"
            f" read one way lie from {low} to {high}, and of those that can be read"
            f" both ways {as_read:,} do as written, {as_swapped:,} with day and month"
            " exchanged",
        )
    return ()


def _make_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
