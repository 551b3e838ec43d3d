"""What an export writes where nothing is: ?, N/A, a blank.

In: the kinds of all columns. Out: the null markers of the file, and doubts in words. A
marker holds for every column of a contract, so a word is proposed only where nothing
else fits: beside numbers or dates, or as a sign in several columns. "None" may be an
answer.
"""

from collections.abc import Sequence

from include.new_source.value_kinds import ValueKind

SIGNS = frozenset({"?", "-", "--", "n/a", "#n/a", "null", "(null)", "nan", "\\n"})
SEVERAL = 2


def choose_null_markers(
    kinds: Sequence[ValueKind],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the null markers, the empty text first, and the doubts about them."""
    beside_types: set[str] = set()
    in_columns: dict[str, int] = {}
    for kind in kinds:
        for word in kind.nulls:
            in_columns[word] = in_columns.get(word, 0) + 1
            if kind.is_typed or not word.strip():
                beside_types.add(word)
    signs = {
        word
        for word, columns in in_columns.items()
        if word.lower() in SIGNS and columns >= SEVERAL
    }
    chosen = sorted(beside_types | signs)
    doubts = []
    if chosen:
        listed = ", ".join(repr(word) for word in chosen)
        doubts.append(
            f"null_markers: {listed} stand for nothing in every column: check that none"
            " of them is a value somewhere"
        )
    if left := sorted(set(in_columns) - set(chosen)):
        listed = ", ".join(repr(word) for word in left)
        doubts.append(
            f"null_markers: {listed} were left as values: do they mean nothing?"
        )
    return ("", *chosen), tuple(doubts)
