"""The rows of the first sheet of an XLSX workbook, in bounded memory.

In: a seekable file. Out: rows of cells: text, numbers, truth values, times, None. The
sheet is parsed as a stream, and its shared strings lie on disk: openpyxl keeps all of
them in memory, and takes three times as long where strings stand in the cells. Its
rules for dates are used here, and tests compare the cells.
"""

import os
import tempfile
import zipfile
from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

from openpyxl.styles.numbers import (
    BUILTIN_FORMATS,
    is_date_format,
    is_timedelta_format,
)
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from include.loading.file_content import FileProblem

CHUNK_BYTES = 1 << 16
KEPT_STRINGS = 2048
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
)

Cells = list[object]


def read_sheet(file: IO[bytes]) -> Iterator[Cells]:
    """Yield the rows of the first sheet that hold any cell.

    Raises FileProblem when the file is no workbook that can be read.
    """
    try:
        with zipfile.ZipFile(file) as archive, tempfile.TemporaryFile() as store:
            strings = _SharedStrings(archive, store)
            book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
            parser = _SheetParser(strings, _find_time_styles(archive), _is_1904(book))
            with archive.open(_find_first_sheet(archive, book)) as sheet:
                while chunk := sheet.read(CHUNK_BYTES):
                    yield from parser.feed(chunk)
                yield from parser.feed(b"", is_last=True)
    except DAMAGE as error:
        raise FileProblem(
            f"the file is no readable XLSX workbook ({error})",
            "save it as .xlsx without a password, and transfer it again",
        ) from error


class _SharedStrings:
    """The workbook's table of strings, on disk, the last used ones in memory."""

    def __init__(self, archive: zipfile.ZipFile, store: IO[bytes]) -> None:
        self._store = store
        self._ends = array("Q", [0])
        if "xl/sharedStrings.xml" in archive.namelist():
            with archive.open("xl/sharedStrings.xml") as source:
                for text in _read_strings(source):
                    data = text.encode()
                    store.write(data)
                    self._ends.append(self._ends[-1] + len(data))
        store.flush()
        self.get = lru_cache(KEPT_STRINGS)(self._read)

    def _read(self, number: int) -> str:
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._store.fileno(), end - start, start).decode()


class _SheetParser:
    """Turns the XML of a sheet into rows, chunk by chunk."""

    def __init__(
        self, strings: _SharedStrings, time_styles: dict[str, bool], is_1904: bool
    ) -> None:
        self._strings = strings
        self._time_styles = time_styles
        self._epoch = CALENDAR_MAC_1904 if is_1904 else CALENDAR_WINDOWS_1900
        self._rows: list[Cells] = []
        self._row: Cells = []
        self._texts: list[str] = []
        self._is_text = False
        self._type = self._style = ""
        self._column = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._add_text

    def feed(self, chunk: bytes, is_last: bool = False) -> list[Cells]:
        """Parse a chunk; return the rows that it completed."""
        self._parser.Parse(chunk, is_last)
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name[name.rfind(" ") + 1 :]
        if tag == "c":
            reference = attributes.get("r")
            if reference:
                self._column = _column_number(reference.rstrip("0123456789"))
            self._type = attributes.get("t", "n")
            self._style = attributes.get("s", "0")
            self._texts = []
        elif tag in ("v", "t"):
            self._is_text = True
        elif tag == "row":
            self._row = []
            self._column = 0

    def _add_text(self, text: str) -> None:
        if self._is_text:
            self._texts.append(text)

    def _end(self, name: str) -> None:
        tag = name[name.rfind(" ") + 1 :]
        if tag in ("v", "t"):
            self._is_text = False
        elif tag == "c":
            # Cells without a value are left out of the file.
            self._row += [None] * (self._column - len(self._row))
            self._row.append(self._convert("".join(self._texts)))
            self._column += 1
        elif tag == "row" and self._row:
            self._rows.append(self._row)

    def _convert(self, text: str) -> object:
        if self._type == "s":
            return self._strings.get(int(text))
        if not text:
            return None
        if self._type == "b":
            return text == "1"
        if self._type != "n":
            return text
        number = float(text) if set(text) & set(".eE") else int(text)
        is_duration = self._time_styles.get(self._style)
        if is_duration is None:
            return number
        return from_excel(number, self._epoch, timedelta=is_duration)


def _read_strings(source: IO[bytes]) -> Iterator[str]:
    """Yield the shared strings; readings of Asian names (rPh) are left out."""
    parts: list[str] = []
    is_reading = False
    for event, element in ElementTree.iterparse(source, ("start", "end")):
        tag = element.tag.rpartition("}")[2]
        if tag == "rPh":
            is_reading = event == "start"
        elif event == "end" and tag == "t" and not is_reading:
            parts.append(element.text or "")
        elif event == "end" and tag == "si":
            yield "".join(parts)
            parts = []
        if event == "end" and tag != "sst":
            element.clear()


@lru_cache(maxsize=1024)
def _column_number(letters: str) -> int:
    """Return the position of a column: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _find_first_sheet(archive: zipfile.ZipFile, book: ElementTree.Element) -> str:
    sheet = book.find("{*}sheets/{*}sheet")
    if sheet is None:
        raise KeyError("it has no sheet")
    relation = next(value for name, value in sheet.items() if name.endswith("}id"))
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {item.get("Id"): item.get("Target", "") for item in relations}
    target = targets[relation]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _is_1904(book: ElementTree.Element) -> bool:
    properties = book.find("{*}workbookPr")
    return properties is not None and properties.get("date1904") in ("1", "true")


def _find_time_styles(archive: zipfile.ZipFile) -> dict[str, bool]:
    """Return the cell styles that show times; True for durations."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    styles = ElementTree.fromstring(archive.read("xl/styles.xml"))
    formats = {str(number): code for number, code in BUILTIN_FORMATS.items()}
    for item in styles.iterfind("{*}numFmts/{*}numFmt"):
        formats[item.get("numFmtId", "")] = item.get("formatCode", "")
    found = {}
    for number, style in enumerate(styles.iterfind("{*}cellXfs/{*}xf")):
        code = formats.get(style.get("numFmtId", "0"), "")
        if is_date_format(code):
            found[str(number)] = bool(is_timedelta_format(code))
    return found
