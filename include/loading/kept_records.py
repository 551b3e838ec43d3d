"""What is kept of a record that cannot be read, so that it can be read again.

In: a record as the file has it. Out: bytes that lose nothing of it, and the `Reject`
that holds them. Text is kept in the file's encoding, undecodable bytes included; cells
of a sheet or a Parquet file as JSON.
"""

import codecs
import json
import math
from collections.abc import Callable, Sequence
from functools import partial

from include.contracts import UTF_8_NAMES, FeedContract
from include.loading.batches import Reject, RejectMaker, Source, make_storable
from include.loading.sheet_reader import CellProblem
from include.loading.text_lines import is_multibyte


def find_kept_encoding(contract: FeedContract) -> str:
    """Return the encoding of kept text: the file's, or UTF-8 where that is multibyte.

    A file in a multibyte encoding has no undecodable bytes, and its text alone does not
    say in which order its bytes come.
    """
    name = codecs.lookup(contract.encoding).name
    return "utf-8" if is_multibyte(name) or name in UTF_8_NAMES else contract.encoding


def keep_text(contract: FeedContract, text: str) -> bytes:
    """Return the bytes that the text was in its file."""
    return text.encode(find_kept_encoding(contract), "surrogateescape")


def keep_cells(cells: Sequence[object], to_text: Callable[[object], str]) -> bytes:
    """Write cells as a JSON list of texts; half characters survive as escapes."""
    return json.dumps([_keep_cell(cell, to_text) for cell in cells]).encode()


def restore_cells(kept: bytes) -> list[object]:
    """Return the cells that `keep_cells` wrote."""
    return [_restore_cell(cell) for cell in json.loads(kept)]


def make_text_reject(
    contract: FeedContract,
    row_number: int,
    reason: str,
    source: Source,
    *,
    is_malformed: bool = False,
) -> Reject:
    """Make the reject of a record of text, without the end of its line."""
    text = str(source).rstrip("\r\n")
    return Reject(
        *(row_number, reason, make_storable(text), keep_text(contract, text)),
        is_malformed,
    )


def reject_texts_of(contract: FeedContract) -> RejectMaker:
    """Return what makes rejects of a feed's records of text."""
    return partial(make_text_reject, contract)


def _keep_cell(cell: object, to_text: Callable[[object], str]) -> object:
    match cell:
        # JSON has no such numbers, and as text they would pass for text.
        case float() if not math.isfinite(cell):
            return {"not_finite": repr(cell)}
        case CellProblem():
            return {"problem": cell.reason, "text": cell.text}
        case _:
            return to_text(cell)


def _restore_cell(kept: object) -> object:
    match kept:
        case {"not_finite": str(number)}:
            return float(number)
        case {"problem": str(reason), "text": str(text)}:
            return CellProblem(reason, text)
        case _:
            return kept
