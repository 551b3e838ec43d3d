"""A page over a simulated quarter, drawn once; and a place for a test's own scores."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import psycopg
import pytest

from include.access.roles import create_roles, name_roles
from include.embedded.postgres import EmbeddedPostgres
from include.scorecard import write_scorecard
from include.scorecard.content import Scorecard, read_scorecard
from include.settings import Settings
from tests.conftest import open_database, settings_of
from tests.include.scorecard.score_world import AS_OF, publish_scores


@dataclass(frozen=True)
class Published:
    """The page of a quarter of scores, and the figures that it was drawn from."""

    path: Path
    page: str
    scorecard: Scorecard
    connection: psycopg.Connection


def admit_reader(connection: psycopg.Connection) -> None:
    """Let bi_reader read what the tests make: the page is drawn from what it sees."""
    create_roles(connection, name_roles(""))
    for kind in ("usage on schemas", "select on tables"):
        connection.execute(f"alter default privileges grant {kind} to bi_reader")  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def scores_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """A database that the tests of the scorecard use one after the other."""
    with open_database(postgres_server, template="template1") as url:
        with psycopg.connect(url) as connection:
            admit_reader(connection)
        yield url


@pytest.fixture
def settings(scores_url: str, tmp_path: Path) -> Settings:
    """Settings on a database without any marts, and a report folder of its own."""
    with psycopg.connect(scores_url, autocommit=True) as connection:
        connection.execute("drop schema if exists marts cascade")
    return replace(
        settings_of(scores_url, landing=tmp_path), report_folder=tmp_path / "report"
    )


@pytest.fixture
def connection(settings: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def published(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Published]:
    """Drawn once: tests read it, and change nothing."""
    folder = tmp_path_factory.mktemp("scorecard")
    with (
        open_database(postgres_server, template="template1") as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        admit_reader(connection)
        publish_scores(connection, date(2026, 8, 1), AS_OF)
        settings = replace(
            settings_of(url, landing=folder), report_folder=folder / "report"
        )
        path = write_scorecard(settings)
        page = path.read_text(encoding="utf-8")
        yield Published(path, page, read_scorecard(connection), connection)
