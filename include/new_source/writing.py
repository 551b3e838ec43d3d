"""The drafts, written where they belong.

In: a `SourceDraft` and the project's folder. Out: new files, and the lines that are
added to files that are there: a further table to a system's contracts, the switch of a
new system to dbt_project.yml. Nothing that is there is overwritten; when a draft turns
out to be no contract, what was added is taken back.
"""

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import yaml

from include.contracts import STAGING_FOLDER, FeedContract, read_contract_file
from include.errors import WarehouseError
from include.loading.readers import read_rows
from include.new_source.check_draft import write_check
from include.new_source.contract_draft import write_head, write_table
from include.new_source.source_draft import SourceDraft
from include.new_source.staging_draft import write_view

CHECKS_FOLDER = Path("tests/staging")
PROJECT_FILE = Path("dbt_project/dbt_project.yml")
# After the switch of the last system that is there.
LAST_SWITCH = re.compile(r"(?:^      \w+:\n        \+enabled: .*\n)+", re.MULTILINE)
SWITCH = (
    "      {system}:\n"
    "        +enabled: \"{{{{ '{system}' in env_var('CX_SOURCES',"
    " 'hubspot,qualtrics,zendesk').replace('@', ',').split(',') }}}}\"\n"
)


@dataclass(frozen=True)
class WrittenDraft:
    """The files of a draft, below the project's folder, and its contract."""

    contracts: Path
    view: Path
    check: Path
    contract: FeedContract
    rows_read: int
    rows_rejected: int


def write_draft(draft: SourceDraft, content: bytes, project: Path) -> WrittenDraft:
    """Write the drafts of a feed, and read its file again by its own contract.

    Raises WarehouseError: the feed is there already, or a file of its name.
    """
    folder = STAGING_FOLDER / draft.system
    contracts = folder / f"_{draft.system}__sources.yml"
    view = folder / f"stg_{draft.system}__{draft.feed}.sql"
    check = CHECKS_FOLDER / f"test_{draft.system}_{draft.feed}.py"
    for path in (view, check):
        if (project / path).exists():
            raise WarehouseError(
                f"{path} is there already, and nothing is overwritten: name another"
                " feed (FEED=…), or remove it first."
            )
    is_new = not (project / contracts).exists()
    if not is_new:
        _check_system(draft, project / contracts)
    changes = {
        contracts: (write_head(draft) if is_new else _read(project / contracts) + "\n")
        + write_table(draft),
        PROJECT_FILE: _add_switch(draft, _read(project / PROJECT_FILE)),
        view: write_view(draft),
        check: write_check(draft),
    }
    before = {path: _read_if_any(project / path) for path in changes}
    try:
        for path, text in changes.items():
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_text(text, encoding="utf-8")
        contract = next(
            found
            for found in read_contract_file(project / contracts)
            if found.feed == draft.feed
        )
        read, rejected = _count_rows(contract, content)
    except BaseException:
        for path, old in before.items():
            if old is None:
                (project / path).unlink(missing_ok=True)
            else:
                (project / path).write_text(old, encoding="utf-8")
        raise
    return WrittenDraft(contracts, view, check, contract, read, rejected)


def _check_system(draft: SourceDraft, path: Path) -> None:
    present = read_contract_file(path)
    if any(contract.feed == draft.feed for contract in present):
        raise WarehouseError(
            f"{path.name} has a contract of {draft.system}.{draft.feed} already, and"
            " nothing is overwritten: name another feed (FEED=…), or remove it first."
        )


def _add_switch(draft: SourceDraft, text: str) -> str:
    """Return dbt_project.yml with the switch of the system."""
    models = yaml.safe_load(text)["models"]["customer_experience"]["staging"]
    if draft.system in models:
        return text
    place = LAST_SWITCH.search(text)
    if place is None:
        raise WarehouseError(
            f"{PROJECT_FILE} has no switches of systems below models: staging: add"
            f" one by hand:\n{SWITCH.format(system=draft.system)}"
        )
    return (
        text[: place.end()] + SWITCH.format(system=draft.system) + text[place.end() :]
    )


def _count_rows(contract: FeedContract, content: bytes) -> tuple[int, int]:
    """Read the file by its contract; return how many rows it has, and rejects."""
    rows = rejects = 0
    for batch in read_rows(contract, BytesIO(content)).batches:
        rows += len(batch.rows)
        rejects += len(batch.rejects)
    return rows + rejects, rejects


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _read_if_any(path: Path) -> str | None:
    return _read(path) if path.exists() else None
