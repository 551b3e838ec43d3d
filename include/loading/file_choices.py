"""Which of a contract's encodings and delimiters a file has.

In: a contract that leaves a choice, and the content of one file. Out: the contract of
that file, with one encoding and one delimiter. Nothing is guessed: an encoding must fit
every byte, and under a delimiter the contract's required headers must be found.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain

from include.contracts import UTF_8_NAMES, FeedContract
from include.loading.file_content import ByteSource, FileProblem
from include.loading.table_header import read_header_rows
from include.loading.text_lines import (
    UTF_16_MARKS,
    WRONG_SHARE,
    is_multibyte,
    read_blocks,
)

# What spreadsheets write before the header, and understand.
NAMED_DELIMITER = re.compile(r'"?sep=(.)"?[;,\t]*\r?\n?', re.IGNORECASE)


def has_choices(contract: FeedContract) -> bool:
    """Tell whether files of the feed may be read in several ways."""
    return bool(contract.other_encodings or contract.other_delimiters)


def choose_reading(contract: FeedContract, content: ByteSource) -> FeedContract:
    """Return the contract of one file, as `FeedContract.narrow` makes it.

    The file is read to its end where there are several encodings. Raises FileProblem
    when it is in none of them, or line by line in several and that is not declared.
    """
    blocks = read_blocks(content)
    first = next(blocks, b"")
    encodings = contract.encodings
    if contract.other_encodings:
        count = _LineCount(encodings)
        for block in chain([first], blocks):
            count.feed(block)
        encodings = count.choose(may_mix=contract.mixed_encodings)
    return choose_delimiter(contract, encodings, first)


def choose_delimiter(
    contract: FeedContract, encodings: Sequence[str], beginning: bytes
) -> FeedContract:
    """Return the contract of a file of these encodings, which begins like this."""
    chosen = contract.narrow(encodings)
    if contract.format != "csv":
        return chosen
    try:
        text = codecs.getincrementaldecoder(encodings[0])("replace").decode(beginning)
    except UnicodeError:
        # UTF-16 without its mark, of which the reader says what is wrong.
        return chosen
    text = text.removeprefix("\ufeff")
    delimiter = _find_delimiter(chosen, contract.delimiters, text)
    return chosen.narrow(encodings, delimiter)


class _LineCount:
    """Counts the lines of a file that do not fit an encoding, for several at once."""

    def __init__(self, encodings: Sequence[str]) -> None:
        self._encodings = tuple(encodings)
        self._names = {name: codecs.lookup(name).name for name in encodings}
        self._wide = {
            name: codecs.getincrementaldecoder(name)("strict")
            for name in encodings
            if is_multibyte(self._names[name])
        }
        self._unfit: Counter[str] = Counter()
        self._lines = 0
        self._lines_in_utf_8 = 0
        self._is_first = True

    def feed(self, block: bytes) -> None:
        """Look at the next lines."""
        if self._is_first:
            self._judge_mark(block)
            self._is_first = False
        lines = block.count(b"\n") or 1
        self._lines += lines
        for name, decoder in list(self._wide.items()):
            try:
                decoder.decode(block)
            except UnicodeError:
                self._unfit[name] += lines
                del self._wide[name]
        if block.isascii():
            return
        for name in self._encodings:
            if is_multibyte(self._names[name]):
                continue
            is_utf_8 = self._names[name] in UTF_8_NAMES
            if _fits(block, name) and not is_utf_8:
                continue
            for line in io.BytesIO(block):
                if not _fits(line, name):
                    self._unfit[name] += 1
                elif is_utf_8 and not line.isascii():
                    self._lines_in_utf_8 += 1

    def choose(self, *, may_mix: bool) -> tuple[str, ...]:
        """Return the encoding, or all of them for a file that has them line by line."""
        tolerated = max(1, self._lines * WRONG_SHARE)
        for name in self._encodings:
            if not self._unfit[name] and not self._is_utf_8_misread_as(name):
                return (name,)
        if may_mix:
            return self._encodings
        if self._lines_in_utf_8 and self._unfit[self._encodings[0]] > tolerated:
            raise FileProblem(
                f"some of its lines are {self._encodings[0]} and others are not",
                "write mixed_encodings: true into the contract, or export it again",
            )
        best = min(self._encodings, key=lambda name: self._unfit[name])
        if self._lines_in_utf_8:
            best = self._encodings[0]
        if self._unfit[best] > tolerated:
            raise FileProblem(
                f"its bytes are none of {', '.join(self._encodings)}, which the"
                " contract says",
                "write the file's encoding into the contract, or export it as declared",
            )
        return (best,)

    def _judge_mark(self, block: bytes) -> None:
        """What begins with a mark of UTF-16 is that; without one it would fit much."""
        is_marked = block.startswith(UTF_16_MARKS)
        for name in self._encodings:
            if is_multibyte(self._names[name]) != is_marked:
                self._unfit[name] += 1

    def _is_utf_8_misread_as(self, name: str) -> bool:
        """Whether too many lines, of those beyond ASCII, are UTF-8 to be this."""
        if self._names[name] in UTF_8_NAMES or is_multibyte(self._names[name]):
            return False
        others = self._unfit[self._encodings[0]]
        return self._lines_in_utf_8 > WRONG_SHARE * (self._lines_in_utf_8 + others)


def _fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _find_delimiter(
    contract: FeedContract, delimiters: Sequence[str], text: str
) -> str:
    """Return the delimiter that the file names itself, or under which most headers of
    the contract are found, all required ones among them; else the first."""
    if named := NAMED_DELIMITER.fullmatch(text.partition("\n")[0]):
        return named[1]
    best, most = delimiters[0], 0
    for delimiter in delimiters if len(delimiters) > 1 else ():
        records = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
        try:
            header = read_header_rows(
                contract.narrow(delimiter=delimiter), filter(any, records)
            )
        except (FileProblem, csv.Error):
            continue
        if len(header.declared) > most:
            best, most = delimiter, len(header.declared)
    return best
