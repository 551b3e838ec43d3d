"""The parts of an XLSX workbook beside its rows, each read in bounded memory.

In: an open workbook. Out: its shared strings, on disk; the styles that show times;
where its first sheet is. A part that is larger than a workbook's would be is refused.
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

from include.loading.file_content import refuse_bomb, write_scratch

CHUNK_BYTES = 1 << 13
KEPT_STRINGS = 2048
# Excel's own cells end at 32,767 characters.
LONGEST_TEXT = 1 << 20
MOST_STRINGS = 1 << 24
LARGEST_SMALL_PART_BYTES = 1 << 23
STRINGS_PART = "xl/sharedStrings.xml"
STYLES_PART = "xl/styles.xml"


def open_part(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Open a part of a workbook.

    Raises FileProblem when it unpacks to far too much, KeyError when it is missing,
    ValueError when a password protects it.
    """
    part = archive.getinfo(name)
    # No more than this is ever unpacked, whatever follows in the file.
    refuse_bomb(part.file_size, part.compress_size)
    if part.flag_bits & 0x1:
        raise ValueError("a password protects it")
    return archive.open(part)


def read_small_part(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    """Parse a part that is small in every workbook. Raises as `open_part` does."""
    size = archive.getinfo(name).file_size
    if size > LARGEST_SMALL_PART_BYTES:
        raise ValueError(f"its part {name} has {size:,} bytes")
    with open_part(archive, name) as part:
        return ElementTree.fromstring(part.read())


def make_parser() -> expat.XMLParserType:
    """Make a parser of XML that refuses declarations, which no workbook has."""

    def refuse(*_: object) -> None:
        raise ValueError("it declares entities")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    return parser


class TextCollector:
    """The pieces of one text, which may not grow without end."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        """Add a piece. Raises ValueError when the text is longer than any cell's."""
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length > LONGEST_TEXT:
            raise ValueError("it has a cell of more than a million characters")

    def take(self) -> str:
        """Return the text and begin the next one."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return text


class SharedStrings:
    """The workbook's table of strings, on disk, the last used ones in memory."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._store = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        self._ends = array("Q", [0])
        if STRINGS_PART in archive.namelist():
            with open_part(archive, STRINGS_PART) as source:
                for text in _read_strings(source):
                    data = text.encode()
                    write_scratch(self._store, data)
                    self._ends.append(self._ends[-1] + len(data))
                    if len(self._ends) > MOST_STRINGS:
                        raise ValueError(f"it has more than {MOST_STRINGS:,} strings")
        write_scratch(self._store, b"", is_last=True)
        self.get = lru_cache(KEPT_STRINGS)(self._read)

    def close(self) -> None:
        """Give the disk back."""
        self._store.close()

    def _read(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise IndexError(f"a cell names string {number}, which is not there")
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._store.fileno(), end - start, start).decode()


def _read_strings(source: IO[bytes]) -> Iterator[str]:
    """Yield the shared strings; readings of Asian names (rPh) are left out."""
    text = TextCollector()
    found: list[str] = []
    depth_of_reading = 0
    is_text = False

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal depth_of_reading, is_text
        tag = tag_of(name)
        depth_of_reading += tag == "rPh"
        is_text = tag == "t" and not depth_of_reading

    def end(name: str) -> None:
        nonlocal depth_of_reading, is_text
        tag = tag_of(name)
        is_text = False
        depth_of_reading -= tag == "rPh"
        if tag == "si":
            found.append(text.take())

    def add(piece: str) -> None:
        if is_text:
            text.add(piece)

    parser = make_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = add
    while chunk := source.read(CHUNK_BYTES):
        parser.Parse(chunk)
        yield from found
        found.clear()
    parser.Parse(b"", True)
    yield from found


def tag_of(name: str) -> str:
    """Return an element's name without its namespace."""
    return name[name.rfind(" ") + 1 :]


def find_first_sheet(archive: zipfile.ZipFile, book: ElementTree.Element) -> str:
    """Return the part that holds the first sheet. Raises KeyError without one."""
    sheet = book.find("{*}sheets/{*}sheet")
    if sheet is None:
        raise KeyError("it has no sheet")
    relation = next((id for name, id in sheet.items() if name.endswith("}id")), "")
    relations = read_small_part(archive, "xl/_rels/workbook.xml.rels")
    targets = {item.get("Id", ""): item.get("Target", "") for item in relations}
    target = targets[relation]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def is_1904(book: ElementTree.Element) -> bool:
    """Tell whether the workbook counts its days from 1904."""
    properties = book.find("{*}workbookPr")
    return properties is not None and properties.get("date1904") in ("1", "true")


def find_time_styles(archive: zipfile.ZipFile) -> dict[str, bool]:
    """Return the cell styles that show times; True for durations."""
    if STYLES_PART not in archive.namelist():
        return {}
    styles = read_small_part(archive, STYLES_PART)
    formats = {str(number): code for number, code in BUILTIN_FORMATS.items()}
    for item in styles.iterfind("{*}numFmts/{*}numFmt"):
        formats[item.get("numFmtId", "")] = item.get("formatCode", "")
    found = {}
    for number, style in enumerate(styles.iterfind("{*}cellXfs/{*}xf")):
        code = formats.get(style.get("numFmtId", "0"), "")
        if is_date_format(code):
            found[str(number)] = bool(is_timedelta_format(code))
    return found
