"""Drafts of `make new-source`: dbt takes them, their tests pass, and the file that each
was made of is loaded without loss. A bank's export made up to be hard, and real ones.
"""

import csv
import importlib.util
import inspect
import io
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from include import night
from include.building.dbt import Dbt
from include.embedded.postgres import EmbeddedPostgres
from include.new_source import make_source, read_content
from include.settings import PROJECT_FOLDER, Settings, connect
from tests.conftest import database_name, open_database, settings_of
from tests.include.new_source.bank_export import ROWS, write_bank_export
from tests.staging.stage_world import Stage

BANK = "bank.complaints"
# Of a store of documents, whose key begins with _.
DOCUMENTS = "store.moods"
# Real exports of each format.
REAL = {
    "desk.incidents": "ticket_servicenow/incident_event_log.csv.gz",
    "phone.customers": "crm_telco/Telco_customer_churn.xlsx",
    "ratings.reviews": "survey_reviews/laroseda_test.json",
    "poll.answers": "survey_surveymonkey/thanksgiving-2015-poll-data.csv",
    "guests.reviews": "survey_reviews/restaurants_es.xlsx",
}
# Of a large one a part will do.
LARGEST = 10_000
REAL_ROWS = {
    "desk.incidents": LARGEST,
    "phone.customers": 7_043,
    "ratings.reviews": 3_000,
    "poll.answers": 1_058,
    "guests.reviews": 15_963,
}


SHARED = Path(
    os.environ.get("CX_SHARED_DATA") or PROJECT_FOLDER.parent / "shared" / "data"
)


def read_part(path: Path) -> bytes:
    """The content of a file; of a large table its first rows."""
    content = read_content(path)
    if path.name.endswith(".csv.gz"):
        content = b"".join(content.splitlines(keepends=True)[: LARGEST + 1])
    return content


@dataclass
class Drafts:
    """A copy of the project with drafts in it, and a database of their views."""

    settings: Settings
    files: dict[str, Path]
    open_stage: Callable[[], "contextmanager[Stage]"]


@pytest.fixture(scope="module")
def drafts(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Drafts]:
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(
        PROJECT_FOLDER / "dbt_project",
        project / "dbt_project",
        ignore=shutil.ignore_patterns("target", "logs"),
    )
    bank = project / "complaints.txt"
    bank.write_bytes(write_bank_export())
    documents = project / "moods.jsonl"
    documents.write_text(
        "".join(f'{{"_id": "k{n}", "mood": {{"is": "good"}}}}\n' for n in range(30))
    )
    files = {BANK: bank, DOCUMENTS: documents}
    for feed, path in REAL.items():
        if (SHARED / path).exists():
            files[feed] = project / Path(path).name.removesuffix(".gz")
            files[feed].write_bytes(read_part(SHARED / path))
    for feed, file in files.items():
        system, _, name = feed.partition(".")
        make_source(project, system, file, name, None)
    with open_database(postgres_server, template="template1") as url:
        settings = replace(
            settings_of(url, project / "landing"),
            project_folder=project,
            report_folder=project / "report",
            sources=tuple(feed.partition(".")[0] for feed in files),
        )
        night.prepare(settings)
        outcomes = Dbt(settings).build(
            select=["path:models/staging"], exclude=["resource_type:test"]
        )
        assert {outcome.status for outcome in outcomes} == {"success"}
        assert len(outcomes) == len(files)

        @contextmanager
        def open_stage() -> Iterator[Stage]:
            with open_database(postgres_server, database_name(url)) as copy:
                landing = tmp_path_factory.mktemp("landing")
                yield Stage(
                    replace(settings, database_url=copy, landing_url=str(landing))
                )

        yield Drafts(settings, files, open_stage)


def test_the_hostile_export_is_loaded_cell_by_cell(drafts: Drafts) -> None:
    content = write_bank_export()
    with drafts.open_stage() as stage:
        staged = stage.load(BANK, content, "complaints.txt")
        columns = [column.name for column in stage.find_contract(BANK).columns]
        with connect(stage.settings) as connection:
            raw = connection.execute(
                f"select {', '.join(columns)} from raw_bank.complaints"  # type: ignore[arg-type]
                " order by _row_number"
            ).fetchall()
    sent = list(csv.reader(io.StringIO(content.decode("cp1252")), delimiter=";"))[3:]
    nothing = ("", " ", "-")
    assert raw == [
        tuple(None if cell in nothing else cell.replace("\r\n", "\n") for cell in row)
        for row in sent[:-1]
    ]
    assert len(staged) == ROWS
    assert not any(row["is_quarantined"] for row in staged)
    # The last line says what the others add up to.
    *sent, footer = sent
    total = Decimal(footer[10].replace(".", "").replace(",", "."))
    assert sum(row["valor_contestado_r"] for row in staged) == total
    closed = [row[3] for row in sent if row[3] not in nothing]
    assert sum(row["encerrada_em"] is not None for row in staged) == len(closed)


def test_the_drafted_tests_pass(drafts: Drafts) -> None:
    checks = 0
    for path in (drafts.settings.project_folder / "tests/staging").glob("test_*.py"):
        found = importlib.util.spec_from_file_location(path.stem, path)
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        for name, check in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_"):
                with drafts.open_stage() as stage:
                    check(stage)
                checks += 1
    assert checks > len(drafts.files)


def test_documents_are_staged_by_their_own_key(drafts: Drafts) -> None:
    with drafts.open_stage() as stage:
        content = drafts.files[DOCUMENTS].read_bytes()
        staged = stage.load(DOCUMENTS, content, "moods.jsonl")
    assert [row["natural_key"] for row in staged] == [f"k{n}" for n in range(30)]
    assert {row["mood_is"] for row in staged} == {"good"}


@pytest.mark.parametrize("feed", sorted(REAL))
def test_a_real_export_is_staged_row_by_row(
    drafts: Drafts, shared_data: Path, feed: str
) -> None:
    file = drafts.files[feed]
    with drafts.open_stage() as stage:
        staged = stage.load(feed, file.read_bytes(), file.name)
    assert len(staged) == REAL_ROWS[feed]
    assert not any(row["is_quarantined"] for row in staged)
    if feed == "phone.customers":
        assert sum(row["cltv"] for row in staged) == 30_991_283
        assert sum(row["churn_label"] for row in staged) == 1_869
        assert sum(row["total_charges"] is None for row in staged) == 11
    if feed == "ratings.reviews":
        stars = Counter(row["star_rating"] for row in staged)
        assert stars == {1: 1_102, 2: 398, 4: 244, 5: 1_256}
