"""What a JSON record may hold to become a jsonb value, decided on its raw text.

Records are stored as their own text, so numbers arrive digit by digit as sent; parsing
here only finds where a record ends and what PostgreSQL would refuse in it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from include.errors import make_printable
from include.loading.text_lines import has_undecoded

# What only a closer look can clear: an escaped NUL or half of a surrogate pair.
SUSPICIOUS_ESCAPE = re.compile(r"\\u(0000|[dD][89a-fA-F])")
LARGEST_EXPONENT = 1000
LONGEST_NUMBER = 1000
SHOWN_CHARACTERS = 60


class JsonDecoder:
    """Decodes one value at a time and remembers what jsonb cannot hold."""

    def __init__(self) -> None:
        self._problem: str | None = None
        build = partial(
            json.JSONDecoder,
            object_pairs_hook=self._check_names,
            parse_constant=self._note_constant,
            parse_float=self._check_number,
            parse_int=str,
        )
        self._strict = build()
        # Control characters inside strings are an error in the record, not in the page.
        self._lenient = build(strict=False)

    def decode(self, text: str, start: int) -> tuple[object, int, str | None]:
        """Decode the value that starts at `start`.

        Returns the value (numbers as text), where it ends, and a reason to reject it.
        Raises json.JSONDecodeError, RecursionError.
        """
        self._problem = None
        try:
            value, end = self._strict.raw_decode(text, start)
        except json.JSONDecodeError as error:
            if not error.msg.startswith("Invalid control character"):
                raise
            value, end = self._lenient.raw_decode(text, start)
            return value, end, "a control character inside a string"
        return value, end, self._problem

    def _check_names(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        value = dict(pairs)
        if len(value) != len(pairs):
            # jsonb would keep the last value and say nothing.
            counts = Counter(name for name, _ in pairs)
            name = make_printable(counts.most_common(1)[0][0], SHOWN_CHARACTERS)
            self._problem = f"the field {name} comes twice"
        return value

    def _note_constant(self, name: str) -> None:
        self._problem = f"a number that is not finite ({name})"

    def _check_number(self, text: str) -> str:
        exponent = text.lower().partition("e")[2]
        # A long number's exponent may have more digits than int() takes.
        if len(text) > LONGEST_NUMBER or (
            exponent and abs(int(exponent)) > LARGEST_EXPONENT
        ):
            self._problem = "a number larger than the database can hold"
        return text


def find_problem(value: object, raw: str, required: Sequence[str]) -> str | None:
    """Return why a decoded record cannot be stored; None when it can."""
    if not isinstance(value, dict):
        return "the record is not an object"
    if "\\u" in raw and SUSPICIOUS_ESCAPE.search(raw):
        for text in _walk_strings(value):
            if "\0" in text:
                return "a NUL character (\\u0000)"
            if has_undecoded(text):
                return "half of a surrogate pair (\\ud800 to \\udfff)"
    for name in required:
        if name not in value:
            return f"the required field {name} is missing"
    return None


def _walk_strings(value: object) -> Iterator[str]:
    """Yield all strings in a value, however deep: without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            yield from item
            waiting.extend(item.values())
