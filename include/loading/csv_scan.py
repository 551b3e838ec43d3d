"""The independent scan of a CSV stream on its way into COPY.

In: blocks of bytes that end at a newline. Out: the number of records, counted without
COPY's help, or `NotClean`: COPY might take this file otherwise than it was meant.

The check rests on one fact: if every quote that opens a field follows a delimiter or a
newline, and every quote that closes one precedes a delimiter or a newline, then all
readers of CSV agree where fields and records end. Quotes are told apart by parity; a
doubled quote inside a field is a closing one followed at once by an opening one.
"""

import numpy
from numpy.typing import NDArray

QUOTE = ord('"')
NEWLINE = ord("\n")
RETURN = ord("\r")
# COPY takes records of any length; what is longer is left to the careful path, which
# takes fields of 8 million characters.
LONGEST_RECORD = 1 << 22


class NotClean(Exception):
    """The file must go the careful way; the text says why."""


class CsvScan:
    """Counts the records of a CSV stream and refuses what is not plain.

    `rows` is the number of records so far. Fields per record are left to COPY, which
    counts them itself and fails.
    """

    def __init__(self, delimiter: str) -> None:
        self.rows = 0
        self._is_in_quotes = False
        self._bytes_in_record = 0
        self._may_precede = numpy.zeros(256, dtype=bool)
        self._may_precede[[ord(delimiter), NEWLINE, QUOTE]] = True
        self._may_follow = numpy.zeros(256, dtype=bool)
        self._may_follow[[ord(delimiter), NEWLINE, RETURN, QUOTE]] = True

    def feed(self, block: bytes) -> None:
        """Check the next block, which ends at a newline or at the end of the file."""
        if block.find(b"\0") >= 0:
            raise NotClean("a NUL byte")
        if block.find(b"\r") >= 0 and block.count(b"\r") != block.count(b"\r\n"):
            raise NotClean("a carriage return without a newline")
        if block.find(b"\\") >= 0:
            if b'\\"' in block:
                raise NotClean("a backslash before a quote")
            if block.startswith(b"\\.") or b"\n\\." in block:
                raise NotClean("a line that begins with \\.")
        octets = numpy.frombuffer(block, dtype=numpy.uint8)
        newlines = numpy.flatnonzero(octets == NEWLINE)
        rows_before = self.rows
        self.rows += newlines.size
        if self._is_in_quotes or block.find(b'"') >= 0:
            self._scan_quotes(octets, newlines)
        if not self._is_in_quotes and block and block[-1] != NEWLINE:
            self.rows += 1
        self._bytes_in_record += len(block)
        if self._bytes_in_record > LONGEST_RECORD:
            raise NotClean("a very long record")
        if self.rows > rows_before:
            self._bytes_in_record = 0

    def finish(self) -> None:
        """Check that the file does not end inside a quoted field."""
        if self._is_in_quotes:
            raise NotClean("a quoted field that is not closed")

    def _scan_quotes(
        self, block: NDArray[numpy.uint8], newlines: NDArray[numpy.intp]
    ) -> None:
        """Check the quotes of a block; newlines inside quotes end no record."""
        quotes = numpy.flatnonzero(block == QUOTE)
        was_in_quotes = int(self._is_in_quotes)
        opening, closing = quotes[was_in_quotes::2], quotes[1 - was_in_quotes :: 2]
        # A block begins after a newline, and may end with the quote that closes a file.
        before = block[opening[opening > 0] - 1]
        after = block[closing[closing < block.size - 1] + 1]
        if not self._may_precede[before].all():
            raise NotClean("a quote in the middle of a field")
        if not self._may_follow[after].all():
            raise NotClean("text after a closing quote")
        self._is_in_quotes = bool((was_in_quotes + quotes.size) % 2)
        # Quoted fields that began in an earlier block, or go on in the next one.
        starts = numpy.append(-1, opening) if was_in_quotes else opening
        ends = numpy.append(closing, block.size) if self._is_in_quotes else closing
        inside = numpy.searchsorted(newlines, ends) - numpy.searchsorted(
            newlines, starts
        )
        self.rows -= int(inside.sum())
