"""How the names of columns are made of what header rows say.

In: cells of header rows. Out: names without markup, and one name per column where two
rows make it together: a question above, its answer options below.
"""

import html
import re
from collections.abc import Container, Sequence

from include.contracts import HeaderOptionsContract

# Not every "<": "Income < 50" is no markup.
MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>")
# What has no width, and the mark that stands first in a file.
INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
# What tables that were read and written again by a program say where nothing stood.
NOTHING = re.compile(r"Unnamed: \d+(_level_\d+)?")


def clean_name(text: str) -> str:
    """Return a header without markup, in one line, with single blanks."""
    plain = html.unescape(MARKUP.sub(" ", text))
    return " ".join(INVISIBLE.sub("", plain).split())


def simplify_header(text: str) -> str:
    """Return what a header is compared by where it is not there as it is declared:
    without HTML, in small letters, with single blanks."""
    return clean_name(text).casefold()


def is_options_row(row: Sequence[str], declared: Sequence[int]) -> bool:
    """Tell whether a second row goes on with the header: it says nothing of a record.

    `declared` are the places of the columns that the contract knows, the record's
    number among them.
    """
    return not any(_take_text(row, place) for place in declared)


def join_names(
    declared_as: HeaderOptionsContract,
    questions: Sequence[str],
    options: Sequence[str],
    declared: Container[int],
) -> list[str]:
    """Return a name for each column: of its question, and of its option if it has one.

    A question stands over the first of its columns only.
    """
    names = []
    question = ""
    plain = {simplify_header(option) for option in declared_as.plain}
    for place in range(max(len(questions), len(options))):
        own = _take_text(questions, place)
        option = _take_text(options, place)
        if own or place in declared:
            question = own
        if simplify_header(option) in plain:
            option = ""
        if question and option:
            names.append(f"{question}{declared_as.joined_by}{option}")
        else:
            names.append((option or question) if own or option else "")
    return names


def _take_text(row: Sequence[str], place: int) -> str:
    """Return what a cell says; nothing for what only stands for an empty one."""
    text = row[place].strip() if place < len(row) else ""
    return "" if NOTHING.fullmatch(text) else text
