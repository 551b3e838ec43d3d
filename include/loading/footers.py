"""The lines after the last record of a table: totals, dates of print, copyright.

In: a contract that declares how its footers begin, and the rows of a file. Out: the
rows without the footer. It is one only where no other row follows: elsewhere a row that
looks like it is a row.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from include.contracts import FeedContract

log = logging.getLogger(__name__)

RowT = TypeVar("RowT")


def leave_out_footer(
    contract: FeedContract,
    rows: Iterator[RowT],
    read_fields: Callable[[RowT], Sequence[object] | str],
) -> Iterator[RowT]:
    """Yield the rows before the footer.

    Parameters
    ----------
    read_fields : gives the fields of a row; a text says why it has none
    """
    if not contract.footer:
        yield from rows
        return
    pattern = re.compile("|".join(f"(?:{part})" for part in contract.footer), re.I)
    held: list[RowT] = []
    for row in rows:
        if _is_footer(read_fields(row), pattern, is_begun=bool(held)):
            held.append(row)
            continue
        yield from held
        held.clear()
        yield row
    if held:
        log.info("%s: %d lines of footer are no rows", contract.name, len(held))


def _is_footer(
    fields: Sequence[object] | str, pattern: re.Pattern[str], *, is_begun: bool
) -> bool:
    """Whether the first filled field is declared as a footer's; an empty row goes on
    with what went before it."""
    if isinstance(fields, str):
        return False
    texts = ("" if field is None else str(field).strip() for field in fields)
    first = next(filter(None, texts), None)
    return is_begun if first is None else bool(pattern.fullmatch(first))
