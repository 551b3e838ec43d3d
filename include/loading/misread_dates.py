"""Dates that a spreadsheet took for others while a person saved an export with it.

In: the cells of a workbook's records. Out: `FileProblem` for a column in which some
dates became dates and others, which have no such day or month, were left as text: in
the first group day and month may be swapped, and nothing in the cell tells.
"""

import datetime
import re
from collections import Counter
from collections.abc import Sequence

from include.contracts import FeedContract
from include.loading.file_content import FileProblem
from include.loading.table_header import TableHeader

# Day and month in either order, as countries write them; the year is last.
WRITTEN_DATE = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{4}(?!\d)")
MONTHS, DAYS = 12, 31


class MisreadDates:
    """Looks at the declared columns of a file, row by row; free text is no date."""

    def __init__(self, contract: FeedContract, header: TableHeader) -> None:
        told = {
            column.name
            for column in contract.columns
            if column.personal_data != "free_text"
        }
        self._names = {
            position: header.names[position]
            for position in header.declared
            if header.names[position] in told
        }
        self._dates: Counter[int] = Counter()
        self._texts: Counter[int] = Counter()

    def feed(self, cells: Sequence[object]) -> None:
        """Look at one record."""
        for position in self._names:
            cell = cells[position] if position < len(cells) else None
            if isinstance(cell, datetime.date):
                self._dates[position] += 1
            elif isinstance(cell, str) and _has_one_order(cell):
                self._texts[position] += 1

    def check(self) -> None:
        """Raise FileProblem where a column has both."""
        for position, texts in self._texts.items():
            if dates := self._dates[position]:
                raise FileProblem(
                    f"in the column {self._names[position]} {dates:,} cells are dates"
                    f" and {texts:,} were left as text: the spreadsheet that saved it"
                    " expected day and month in another order, and may have swapped"
                    " them",
                    "export it again, and transfer it as it comes",
                )


def _has_one_order(text: str) -> bool:
    """Whether a text is a date of which the order of day and month is certain: what a
    spreadsheet that expects this order would have made a date of."""
    if not (written := WRITTEN_DATE.match(text)):
        return False
    smaller, larger = sorted((int(written[1]), int(written[3])))
    return 1 <= smaller <= MONTHS < larger <= DAYS
