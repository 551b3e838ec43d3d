"""One database and one landing folder for all bad nights: a case takes moments."""

from collections.abc import Iterator

import pytest

from include.audit import migrate
from include.embedded.postgres import EmbeddedPostgres
from tests.conftest import open_database, settings_of
from tests.include.loading.bad_exports.bad_night import BadNight


@pytest.fixture(scope="session")
def bad_night(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BadNight]:
    """A night that each case arranges anew."""
    landing = tmp_path_factory.mktemp("bad_exports") / "landing"
    landing.mkdir()
    with open_database(postgres_server, template="template1") as url:
        night = BadNight(settings_of(url, landing))
        with night.connection:
            migrate(night.connection)
            yield night
