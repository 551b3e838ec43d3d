"""A warehouse that earlier code made comes up on the code of today, and loses nothing.

And when its database is lost: a backup brings it back, and the exports alone give the
same marts. What needs no build is in `tests/include/test_migrations.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from include import night
from include.backup.restore import restore_warehouse
from include.backup.save import save_warehouse
from include.building.publish import verify_published
from include.embedded.postgres import EmbeddedPostgres
from include.settings import Settings
from tests import nights
from tests.conftest import open_database, settings_of
from tests.earlier import (
    FIRST,
    LAST,
    NEXT,
    read_kept,
    restore_earlier,
    unpack_exports,
)
from tests.nights import Hashes, fetch, hash_marts

pytestmark = pytest.mark.slow
# Marts are compared as a whole here; that data tests see faults is shown elsewhere.
run = partial(nights.run, with_tests=False)


@dataclass
class Upgraded:
    """A warehouse of earlier code after a night of today's."""

    settings: Settings
    before: dict[str, set[tuple]]
    marts: Hashes


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_exports(tmp_path_factory.mktemp("earlier"))


@pytest.fixture(scope="module")
def upgraded(
    postgres_server: EmbeddedPostgres,
    exports: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Upgraded]:
    with open_database(postgres_server, template="template1") as url:
        restore_earlier(url, tmp_path_factory.mktemp("dump"))
        settings = settings_of(url, exports)
        before = read_kept(settings)
        assert run(settings, NEXT, NEXT, "first night of today's code") == []
        yield Upgraded(settings, before, hash_marts(settings))


def test_loads_rejects_and_restatements_of_before_are_still_there(upgraded) -> None:
    after = read_kept(upgraded.settings)
    for name, rows in upgraded.before.items():
        assert rows, f"the earlier warehouse has {name}"
        assert rows <= after[name], name


def test_nothing_of_before_is_loaded_again(upgraded) -> None:
    assert fetch(
        upgraded.settings,
        "select distinct batch_date from audit.loads where run_id = %s",
        "first night of today's code",
    ) == [(NEXT,)]


def test_the_marts_are_those_of_a_new_warehouse_on_the_exports_alone(
    upgraded, warehouse, exports
) -> None:
    fresh = replace(warehouse, landing_url=str(exports))
    assert run(fresh, FIRST, NEXT, "out of the landing zone") == []
    assert upgraded.marts == hash_marts(fresh)
    assert verify_published(upgraded.settings) == {}


def test_a_restored_backup_goes_on_as_if_nothing_had_happened(
    upgraded, postgres_server, tmp_path
) -> None:
    folder, _ = save_warehouse(upgraded.settings, tmp_path, None)
    with open_database(postgres_server, template="template1") as url:
        restored = replace(upgraded.settings, database_url=url)
        restore_warehouse(restored, folder, replace=False)
        assert hash_marts(restored) == upgraded.marts
        assert verify_published(restored) == {}
        assert read_kept(restored) == read_kept(upgraded.settings)
        assert run(restored, NEXT, NEXT, "after the restore") == []
        assert fetch(
            restored,
            "select loads_touched, models_rebuilt from audit.builds"
            " order by build_id desc limit 1",
        ) == [(0, 0)]


def test_a_second_start_of_the_same_code_changes_nothing(upgraded) -> None:
    night.prepare(upgraded.settings)
    assert run(upgraded.settings, LAST, NEXT, "again") == []
    assert fetch(
        upgraded.settings,
        "select rows_deleted, rows_inserted from audit.publishes"
        " order by publish_id desc limit 1",
    ) == [(0, 0)]
    assert hash_marts(upgraded.settings) == upgraded.marts


def test_published_tables_have_the_indexes_that_their_models_ask_for(upgraded) -> None:
    counted = fetch(
        upgraded.settings,
        "select models.model, jsonb_array_length(published_indexes), count(indexname),"
        " bool_or(indexdef like '%% (' || rebuild_by || '%%') from audit.models"
        " left join pg_indexes on schemaname = 'marts' and tablename = model"
        " where is_published and kind = 'incremental' group by model",
    )
    assert len(counted) > 40
    for model, asked, there, is_found_by_key in counted:
        assert asked == there, model
        # A table of a few rows has no index.
        assert is_found_by_key or not asked, f"publish finds rows of {model} by index"
