"""The rows of the first sheet of an XLSX workbook, in bounded memory.

In: a seekable file. Out: rows of cells: text, numbers, truth values, times, None, and a
`CellProblem` where a cell has no value to read. The sheet is parsed as a stream, and
its shared strings lie on disk: openpyxl keeps all of them in memory, and takes three
times as long where strings stand in the cells. Its rules for dates are used here, and
tests compare the cells.
"""

import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from include.loading.file_content import FileProblem
from include.loading.workbook_parts import (
    CHUNK_BYTES,
    SharedStrings,
    TextCollector,
    find_first_sheet,
    find_time_styles,
    is_1904,
    make_parser,
    open_part,
    read_small_part,
    tag_of,
)

# Excel's own sheets end there; a cell further out would fill the memory with blanks.
MOST_COLUMNS = 16_384
NUMBER = re.compile(
    r"[+-]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,4})?"
)
# What is wrong inside a file that is no workbook, or a damaged one.
DAMAGE = (
    zipfile.BadZipFile,
    ElementTree.ParseError,
    expat.ExpatError,
    KeyError,
    IndexError,
    ValueError,
    EOFError,
    OverflowError,
    NotImplementedError,
)

Cells = list[object]


@dataclass(frozen=True, slots=True)
class CellProblem:
    """A cell whose value is not in the file; `text` is what stands there instead."""

    reason: str
    text: str


def read_sheet(file: IO[bytes]) -> Iterator[Cells]:
    """Yield the rows of the first sheet that hold any cell.

    Raises FileProblem when the file is no workbook that can be read.
    """
    try:
        with (
            zipfile.ZipFile(file) as archive,
            closing(SharedStrings(archive)) as strings,
        ):
            book = read_small_part(archive, "xl/workbook.xml")
            parser = _SheetParser(strings, find_time_styles(archive), is_1904(book))
            with open_part(archive, find_first_sheet(archive, book)) as sheet:
                while chunk := sheet.read(CHUNK_BYTES):
                    yield from parser.feed(chunk)
                yield from parser.feed(b"", is_last=True)
    except DAMAGE as error:
        words = error.args[0] if isinstance(error, KeyError) else error
        raise FileProblem(
            f"the file is no readable XLSX workbook ({words})",
            "save it as .xlsx without a password, and transfer it again",
        ) from error


class _SheetParser:
    """Turns the XML of a sheet into rows, chunk by chunk."""

    def __init__(
        self, strings: SharedStrings, time_styles: dict[str, bool], is_1904: bool
    ) -> None:
        self._strings = strings
        self._time_styles = time_styles
        self._epoch = CALENDAR_MAC_1904 if is_1904 else CALENDAR_WINDOWS_1900
        self._rows: list[Cells] = []
        self._row: Cells = []
        self._text = TextCollector()
        self._formula = TextCollector()
        # Which of the two the parser is in, if any.
        self._collector: TextCollector | None = None
        self._is_reading = self._has_formula = self._has_value = False
        self._type = self._style = ""
        self._column = 0
        self._parser = make_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._add_text

    def feed(self, chunk: bytes, is_last: bool = False) -> list[Cells]:
        """Parse a chunk; return the rows that it completed."""
        self._parser.Parse(chunk, is_last)
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = tag_of(name)
        if tag == "c":
            self._start_cell(attributes)
        elif tag == "v" or (tag == "t" and not self._is_reading):
            self._has_value = True
            self._collector = self._text
        elif tag == "f":
            self._has_formula = True
            self._collector = self._formula
        elif tag == "rPh":
            # The reading of an Asian name is no part of the text.
            self._is_reading = True
        elif tag == "row":
            self._row = []
            self._column = 0

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference:
            self._column = _column_number(reference.rstrip("0123456789"))
        if not len(self._row) <= self._column < MOST_COLUMNS:
            raise ValueError(f"cell {reference} stands where none can")
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "0")
        self._has_formula = self._has_value = False

    def _add_text(self, text: str) -> None:
        if self._collector is not None:
            self._collector.add(text)

    def _end(self, name: str) -> None:
        tag = tag_of(name)
        if tag in ("v", "t", "f"):
            self._collector = None
        elif tag == "rPh":
            self._is_reading = False
        elif tag == "c":
            # Cells without a value are left out of the file.
            self._row += [None] * (self._column - len(self._row))
            self._row.append(self._convert(self._text.take(), self._formula.take()))
            self._column += 1
        elif tag == "row" and self._row:
            self._rows.append(self._row)

    def _convert(self, text: str, formula: str) -> object:
        if self._has_formula and not self._has_value:
            return CellProblem("a formula without its value", f"={formula}")
        if not text:
            return None
        if self._type == "s":
            return self._strings.get(int(text))
        if self._type == "b":
            return text in ("1", "true")
        if self._type != "n" or not NUMBER.fullmatch(text):
            return text
        number = float(text) if set(text) & set(".eE") else int(text)
        is_duration = self._time_styles.get(self._style)
        if is_duration is None:
            return number
        try:
            return from_excel(number, self._epoch, timedelta=is_duration)
        except (OverflowError, ValueError):
            # A number that is no date, which Excel shows as ####.
            return number


@lru_cache(maxsize=1024)
def _column_number(letters: str) -> int:
    """Return the position of a column: A is 0, AA is 26."""
    if not re.fullmatch("[A-Z]{1,3}", letters):
        raise ValueError(f"{letters[:20]} is no column")
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
