"""Text out of bytes: the lines of a file in its declared encoding.

In: a stream of bytes. Out: lines with their newline kept. Bytes that are not valid
become lone surrogates, so that one damaged row does not stop a file; a file that as a
whole is in another encoding is refused.
"""

import codecs
import io
from collections.abc import Iterator, Sequence

from include.contracts import UTF_8_NAMES
from include.loading.file_content import CHUNK_BYTES, ByteSource, FileProblem

LONGEST_LINE = 1 << 25
# More undecodable records than this, and more than one, is another encoding.
WRONG_SHARE = 0.01
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class LongLine(FileProblem):
    """A line is too long for memory."""

    def __init__(self) -> None:
        super().__init__(
            f"a line is longer than {LONGEST_LINE >> 20} million characters",
            "check that the file is what the contract says",
        )


class EncodingCheck:
    """Tells from a stream of bytes whether a file declared otherwise is UTF-8."""

    def __init__(self, encoding: str) -> None:
        name = codecs.lookup(encoding).name
        self._is_open = name not in UTF_8_NAMES and not name.startswith("utf-")
        self._has_found = False
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    @property
    def is_utf_8(self) -> bool:
        """Whether all that was fed is UTF-8, and not merely ASCII."""
        return self._is_open and self._has_found

    def feed(self, block: bytes) -> None:
        """Look at the next bytes."""
        if not self._is_open or (block.isascii() and not self._decoder.getstate()[0]):
            return
        try:
            text = self._decoder.decode(block)
        except UnicodeDecodeError:
            self._is_open = False
        else:
            self._has_found = self._has_found or not text.isascii()


def read_blocks(content: ByteSource) -> Iterator[bytes]:
    """Cut a stream into blocks that end at a newline (the last one: at the end).

    Raises LongLine.
    """
    rest = b""
    while chunk := content.read(CHUNK_BYTES):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield b"".join((rest, memoryview(chunk)[:cut]))
            rest = chunk[cut:]
        else:
            rest += chunk
        if len(rest) > LONGEST_LINE:
            raise LongLine
    if rest:
        yield rest


def read_text(content: ByteSource, encoding: str) -> Iterator[str]:
    """Decode a stream piece by piece; a byte-order mark is left out.

    Raises FileProblem when the file is in another encoding as a whole.
    """
    name = codecs.lookup(encoding).name
    is_utf_8 = name in UTF_8_NAMES
    has_wide_units = is_multibyte(name)
    decoder = codecs.getincrementaldecoder("utf-8-sig" if is_utf_8 else encoding)(
        "strict" if has_wide_units else "surrogateescape"
    )
    check = EncodingCheck(encoding)
    is_first = True
    while block := content.read(CHUNK_BYTES):
        if is_first and not has_wide_units and block.startswith(UTF_16_MARKS):
            raise FileProblem(
                f"the contract says {encoding}, but the bytes are UTF-16",
                "write encoding: utf-16 into the contract, or export it as declared",
            )
        check.feed(block)
        if is_first and check.is_utf_8:
            raise _refuse_utf_8(encoding)
        is_first = False
        try:
            text = decoder.decode(block)
        except UnicodeError as error:
            raise refuse_encoding(encoding) from error
        yield text
    if check.is_utf_8:
        raise _refuse_utf_8(encoding)
    try:
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise FileProblem(
            "the file ends in the middle of a character",
            "transfer it again, or export it again",
        ) from error


def read_lines(content: ByteSource, encodings: Sequence[str]) -> Iterator[str]:
    """Split a file into lines at newlines only, each with its newline.

    Several encodings: each line has the first that fits it, a byte-order mark is left
    out. Raises FileProblem for a line too long for memory, and as `read_text` does.
    """
    encoding, *others = encodings
    if others:
        yield from _read_mixed_lines(content, encodings)
        return
    rest = ""
    for text in read_text(content, encoding):
        cut = text.rfind("\n") + 1
        if not cut:
            rest += text
            if len(rest) > LONGEST_LINE:
                raise LongLine
            continue
        yield from io.StringIO(rest + text[:cut], newline="\n")
        rest = text[cut:]
    if rest:
        yield rest


def _read_mixed_lines(content: ByteSource, encodings: Sequence[str]) -> Iterator[str]:
    for number, block in enumerate(read_blocks(content)):
        if number == 0:
            block = block.removeprefix(codecs.BOM_UTF8)
        for line in io.BytesIO(block):
            yield _decode_line(line, encodings)


def _decode_line(line: bytes, encodings: Sequence[str]) -> str:
    for encoding in encodings:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode(encodings[0], "surrogateescape")


def is_multibyte(name: str) -> bool:
    """Tell whether every character of an encoding takes two bytes or more."""
    return name.startswith(("utf-16", "utf-32"))


def has_undecoded(text: str) -> bool:
    """Tell whether text holds bytes that could not be decoded."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class UndecodedCount:
    """Counts undecodable records; many of them mean another encoding."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._count = 0
        self._first_row = 0

    def add(self, row_number: int) -> str:
        """Count one and return the reason for its reject."""
        self._count += 1
        self._first_row = self._first_row or row_number
        return f"bytes that are not {self._encoding}"

    def check(self, rows: int) -> None:
        """Raise FileProblem when too many of `rows` records were undecodable."""
        if self._count > max(1, rows * WRONG_SHARE):
            raise refuse_encoding(self._encoding, self._first_row)


def refuse_encoding(encoding: str, row: int | None = None) -> FileProblem:
    """Make the error of a file that is not in its declared encoding."""
    return FileProblem(
        f"the bytes are not {encoding}, which the contract says",
        "write the file's encoding (perhaps cp1252) into the contract, or export it as "
        "declared",
        row,
    )


def _refuse_utf_8(encoding: str) -> FileProblem:
    return FileProblem(
        f"the contract says {encoding}, but the bytes are UTF-8",
        "write encoding: utf-8 into the contract, or export it as declared",
    )
