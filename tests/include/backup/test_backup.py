"""What is saved comes back whole, and never over anything unasked."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from include import night
from include.backup import save
from include.backup.contents import read_contents
from include.backup.manifest import DUMP_NAME, MANIFEST_NAME
from include.backup.programs import run_program
from include.backup.restore import restore_warehouse
from include.backup.save import save_warehouse
from include.building.build_lock import build_lock
from include.embedded.postgres import EmbeddedPostgres
from include.errors import BuildError, WarehouseError
from include.settings import Settings, connect
from tests.conftest import database_name, open_database
from tests.earlier import restore_earlier
from tests.nights import execute, fetch


@pytest.fixture(scope="module")
def saved_database(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a small published warehouse with roles."""
    with open_database(postgres_server, template="template1") as url:
        restore_earlier(url, tmp_path_factory.mktemp("dump"))
        yield url


@pytest.fixture
def warehouse_to_save(saved_database: str, settings: Settings) -> Settings:
    saved = replace(settings, database_url=saved_database, bi_reader_password="charts")
    night.prepare(saved)
    return saved


@pytest.fixture
def backup(warehouse_to_save: Settings, tmp_path: Path) -> Path:
    return save_warehouse(warehouse_to_save, tmp_path / "backups", "s3://exports")[0]


def list_databases(settings: Settings) -> set[str]:
    rows = fetch(settings, "select datname from pg_database")
    return {name for (name,) in rows}


def test_every_row_right_and_password_comes_back(
    warehouse_to_save: Settings, backup: Path, settings: Settings
) -> None:
    target = replace(settings, bi_reader_password="charts")
    databases = list_databases(settings)
    manifest = restore_warehouse(target, backup, replace=False)
    assert manifest.landing_url == "s3://exports"
    assert manifest.contents["audit.loads"][0] == 91
    with (
        connect(warehouse_to_save) as saved,
        connect(target) as restored,
    ):
        before, after = read_contents(saved), read_contents(restored)
    # The names and rights of this database are its own.
    differing = {table for table in before if before[table] != after[table]}
    assert differing == {"audit.settings"}
    assert before.keys() == after.keys()
    url = make_conninfo(target.database_url, user="bi_reader", password="charts")
    with psycopg.connect(url) as reader:
        assert reader.execute("select count(*) from nps_scores").fetchone() != (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("select from audit.loads")
    # New rows get new numbers.
    execute(
        target,
        "insert into audit.loads (feed, batch_date, content_hash, contract_hash,"
        " run_id) values ('a.b', '2026-01-01', '', '', 'r')",
    )
    assert fetch(target, "select max(load_id) from audit.loads") == [(92,)]
    assert list_databases(settings) == databases, "nothing is left over"


def test_a_warehouse_makes_way_only_when_told_so(
    warehouse_to_save: Settings, backup: Path
) -> None:
    execute(warehouse_to_save, "delete from audit.gate_results")
    with pytest.raises(WarehouseError, match=r"is not empty .* say REPLACE=yes"):
        restore_warehouse(warehouse_to_save, backup, replace=False)
    assert fetch(warehouse_to_save, "select count(*) from audit.gate_results") == [(0,)]
    # One that was killed may have left these behind.
    target = database_name(warehouse_to_save.database_url)
    for name in ("restored", "before_restore"):
        execute(warehouse_to_save, f"create database {target}_{name}")
    restore_warehouse(warehouse_to_save, backup, replace=True)
    assert fetch(warehouse_to_save, "select count(*) from audit.gate_results") != [(0,)]
    assert not {name for name in list_databases(warehouse_to_save) if "restore" in name}


def test_a_build_under_way_is_not_taken_its_warehouse(
    warehouse_to_save: Settings, backup: Path
) -> None:
    with (
        connect(warehouse_to_save) as builder,
        build_lock(builder),
        pytest.raises(BuildError, match="Another build or publish is under way"),
    ):
        restore_warehouse(warehouse_to_save, backup, replace=True)


def test_a_damaged_backup_is_refused(backup: Path, settings: Settings) -> None:
    dump = backup / DUMP_NAME
    dump.write_bytes(dump.read_bytes()[:-1])
    with pytest.raises(WarehouseError, match="its copy is damaged or cut off"):
        restore_warehouse(settings, backup, replace=False)
    (backup / MANIFEST_NAME).unlink()
    with pytest.raises(WarehouseError, match="is no backup"):
        restore_warehouse(settings, backup, replace=False)


def test_what_differs_from_what_was_saved_never_becomes_the_warehouse(
    backup: Path, settings: Settings
) -> None:
    text = (backup / MANIFEST_NAME).read_text()
    values = json.loads(text)
    values["contents"]["audit.loads"][0] += 1
    (backup / MANIFEST_NAME).write_text(json.dumps(values))
    databases = list_databases(settings)
    with pytest.raises(
        WarehouseError, match=r"tables differ, the first is audit\.loads"
    ):
        restore_warehouse(settings, backup, replace=False)
    assert fetch(settings, "select to_regclass('audit.loads')") == [(None,)]
    assert list_databases(settings) == databases


def test_another_key_secret_other_roles_and_newer_code_are_refused(
    backup: Path, settings: Settings
) -> None:
    other_key = replace(settings, key_secret="another secret of this warehouse")
    with pytest.raises(WarehouseError, match="CX_KEY_SECRET is not the secret"):
        restore_warehouse(other_key, backup, replace=False)
    with pytest.raises(WarehouseError, match="set CX_ROLE_PREFIX to that"):
        restore_warehouse(replace(settings, role_prefix="x_"), backup, replace=False)
    text = (backup / MANIFEST_NAME).read_text()
    (backup / MANIFEST_NAME).write_text(
        text.replace("003_data_status", "999_of_next_year")
    )
    with pytest.raises(WarehouseError, match="999_of_next_year, which this code does"):
        restore_warehouse(settings, backup, replace=False)
    assert fetch(settings, "select to_regclass('audit.loads')") == [(None,)]


def test_an_empty_database_is_nothing_to_save(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(WarehouseError, match="holds no warehouse yet"):
        save_warehouse(settings, tmp_path / "backups", None)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_backup_holds_one_moment_while_others_write(
    warehouse_to_save: Settings,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = fetch(warehouse_to_save, "select count(*) from audit.feed_failures")

    def write_then_dump(name: str, arguments: list[str], url: str) -> None:
        execute(
            warehouse_to_save,
            "insert into audit.feed_failures (run_id, feed, batch_date, message)"
            " values ('r', 'a.b', '2026-01-01', 'came meanwhile')",
        )
        run_program(name, arguments, url)

    monkeypatch.setattr(save, "run_program", write_then_dump)
    folder, _ = save_warehouse(warehouse_to_save, tmp_path / "backups", None)
    restore_warehouse(settings, folder, replace=False)
    assert fetch(settings, "select count(*) from audit.feed_failures") == before


def test_a_backup_is_its_owners_alone_and_holds_no_secret(
    warehouse_to_save: Settings, backup: Path
) -> None:
    assert backup.stat().st_mode & 0o77 == 0
    password = str(conninfo_to_dict(warehouse_to_save.database_url)["password"])
    for file in (DUMP_NAME, MANIFEST_NAME):
        content = (backup / file).read_bytes()
        assert warehouse_to_save.key_secret.encode() not in content
        assert password.encode() not in content
