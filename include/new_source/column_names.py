"""What raw calls the columns of an export.

In: the headers as the reader sees them. Out: plain lower-case names, each once, that
SQL takes without quotes.
"""

import re
import unicodedata
from collections.abc import Sequence

LONGEST_NAME = 48
MARKUP = re.compile(r"<[^>]*>|&\w+;")
# Between the words of customerId, CustomerID and HTTPStatus.
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Words of SQL that no column may be called, and names that staging views use.
TAKEN = frozenset(
    re.findall(
        r"\w+",
        """all analyse analyze and any array as asc between both case cast check collate
        column constraint create current_date current_time default desc distinct do else
        end except false fetch for foreign from grant group having in initially inner
        into is join lateral leading left like limit natural not null offset on only or
        order outer over overlaps placing primary references returning right select
        session_user similar some symmetric table then to trailing true union unique
        user using variadic when where window with record natural_key is_quarantined
        quarantine_reason source""",
    )
)


def name_columns(headers: Sequence[str]) -> list[str]:
    """Return a name for each header, in their order."""
    names: list[str] = []
    for position, header in enumerate(headers, start=1):
        name = _cut("_".join(split_words(header)))
        if not name:
            name = f"column_{position}"
        elif name[0].isdigit():
            name = f"column_{name}"
        elif name in TAKEN:
            name = f"{name}_value"
        unique, number = name, 1
        while unique in names:
            number += 1
            unique = f"{name}_{number}"
        names.append(unique)
    return names


def split_words(header: str) -> list[str]:
    """Return the words of a header in plain small letters, as ["data", "de"]."""
    text = HUMP.sub(" ", MARKUP.sub(" ", header)).casefold()
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z]+|\d+", plain)


def _cut(name: str) -> str:
    """Shorten a name to whole words."""
    if len(name) <= LONGEST_NAME:
        return name
    return name[: LONGEST_NAME + 1].rpartition("_")[0] or name[:LONGEST_NAME]
