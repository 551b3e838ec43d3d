"""Where the records of a JSON file are.

In: the text of a file. Out: JSON lines, or a page with the path to its list of records.
"""

import json
from collections.abc import Iterator

from include.errors import WarehouseError

# Lists of records lie no deeper in what APIs send.
DEEPEST = 4


def find_records(text: str) -> tuple[str, str | None]:
    """Return the format, jsonl or json, and of json the path to its records.

    Raises WarehouseError: the text is no JSON, or holds no records.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    try:
        if len(lines) > 1 and isinstance(json.loads(lines[0]), dict):
            return "jsonl", None
    except json.JSONDecodeError:
        # A page that is written over several lines.
        pass
    try:
        page = json.loads(text)
    except json.JSONDecodeError as error:
        raise WarehouseError(
            f"The file begins as JSON and is none ({error}): fetch it again."
        ) from error
    found = sorted(_find_lists(page, ""), key=lambda place: -place[0])
    if not found:
        if isinstance(page, dict):
            return "jsonl", None
        raise WarehouseError(
            "The JSON holds no list of records: take a page of an export with some."
        )
    return "json", found[0][1]


def _find_lists(value: object, path: str) -> Iterator[tuple[int, str]]:
    """Yield how many records each list of objects holds, and the path to it."""
    if isinstance(value, list):
        if value and all(isinstance(item, dict) for item in value):
            yield len(value), path
    elif isinstance(value, dict) and path.count(".") < DEEPEST:
        for name, part in value.items():
            # A point inside a name cannot be told from one between two names.
            if "." not in name:
                yield from _find_lists(part, f"{path}.{name}" if path else name)
