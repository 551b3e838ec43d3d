from collections.abc import Iterator
from pathlib import Path

import pytest

from include.embedded.postgres import EmbeddedPostgres
from tests.conftest import open_database, settings_of
from tests.include.incidents.incident_world import IncidentWorld


@pytest.fixture(scope="module")
def shared_world(postgres_server: EmbeddedPostgres) -> Iterator[IncidentWorld]:
    with open_database(postgres_server, template="template1") as url:
        world = IncidentWorld(settings_of(url, Path("nowhere")))
        yield world
        world.owner.close()


@pytest.fixture
def world(shared_world: IncidentWorld) -> IncidentWorld:
    """A warehouse of its own, as it were: without a load, and with a fresh channel."""
    return shared_world.begin_again()
