"""`make new-source`: look at an export, and draft all that a new source needs.

In: one export of a system that no contract knows. Out: a draft of its contract, staging
view and test, what the drafts are not sure of, and what to do next.

    file_layout (text_encoding, header_rows, json_layout) -> sample_rows
    -> value_kinds (date_order), null_markers, personal_data (check_digits), keys
    -> source_draft -> contract_draft, staging_draft, check_draft -> writing
"""

import re
from pathlib import Path

from include.contracts import NAME_PATTERN, Role
from include.errors import WarehouseError
from include.loading.file_content import FileProblem, StoredBytes, open_content
from include.new_source.column_names import TAKEN, split_words
from include.new_source.source_draft import SourceDraft, draft_source
from include.new_source.writing import WrittenDraft, write_draft

CHUNK_BYTES = 1 << 20
NIGHT = "2026-11-19"


def make_source(
    project: Path, system: str, file: Path, feed: str, role: Role | None
) -> list[str]:
    """Draft a feed from one of its exports; return what a person is told.

    Parameters
    ----------
    feed : its name, or empty: the first words of the file's name

    Raises WarehouseError when the file cannot be read, or is there already.
    """
    feed = feed or name_feed(file)
    for name, variable in ((system, "SYSTEM"), (feed, "FEED")):
        if not NAME_PATTERN.fullmatch(name) or name in TAKEN:
            raise WarehouseError(
                f"{variable} is {name!r}: use small letters, digits and _, beginning"
                " with a letter, and no word of SQL."
            )
    content = read_content(file)
    draft = draft_source(content, file.name, system, feed, role)
    written = write_draft(draft, content, project)
    return describe(draft, written, file)


def name_feed(file: Path) -> str:
    """Return the words of a file's name, without dates, as a name."""
    words = [word for word in split_words(file.name.split(".")[0]) if word.isalpha()]
    return re.sub(r"_+", "_", "_".join(words))[:40].strip("_")


def read_content(file: Path) -> bytes:
    """Read a file, unpacked. Raises WarehouseError when it cannot be read."""
    try:
        with file.open("rb") as stored:
            source = StoredBytes(stored)
            with open_content(source, file.name) as content:
                pieces = []
                while piece := content.read(CHUNK_BYTES):
                    pieces.append(piece)
                return b"".join(pieces)
    except OSError as error:
        raise WarehouseError(
            f"FILE is {file}, which cannot be read ({error.strerror}): give an export."
        ) from error
    except FileProblem as problem:
        raise WarehouseError(
            f"{file}: {problem.reason}; {problem.remedy}."
        ) from problem


def describe(draft: SourceDraft, written: WrittenDraft, file: Path) -> list[str]:
    """Say what was written, what is unsure, and what to do next."""
    key = " + ".join(column.name for column in draft.key) or "none"
    name = f"{draft.system}.{draft.feed}"
    return [
        f"{name}: {draft.layout.format}, {draft.layout.encoding},"
        f" {len(draft.columns)} columns, key {key}; of {written.rows_read:,} rows"
        f" {written.rows_read - written.rows_rejected:,} can be loaded,"
        f" {written.rows_rejected:,} are rejects.",
        "",
        "Written:",
        *(f"  {path}" for path in (written.contracts, written.view, written.check)),
        "  and the switch of the system in dbt_project/dbt_project.yml",
        "",
        "Not sure, yours to decide:" if draft.doubts else "Nothing was unclear.",
        *(f"  - {doubt}" for doubt in draft.doubts),
        "",
        "What to do next (CONTRIBUTING.md has it in full):",
        *(
            f"  {number}. {step}"
            for number, step in enumerate(_list_steps(draft, written, file), start=3)
        ),
    ]


def _list_steps(draft: SourceDraft, written: WrittenDraft, file: Path) -> list[str]:
    return [
        "Decide what is listed above, and replace every FILL IN in"
        f" {written.contracts}.",
        f"Correct the view: {written.view}.",
        f"make test TESTS={written.check}",
        f"Load it: put the file at <landing>/{draft.system}/{draft.feed}/{NIGHT}/"
        f"{file.name}, then CX_SOURCES={draft.system} make run LANDING=<landing>"
        f" NIGHT={NIGHT}",
        "Take it into the star: a line in dbt_project/macros/star_inputs.sql, and in"
        " the contract ends_in instead of left_out.",
        "Say it: docs/sources.md, CHANGELOG.md, and its name in"
        " include/scorecard/sources.py.",
    ]
