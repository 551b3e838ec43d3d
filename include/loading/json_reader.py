"""The reader of JSON pages and JSON lines, in bounded memory.

In: a page with a list of records somewhere inside, or one record per line. Out: batches
of records, each as its own text exactly as sent. A half-written or malformed page is a
`FileProblem`, since nobody knows where its next record would begin; a malformed line of
a .jsonl file is a reject.
"""

import json
from collections import Counter
from collections.abc import Iterator

from include.contracts import FeedContract
from include.errors import make_printable
from include.loading.batches import Batch, FileRows
from include.loading.file_content import ByteSource, FileProblem
from include.loading.json_values import JsonDecoder, find_problem
from include.loading.kept_records import make_text_reject, reject_texts_of
from include.loading.text_lines import (
    UndecodedCount,
    has_undecoded,
    read_lines,
    read_text,
)

# Decoded, a record takes up to forty times its length of memory.
LONGEST_RECORD = 1 << 22
SHOWN_NAMES = 12
SHOWN_CHARACTERS = 60
# A cut-off value fails at most so far from the end of what was read ("fals", "\u12").
CUT_OFF_DISTANCE = 16
WHITESPACE = " \t\r\n"

# A record's value (None: undecodable), its raw text, and a reason to reject it.
Record = tuple[object, str, str | None]


def read_json(contract: FeedContract, content: ByteSource) -> FileRows:
    """Read a JSON page. Raises FileProblem while the batches are read."""
    page = _Page(read_text(content, contract.encoding))
    parts = [part for part in (contract.record_path or "").split(".") if part]
    return _collect(contract, page.read_records(parts))


def read_jsonl(contract: FeedContract, content: ByteSource) -> FileRows:
    """Read JSON lines. Raises FileProblem while the batches are read."""
    return _collect(contract, _read_lines(contract, content))


def _collect(contract: FeedContract, records: Iterator[Record]) -> FileRows:
    batches = _read_batches(contract, records)
    columns = ("_row_number", "record")
    return FileRows(columns, batches, Counter(), reject_texts_of(contract))


def _read_batches(contract: FeedContract, records: Iterator[Record]) -> Iterator[Batch]:
    required = contract.required_columns
    undecoded = UndecodedCount(contract.encoding)
    row_number = 0
    batch = Batch()
    for row_number, (value, raw, problem) in enumerate(records, start=1):
        problem = problem or find_problem(value, raw, required)
        if has_undecoded(raw):
            problem = undecoded.add(row_number)
        if problem is None:
            batch.rows.append((row_number, raw))
            batch.sources.append(raw)
        else:
            batch.rejects.append(make_text_reject(contract, row_number, problem, raw))
        batch.characters += len(raw)
        if batch.is_full:
            yield batch
            batch = Batch()
    undecoded.check(row_number)
    yield batch


def _read_lines(contract: FeedContract, content: ByteSource) -> Iterator[Record]:
    decoder = JsonDecoder()
    row_number = 0
    for line in read_lines(content, contract.encodings):
        raw = line.strip(WHITESPACE)
        if not raw:
            continue
        row_number += 1
        if len(raw) > LONGEST_RECORD:
            yield None, raw, "a record longer than 4 million characters"
            continue
        try:
            value, end, problem = decoder.decode(raw, 0)
            if end != len(raw):
                problem = "text after the record on its line"
        except json.JSONDecodeError as error:
            if not line.endswith("\n"):
                raise _half_written("file", row_number) from error
            value, problem = None, f"no JSON ({error.msg})"
        except RecursionError:
            value, problem = None, "JSON that is nested too deep"
        yield value, raw, problem
    if row_number == 0:
        raise FileProblem("the file is empty", "export it again")


class _Page:
    """One JSON document, read front to back; keeps only what is not yet decoded."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self._text = ""
        self._position = 0
        self._decoder = JsonDecoder()
        self._records = 0

    def read_records(self, parts: list[str]) -> Iterator[Record]:
        """Yield the records below the path `parts`, then check the page's end."""
        if not self._peek():
            raise FileProblem("the file is empty", "fetch the page again")
        yield from self._read_below(parts, ".".join(parts))
        if self._peek():
            raise FileProblem(
                "there is text after the end of the page", "fetch the page again"
            )

    def _read_below(self, parts: list[str], path: str) -> Iterator[Record]:
        if not parts:
            if self._peek() != "[":
                raise FileProblem(
                    f"{path or 'the page'} is no list of records",
                    "fetch the page again, or change record_path in the contract",
                )
            for _ in self._read_members("[", "]"):
                self._records += 1
                yield self._decode()
            return
        names: list[str] = []
        is_found = False
        shown = "it has no fields"
        if self._peek() == "{":
            for name in self._read_members("{", "}"):
                if len(names) < SHOWN_NAMES:
                    names.append(make_printable(str(name), SHOWN_CHARACTERS))
                    shown = f"it has {', '.join(names)}"
                if name == parts[0]:
                    is_found = True
                    yield from self._read_below(parts[1:], path)
                else:
                    self._skip()
        else:
            # Not more of it, which may be somebody's data.
            shown = f"it begins with {self._peek()!r}"
        if not is_found:
            raise FileProblem(
                f"the page has no {path} ({shown})",
                "fetch the page again, or change record_path in the contract",
            )

    def _read_members(self, opening: str, closing: str) -> Iterator[object]:
        """Stop before each value of a list or object; yield the object's names."""
        self._take(opening)
        if self._peek() == closing:
            self._position += 1
            return
        while True:
            name = None
            if opening == "{":
                if self._require() != '"':
                    raise self._refuse(f"{self._peek()!r} stands where a name should")
                name = self._decode()[0]
                self._take(":")
            self._require()
            yield name
            if self._require() == closing:
                self._position += 1
                return
            self._take(",")
            if self._require() == closing:
                raise self._refuse(f"a comma stands before {closing!r}")

    def _skip(self) -> None:
        if self._require() == "[":
            for _ in self._read_members("[", "]"):
                self._decode()
        else:
            self._decode()

    def _decode(self) -> Record:
        """Decode the next value, reading on as long as it may only be cut off."""
        self._require()
        while True:
            try:
                value, end, problem = self._decoder.decode(self._text, self._position)
            except json.JSONDecodeError as error:
                is_cut_off = error.pos + CUT_OFF_DISTANCE >= len(
                    self._text
                ) or error.msg.startswith("Unterminated string")
                if not is_cut_off:
                    raise self._refuse(f"it is no valid JSON ({error.msg})") from error
                if len(self._text) - self._position > LONGEST_RECORD:
                    raise self._refuse("a record has no end") from error
                is_wrong = self._goes_on_after(error)
                # To twice the text: a long record is decoded but a few times.
                length = 2 * (len(self._text) - self._position)
                if not self._fill(min(length, LONGEST_RECORD + 1)):
                    if is_wrong:
                        raise self._refuse(
                            f"it is no valid JSON ({error.msg})"
                        ) from error
                    raise _half_written("page", self._records or None) from error
                continue
            except RecursionError as error:
                raise self._refuse("it is nested too deep") from error
            if self._may_go_on(end):
                if self._fill():
                    continue
                if end < len(self._text):
                    raise _half_written("page", self._records or None)
            raw = self._text[self._position : end]
            self._position = end
            return value, raw, problem

    def _goes_on_after(self, error: json.JSONDecodeError) -> bool:
        """Tell whether the page's last value is wrong rather than cut off."""
        rest = self._text[error.pos :]
        return not error.msg.startswith("Unterminated") and bool(set(rest) & set("]}"))

    def _may_go_on(self, end: int) -> bool:
        """Tell whether a number was cut off: "12" of "12.5e3", with "", "." or "e-"."""
        rest = self._text[end : end + 3]
        return self._text[end - 1] not in '"}]' and not rest.lstrip(".eE+-")

    def _refuse(self, reason: str) -> FileProblem:
        return FileProblem(
            f"the page cannot be read: {reason}",
            "fetch the page again",
            self._records or None,
        )

    def _peek(self) -> str:
        """Return the next character that is no whitespace; nothing at the end."""
        while True:
            text, position = self._text, self._position
            while position < len(text) and text[position] in WHITESPACE:
                position += 1
            self._position = position
            if position < len(text):
                return text[position]
            if not self._fill():
                return ""

    def _require(self) -> str:
        character = self._peek()
        if not character:
            raise _half_written("page", self._records or None)
        return character

    def _take(self, expected: str) -> None:
        if self._require() != expected:
            raise self._refuse(f"{self._peek()!r} stands where {expected!r} should")
        self._position += 1

    def _fill(self, wanted: int = 1) -> bool:
        """Read on, to `wanted` characters where there are so many; False at the end."""
        pieces = [self._text[self._position :]]
        length = len(pieces[0])
        for text in self._texts:
            pieces.append(text)
            length += len(text)
            if text and length >= wanted:
                break
        is_more = length > len(pieces[0])
        self._text = "".join(pieces)
        self._position = 0
        return is_more


def _half_written(noun: str, row: int | None) -> FileProblem:
    return FileProblem(
        f"the {noun} is half-written: it breaks off before its end",
        "transfer it again, or fetch it again from the vendor",
        row,
    )
