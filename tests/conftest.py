"""What every test may use: a real PostgreSQL, a database of its own, settings.

The server lives in a folder of its own below the system's temporary folder and is
stopped at the end of the session.
"""

import atexit
import itertools
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import hypothesis
import psycopg
import pytest
from moto.server import ThreadedMotoServer
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from include.embedded.postgres import EmbeddedPostgres
from include.sample_exports.parameters import SampleParameters
from include.settings import PROJECT_FOLDER, Settings

# Report folders of the session, one per database name.
REPORTS = Path(tempfile.mkdtemp(prefix="cx-tests-reports-"))
atexit.register(shutil.rmtree, REPORTS, ignore_errors=True)
KEY_SECRET = "a fixed secret, so that customer keys are the same in every test"

# What `published_template` holds.
PUBLISHED_SAMPLE = SampleParameters(customers=300, nights=30, seed=3)

# The same examples in every run: a test fails for a change, never for the day.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None
)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL server for this test session alone."""
    # Not pytest's own temporary folder: only its owner may enter that, and as root the
    # server runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="cx-tests-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres", is_durable=False)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The libpq URL of an empty database that only this test sees."""
    with open_database(postgres_server, template="template1") as url:
        yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings on an empty database, an empty landing folder and a report folder."""
    landing = tmp_path / "landing"
    landing.mkdir()
    return Settings(
        database_url=database_url,
        landing_url=str(landing),
        key_secret=KEY_SECRET,
        reporting_time_zone="America/Sao_Paulo",
        report_folder=tmp_path / "report",
    )


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real vendor files, read in place."""
    folder = Path(
        os.environ.get("CX_SHARED_DATA") or PROJECT_FOLDER.parent / "shared" / "data"
    )
    if not folder.is_dir():
        pytest.skip(
            f"NOT CHECKED: the real vendor files are not in {folder}; "
            "set CX_SHARED_DATA to their folder"
        )
    return folder


@contextmanager
def open_database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """Copy the database `template`; yield the copy's libpq URL; drop it at the end.

    Names are taken again: dbt reads its project anew for a database that it does not
    know, which takes seconds.
    """
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        taken = {
            row[0] for row in connection.execute("select datname from pg_database")
        }
        name = next(
            candidate
            for number in itertools.count(1)
            if (candidate := f"test_{number}") not in taken
        )
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        ((number,),) = connection.execute(
            "select oid from pg_database where datname = %s", [name]
        ).fetchall()
        try:
            yield server.url(name)
        finally:
            # A template has another name now; what a test has restored, another number.
            renamed = connection.execute(
                "select datname from pg_database where oid = %s", [number]
            ).fetchone()
            name = renamed[0] if renamed else name
            connection.execute(
                sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
            )


def keep_as_template(server: EmbeddedPostgres, url: str) -> str:
    """Rename a filled database and return its name: the next takes the one it had."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("alter database {} rename to {}").format(
                sql.Identifier(database_name(url)), sql.Identifier(name)
            )
        )
    return name


@pytest.fixture(scope="session")
def built_template(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a database in which everything is built out of no exports.

    Tests copy it: a build of all models takes seconds, a copy takes none.
    """
    # Imported here: dbt takes seconds, and most tests do without it.
    from include import night
    from include.building import builds

    with open_database(postgres_server, template="template1") as url:
        settings = settings_of(url, tmp_path_factory.mktemp("landing"))
        night.prepare(settings)
        # Data tests see whole nights elsewhere, row by row.
        builds.build(settings, "template", with_tests=False)
        yield keep_as_template(postgres_server, url)


@pytest.fixture(scope="session")
def published_template(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The name of a database in which thirty nights of a sample company are published.

    Rows may break rules of their own there: tests write what no model could.
    """
    from include.backfill.run import run_backfill
    from include.sample_exports import write_sample_exports

    sample = PUBLISHED_SAMPLE
    landing = tmp_path_factory.mktemp("published")
    write_sample_exports(landing, sample)
    with open_database(postgres_server, template=built_template) as url:
        settings = settings_of(url, landing)
        outcome = run_backfill(
            settings,
            sample.first_night,
            sample.last_night,
            "range",
            lambda line: None,
            with_tests=False,
        )
        assert outcome.problems == []
        _drop_rules_of_rows(url)
        yield keep_as_template(postgres_server, url)


def _drop_rules_of_rows(url: str) -> None:
    with psycopg.connect(url) as connection:
        rules = connection.execute(
            "select format('alter table %s drop constraint %I', conrelid::regclass,"
            " conname) from pg_constraint"
            " where contype = 'c' and connamespace = 'warehouse'::regnamespace"
        ).fetchall()
        for (statement,) in rules:
            connection.execute(statement)


@pytest.fixture
def published(
    postgres_server: EmbeddedPostgres, published_template: str, tmp_path: Path
) -> Iterator[Settings]:
    """Settings on a published warehouse of its own."""
    with open_database(postgres_server, template=published_template) as url:
        yield settings_of(url, tmp_path / "landing")


@pytest.fixture(scope="session")
def shared_published(
    postgres_server: EmbeddedPostgres, published_template: str
) -> Iterator[Settings]:
    """Settings on a published warehouse that several tests look at; what one of them
    writes it takes back."""
    with open_database(postgres_server, template=published_template) as url:
        yield settings_of(url, Path("nowhere"))


@pytest.fixture
def warehouse(
    postgres_server: EmbeddedPostgres, built_template: str, tmp_path: Path
) -> Iterator[Settings]:
    """Settings on a warehouse of its own, all models built, without any load."""
    landing = tmp_path / "landing"
    landing.mkdir()
    with open_database(postgres_server, template=built_template) as url:
        yield settings_of(url, landing)


def settings_of(url: str, landing: Path) -> Settings:
    """Settings on a built database; its report folder is kept for the next of its name,
    because dbt keeps there what it has read of the project."""
    return Settings(
        database_url=url,
        landing_url=str(landing),
        key_secret=KEY_SECRET,
        reporting_time_zone="America/Sao_Paulo",
        report_folder=REPORTS / database_name(url),
    )


def database_name(url: str) -> str:
    """The database in a libpq URL."""
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def s3_landing(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The s3:// address of an empty landing zone on a real S3 server on loopback.

    The bucket is named anew for each test: servers of one process share their store.
    """
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = f"exports-{uuid.uuid4().hex[:12]}"
    urlopen(Request(f"http://{host}:{port}/{bucket}", method="PUT")).close()
    yield f"s3://{bucket}/landing"
    server.stop()
