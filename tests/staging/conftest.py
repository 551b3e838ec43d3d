"""A database with every staging view, of every system, and nothing after them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from include import night
from include.building.dbt import Dbt
from include.embedded.postgres import EmbeddedPostgres
from tests.conftest import keep_as_template, open_database, settings_of
from tests.staging.stage_world import Stage, list_systems


@pytest.fixture(scope="session")
def staging_template(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a database in which the views of all systems are built."""
    with open_database(postgres_server, template="template1") as url:
        settings = replace(
            settings_of(url, tmp_path_factory.mktemp("landing")), sources=list_systems()
        )
        night.prepare(settings)
        outcomes = Dbt(settings).build(
            select=["+path:models/staging"], with_tests=False
        )
        failed = [outcome for outcome in outcomes if outcome.is_failure]
        assert not failed, [outcome.message for outcome in failed]
        assert outcomes
        yield keep_as_template(postgres_server, url)


@pytest.fixture
def stage(
    postgres_server: EmbeddedPostgres, staging_template: str, tmp_path: Path
) -> Iterator[Stage]:
    """Load rows and see them staged, in a database of the test's own."""
    with open_stage(postgres_server, staging_template, tmp_path) as stage:
        yield stage


@contextmanager
def open_stage(
    server: EmbeddedPostgres, template: str, folder: Path
) -> Iterator[Stage]:
    """A copy of the database of staging views, and a landing zone in the folder."""
    with open_database(server, template=template) as url:
        settings = settings_of(url, folder / "landing")
        yield Stage(replace(settings, sources=list_systems()))
