"""The drafts, written: they are contracts, and nothing that is there is overwritten."""

import gzip
import shutil
from pathlib import Path

import pytest
import yaml

from include.contracts import STAGING_FOLDER, read_contracts
from include.errors import WarehouseError
from include.new_source import make_source
from include.settings import PROJECT_FOLDER
from tests.include.new_source.bank_export import write_bank_export

SOURCES = STAGING_FOLDER / "bank" / "_bank__sources.yml"
PROJECT_FILE = Path("dbt_project/dbt_project.yml")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the drafts are written into."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT_FOLDER / STAGING_FOLDER, folder / STAGING_FOLDER)
    shutil.copyfile(PROJECT_FOLDER / PROJECT_FILE, folder / PROJECT_FILE)
    return folder


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "complaints_2026-11-19.csv.gz"
    path.write_bytes(gzip.compress(write_bank_export(60)))
    return path


def read_tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_draft_is_a_contract_that_only_a_setting_switches_on(
    project: Path, export: Path
) -> None:
    before = read_contracts(project)
    lines = make_source(project, "bank", export, "", None)
    assert "bank.complaints: csv, cp1252, 16 columns" in lines[0]
    assert "of 60 rows 60 can be loaded, 0 are rejects" in lines[0]
    assert read_contracts(project) == before
    contract = read_contracts(project, ["bank"])["bank.complaints"]
    assert contract.null_markers == ("", " ", "-")
    assert contract.natural_key == ("protocolo",)
    assert contract.required_columns == ("protocolo", "data_de_abertura")
    assert contract.event_time == "data_de_abertura"
    assert (contract.date_order, contract.footer) == ("DMY", (r"(\w+ )?total\b.*",))
    columns = {column.name: column for column in contract.columns}
    assert columns["agencia_2"].headers == ("Agência__2",)
    assert columns["cpf"].personal_data == "identifier"
    view = (project / STAGING_FOLDER / "bank/stg_bank__complaints.sql").read_text()
    for name in ("nome_do_cliente", "cpf", "telefone", "e_mail"):
        assert f"complaints.{name}" not in view
    check = (project / "tests/staging/test_bank_complaints.py").read_text()
    compile(check, "draft", "exec")
    for name in ("Gonçalves", "@exemplo"):
        assert name not in view + check + (project / SOURCES).read_text()


def test_only_the_switch_is_added_to_what_is_there(project: Path, export: Path) -> None:
    before = read_tree(project)
    make_source(project, "bank", export, "complaints", "ticket")
    after = read_tree(project)
    changed = {name for name, text in before.items() if after[name] != text}
    assert changed == {str(PROJECT_FILE)}
    systems = yaml.safe_load(after[str(PROJECT_FILE)])["models"]["customer_experience"]
    switch = systems["staging"]["bank"]["+enabled"]
    assert "'bank' in env_var" in switch
    lines = f'      bank:\n        +enabled: "{switch}"\n'
    added = after[str(PROJECT_FILE)].decode().replace(lines, "")
    assert added == before[str(PROJECT_FILE)].decode()


def test_another_feed_joins_the_contracts_of_its_system(
    project: Path, export: Path
) -> None:
    make_source(project, "bank", export, "complaints", "ticket")
    first = (project / SOURCES).read_text()
    make_source(project, "bank", export, "disputes", "ticket")
    assert (project / SOURCES).read_text().startswith(first)
    assert set(read_contracts(project, ["bank"])) == {
        "bank.complaints",
        "bank.disputes",
    }


def test_nothing_is_overwritten(project: Path, export: Path) -> None:
    make_source(project, "bank", export, "complaints", "ticket")
    before = read_tree(project)
    with pytest.raises(WarehouseError, match="is there already"):
        make_source(project, "bank", export, "complaints", "ticket")
    view = STAGING_FOLDER / "bank/stg_bank__complaints.sql"
    (project / view).unlink()
    (project / "tests/staging/test_bank_complaints.py").unlink()
    with pytest.raises(WarehouseError, match=r"has a contract of bank\.complaints"):
        make_source(project, "bank", export, "complaints", "ticket")
    (project / SOURCES).unlink()
    (project / view).write_text("select 1")
    with pytest.raises(WarehouseError, match=r"stg_bank__complaints\.sql is there"):
        make_source(project, "bank", export, "complaints", "ticket")
    assert read_tree(project)[str(PROJECT_FILE)] == before[str(PROJECT_FILE)]
    assert (project / view).read_text() == "select 1"


def test_what_was_added_is_taken_back_when_it_is_no_contract(
    project: Path, tmp_path: Path
) -> None:
    # dbt reads {{ … }} in a header as code, and the only key is called so.
    export = tmp_path / "odd.csv"
    export.write_text("mood,{{ id }}\n" + "".join(f"good,{n}\n" for n in range(30)))
    before = read_tree(project)
    with pytest.raises(WarehouseError, match="used but not declared"):
        make_source(project, "odd", export, "moods", "survey")
    assert read_tree(project) == before


def test_the_key_of_a_document_store_may_begin_with_an_underscore(
    project: Path, tmp_path: Path
) -> None:
    export = tmp_path / "moods.jsonl"
    lines = (f'{{"_id": "k{number}", "mood": "good"}}\n' for number in range(30))
    export.write_text("".join(lines))
    make_source(project, "docs", export, "moods", "survey")
    contract = read_contracts(project, ["docs"])["docs.moods"]
    assert contract.natural_key == ("_id",)


@pytest.mark.parametrize(
    ("system", "feed", "words"),
    [
        ("Bank", "complaints", "SYSTEM is 'Bank'"),
        ("bank", "com plaints", "FEED is 'com plaints'"),
        ("bank", "order", "FEED is 'order'"),
    ],
)
def test_names_that_sql_does_not_take_are_refused(
    project: Path, export: Path, system: str, feed: str, words: str
) -> None:
    with pytest.raises(WarehouseError, match=words):
        make_source(project, system, export, feed, None)


def test_a_file_that_is_not_there_is_said(project: Path, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="which cannot be read"):
        make_source(project, "bank", tmp_path / "none.csv", "complaints", None)
