"""The lines with totals at the end of a table.

In: the rows of a file, as cells. Out: patterns of what stands first in those lines, as
contracts declare a footer.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from include.new_source.column_names import split_words

# Totals are the last rows, and no more than these.
MOST_ROWS = 5
TOTAL_WORDS = ("total", "totals", "totais", "totales", "subtotal", "suma", "summe")


@dataclass(frozen=True)
class FooterGuess:
    """Patterns of the footer, none where there is none."""

    patterns: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def find_footer(rows: Iterable[Sequence[str]]) -> FooterGuess:
    """Find the lines at the end that sum up the others: less filled, and called so."""
    # What is above them says how well rows are filled.
    last = deque(rows, maxlen=MOST_ROWS + 1)
    patterns: dict[str, None] = {}
    lines = 0
    usual = max((_count_filled(row) for row in last), default=0)
    while len(last) > 1 and _count_filled(last[-1]) < usual:
        words = split_words(next((cell for cell in last[-1] if cell.strip()), ""))
        found = [word for word in words[:2] if word in TOTAL_WORDS]
        if not found:
            break
        patterns[rf"(\w+ )?{found[0]}\b.*"] = None
        lines += 1
        last.pop()
    if not lines:
        return FooterGuess()
    noun = "line seems" if lines == 1 else f"{lines} lines seem"
    return FooterGuess(
        tuple(patterns),
        (f"footer: the last {noun} to be totals, and no rows: check the patterns",),
    )


def _count_filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)
