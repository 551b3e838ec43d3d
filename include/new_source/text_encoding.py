"""In which encoding a file of text is.

In: its bytes. Out: the name of an encoding that reads them, and doubts in words. UTF-8
is certain where it fits: no other text looks like it by chance. Of the encodings with
one byte a letter nearly all fit every file, so the one that gives most letters and
signs of the languages that exports come in is proposed, for a person to confirm.
"""

import codecs
from collections import Counter
from dataclasses import dataclass

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Those of Windows first: of two that fit equally well the first is proposed.
ONE_BYTE = ("cp1252", "cp1250", "cp850", "mac_roman")
EXPECTED = frozenset(
    "áàâãäåçéèêëíìîïñóòôõöúùûüășțşţÁÀÂÃÄÅÇÉÈÊËÍÌÎÏÑÓÒÔÕÖÚÙÛÜĂȘȚŞŢßøØæÆ"
    "ªº°€£–—‘’“”…«»·¿¡\xa0"
)
# A few damaged rows are no other encoding (include/loading/text_lines.py).
DAMAGED_SHARE = 0.01
SHOWN_CHARACTERS = 8


@dataclass(frozen=True)
class EncodingGuess:
    """An encoding as contracts name it, and what is not certain about it."""

    encoding: str
    doubts: tuple[str, ...] = ()


def guess_encoding(content: bytes) -> EncodingGuess:
    """Find an encoding for the bytes of a file."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return EncodingGuess(encoding)
    if 0 in content[:4096]:
        # Text has no NUL, but in UTF-16, where every other byte of plain words is one.
        return EncodingGuess("utf-16-le" if content[1:2] == b"\0" else "utf-16-be")
    lines = content.split(b"\n")
    damaged = sum(not _is_utf_8(line) for line in lines)
    if not damaged:
        return EncodingGuess("utf-8")
    if damaged <= len(lines) * DAMAGED_SHARE and _has_utf_8_letters(lines):
        return EncodingGuess(
            "utf-8",
            (
                f"{damaged:,} of {len(lines):,} lines are not UTF-8 though the others"
                " are: they will be rejects; have the export mended",
            ),
        )
    return _guess_one_byte(content)


def _guess_one_byte(content: bytes) -> EncodingGuess:
    present = Counter(byte for byte in content if byte >= 0x80)
    fit = {encoding: _count_expected(present, encoding) for encoding in ONE_BYTE}
    best = max(ONE_BYTE, key=lambda encoding: fit[encoding])
    shown = " ".join(
        bytes([byte]).decode(best, "replace")
        for byte, _ in present.most_common(SHOWN_CHARACTERS)
    )
    others = [name for name in ONE_BYTE if name != best and fit[name] == fit[best]]
    doubt = (
        f"encoding: no UTF-8, so taken for {best}; its most frequent letters would be"
        f" {shown}"
    )
    if others:
        doubt += f" ({' and '.join(others)} would fit as well)"
    return EncodingGuess(best, (f"{doubt}: look whether names and words read well",))


def _count_expected(present: Counter[int], encoding: str) -> int:
    """Count the bytes that are letters or signs that exports use."""
    return sum(
        count
        for byte, count in present.items()
        if bytes([byte]).decode(encoding, "replace") in EXPECTED
    )


def _is_utf_8(line: bytes) -> bool:
    if line.isascii():
        return True
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_utf_8_letters(lines: list[bytes]) -> bool:
    return any(not line.isascii() and _is_utf_8(line) for line in lines)
