"""A warehouse follows the code by itself, whole or not at all."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from include import audit, night
from include.embedded.postgres import EmbeddedPostgres
from include.errors import WarehouseError
from include.settings import Settings, connect
from tests.conftest import open_database
from tests.earlier import read_kept, restore_earlier
from tests.nights import execute, fetch


@pytest.fixture
def earlier(
    postgres_server: EmbeddedPostgres, settings: Settings, tmp_path: Path
) -> Iterator[Settings]:
    """Settings on a warehouse that earlier code made."""
    with open_database(postgres_server, template="template1") as url:
        restore_earlier(url, tmp_path)
        yield replace(settings, database_url=url)


def list_migrations(settings: Settings) -> list[str]:
    rows = fetch(settings, "select name from audit.migrations order by name")
    return [name for (name,) in rows]


def describe_tables(settings: Settings) -> list[tuple]:
    return fetch(
        settings,
        "select table_schema, table_name, column_name, data_type"
        " from information_schema.columns where table_schema <> 'pg_catalog'"
        " order by 1, 2, 3",
    )


def test_a_warehouse_of_earlier_code_gets_what_is_missing_and_keeps_the_rest(
    earlier: Settings,
) -> None:
    before = read_kept(earlier)
    assert all(before.values())
    assert list_migrations(earlier)[-1] == "003_data_status"

    night.prepare(earlier)

    files = sorted(audit.MIGRATIONS_FOLDER.glob("*.sql"))
    assert list_migrations(earlier) == [file.stem for file in files]
    assert read_kept(earlier) == before
    # Readers see it, without a build.
    with connect(earlier, "bi_reader") as connection:
        row = connection.execute("select count(*) from marts.nps_scores").fetchone()
    assert row is not None
    assert row[0] > 0


def test_a_migration_that_fails_is_named_and_leaves_all_as_it_was(
    earlier: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    for file in audit.MIGRATIONS_FOLDER.glob("*.sql"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "998_a_good_one.sql").write_text("create table audit.good (n integer);")
    (folder / "999_a_bad_one.sql").write_text(
        "create table audit.bad (n integer);"
        "alter table audit.loads add constraint few check (rows_in_file < 2);"
    )
    monkeypatch.setattr(audit, "MIGRATIONS_FOLDER", folder)
    tables, migrations = describe_tables(earlier), list_migrations(earlier)
    with pytest.raises(WarehouseError) as told:
        night.prepare(earlier)
    assert str(told.value).startswith(
        "The migration 999_a_bad_one failed (check constraint "
    )
    assert "the warehouse is as it was before" in str(told.value)
    assert describe_tables(earlier) == tables
    assert list_migrations(earlier) == migrations

    # Mended, it goes on from there.
    (folder / "999_a_bad_one.sql").write_text("create table audit.bad (n integer);")
    night.prepare(earlier)
    assert list_migrations(earlier)[-2:] == ["998_a_good_one", "999_a_bad_one"]


def test_older_code_refuses_a_newer_warehouse(settings: Settings) -> None:
    night.prepare(settings)
    execute(settings, "insert into audit.migrations values ('999_of_next_year')")
    before = describe_tables(settings)
    with pytest.raises(WarehouseError, match="made by newer code, with the migrations"):
        night.prepare(settings)
    assert describe_tables(settings) == before
    with (
        psycopg.connect(settings.database_url) as connection,
        pytest.raises(WarehouseError, match="999_of_next_year, which this code does"),
    ):
        audit.migrate(connection)
