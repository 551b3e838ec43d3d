"""The verbs of a container: settings from the environment, one sentence each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.server import main
from include.settings import Settings
from tests.conftest import database_name
from tests.nights import execute, fetch

Heard = pytest.CaptureFixture[str]


@pytest.fixture
def prepared(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A warehouse without loads, made as the container `prepare` makes it."""
    for name, value in {
        "CX_DATABASE_URL": settings.database_url,
        "CX_LANDING_URL": settings.landing_url,
        "CX_KEY_SECRET": settings.key_secret,
        "CX_REPORT_FOLDER": str(settings.report_folder),
    }.items():
        monkeypatch.setenv(name, value)
    other = f"{database_name(settings.database_url)}_airflow"
    for _ in range(2):
        assert main(["prepare", "--database", other]) == 0
    try:
        yield settings
    finally:
        execute(settings, f"drop database {other}")


def test_tables_roles_and_databases_are_made_once(prepared: Settings) -> None:
    assert fetch(prepared, "select count(*) from audit.loads") == [(0,)]
    assert fetch(prepared, "select from pg_roles where rolname = 'bi_reader'")
    name = f"{database_name(prepared.database_url)}_airflow"
    assert fetch(prepared, "select from pg_database where datname = %s", name)


def test_a_warehouse_is_saved_and_brought_back(
    prepared: Settings, tmp_path: Path, capsys: Heard
) -> None:
    capsys.readouterr()
    assert main(["backup", "--to", str(tmp_path)]) == 0
    folder = capsys.readouterr().out.split(":")[0]
    execute(prepared, "drop table audit.drift")
    assert main(["restore", folder]) == 1
    assert capsys.readouterr().err.startswith("restore: The database ")
    assert main(["restore", folder, "--replace"]) == 0
    assert "each as it was saved" in capsys.readouterr().out
    assert fetch(prepared, "select count(*) from audit.drift") == [(0,)]


@pytest.mark.parametrize(
    ("verb", "sentence"),
    [
        (["accept", "--load", "7"], "accept: Load 7 does not exist"),
        (["accept", "--build", "7"], "accept: Build 7 is not the last one"),
        (["rollback"], "rollback: "),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    prepared: Settings, capsys: Heard, verb: list[str], sentence: str
) -> None:
    assert main(verb) == 1
    told = capsys.readouterr().err
    assert told.startswith(sentence)
    assert told.count("\n") == 1


def test_a_held_load_is_put_in_force(prepared: Settings, capsys: Heard) -> None:
    execute(
        prepared,
        "insert into audit.loads (feed, batch_date, status, content_hash,"
        " contract_hash, run_id, held_reason)"
        " values ('a.b', '2026-01-01', 'held', '', '', 'r', 'doubt')",
    )
    assert main(["accept", "--load", "1"]) == 0
    assert "a.b of 2026-01-01 (load 1) is in force" in capsys.readouterr().out
    assert fetch(prepared, "select status from audit.loads") == [("accepted",)]
