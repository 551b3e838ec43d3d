"""`make run` keeps samples and real exports apart, and finds the nights to load."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from include.embedded.local_run import choose_warehouse, find_nights, write_sample
from include.embedded.runtime import Runtime
from include.errors import WarehouseError
from include.sample_exports.parameters import SampleParameters
from include.settings import PROJECT_FOLDER, Settings
from tests.nights import execute

SMALL = SampleParameters(customers=100, nights=7)
OTHER = SampleParameters(customers=100, nights=7, seed=1)


def ignore(line: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A temporary folder that the server's user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="cx-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def started(open_folder: Path) -> Iterator[Runtime]:
    """A runtime whose PostgreSQL runs, with the small sample written."""
    runtime = Runtime(folder=open_folder / "local")
    runtime.postgres.start()
    try:
        write_sample(runtime, SMALL, ignore)
        yield runtime
    finally:
        runtime.postgres.stop()


@pytest.fixture
def runtime(started: Runtime) -> Runtime:
    """The runtime with a warehouse in which one table stands for what was loaded."""
    (started.folder / "landing_url").unlink(missing_ok=True)
    started.postgres.empty_database()
    with psycopg.connect(started.postgres.url()) as connection:
        connection.execute("create table loaded ()")
    return started


def is_kept(runtime: Runtime) -> bool:
    with psycopg.connect(runtime.postgres.url()) as connection:
        row = connection.execute("select to_regclass('loaded') is not null").fetchone()
    return row == (True,)


def test_the_same_sample_goes_on_in_the_same_warehouse(runtime: Runtime) -> None:
    sample_url = str(runtime.sample_folder)
    choose_warehouse(runtime, sample_url, SMALL, ignore)
    choose_warehouse(runtime, sample_url, SMALL, ignore)
    assert is_kept(runtime)
    assert runtime.landing_url == sample_url


def test_another_sample_begins_with_an_empty_warehouse(runtime: Runtime) -> None:
    sample_url = str(runtime.sample_folder)
    choose_warehouse(runtime, sample_url, SMALL, ignore)
    said: list[str] = []
    choose_warehouse(runtime, sample_url, OTHER, said.append)
    assert not is_kept(runtime)
    assert "begins empty" in said[0]


def test_a_sample_makes_way_for_real_exports(runtime: Runtime) -> None:
    choose_warehouse(runtime, str(runtime.sample_folder), SMALL, ignore)
    choose_warehouse(runtime, "s3://exports/daily", None, ignore)
    assert not is_kept(runtime)
    assert runtime.landing_url == "s3://exports/daily"


def test_real_exports_make_no_way_for_a_sample(runtime: Runtime) -> None:
    choose_warehouse(runtime, "s3://exports/daily", None, ignore)
    with psycopg.connect(runtime.postgres.url()) as connection:
        connection.execute("create table if not exists loaded ()")
    with pytest.raises(WarehouseError, match="make run LANDING=s3://exports/daily"):
        choose_warehouse(runtime, str(runtime.sample_folder), SMALL, ignore)
    assert is_kept(runtime)


def test_real_exports_may_move(runtime: Runtime) -> None:
    choose_warehouse(runtime, "s3://exports/daily", None, ignore)
    choose_warehouse(runtime, "s3://archive/daily", None, ignore)
    assert is_kept(runtime)


def test_a_written_sample_is_not_written_again(started: Runtime) -> None:
    before = started.truth_file.stat().st_mtime_ns
    said: list[str] = []
    write_sample(started, SMALL, said.append)
    assert started.truth_file.stat().st_mtime_ns == before
    assert "already" in said[0]


def test_a_sample_that_cannot_be_written_is_told(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = Runtime(folder=open_folder / "unwritable")
    runtime.folder.mkdir()
    runtime.sample_folder.write_text("a file where the folder belongs")
    with pytest.raises(WarehouseError, match=r"not written: read .*sample_exports.log"):
        write_sample(runtime, SMALL, ignore)


def test_two_commands_of_one_clone_keep_apart(open_folder: Path) -> None:
    one, other = (Runtime(folder=open_folder / "busy") for _ in range(2))
    with (
        one.reserved(),
        pytest.raises(WarehouseError, match="at work in this clone"),
        other.reserved(),
    ):
        pass
    with other.reserved():
        pass


def test_the_key_secret_is_made_once_and_is_private(
    started: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CX_KEY_SECRET", raising=False)
    secret = started.settings("landing").key_secret
    assert len(secret) == 64
    assert Runtime(folder=started.folder).settings("landing").key_secret == secret
    assert (started.folder / "key_secret").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("CX_KEY_SECRET", "one that the user has chosen")
    assert started.settings("landing").key_secret == "one that the user has chosen"


@pytest.mark.parametrize(
    ("asked", "nights"),
    [
        (None, (date(2026, 11, 3), date(2026, 11, 5))),
        (date(2026, 11, 4), (date(2026, 11, 3), date(2026, 11, 4))),
        (date(2026, 11, 3), (date(2026, 11, 3), date(2026, 11, 3))),
        (date(2026, 11, 1), (date(2026, 11, 1), date(2026, 11, 1))),
    ],
)
def test_the_nights_are_those_of_the_landing_zone(
    settings: Settings, asked: date | None, nights: tuple[date, date]
) -> None:
    for folder in ("hubspot/contacts/2026-11-03", "zendesk/tickets/2026-11-05"):
        (Path(settings.landing_url) / folder).mkdir(parents=True)
    assert find_nights(settings, asked) == nights


def test_an_empty_landing_zone_is_told(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match=r"No exports are in .*<system>/<feed>/"):
        find_nights(settings, None)


@pytest.fixture(scope="module")
def clones(open_folder: Path) -> list[Path]:
    """Two clones of the code side by side."""
    folders = [open_folder / "one", open_folder / "other"]
    for folder in folders:
        shutil.copytree(
            PROJECT_FOLDER / "include",
            folder / "include",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    return folders


def call(
    clone: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Call the command line of a clone."""
    return subprocess.run(
        [sys.executable, "-m", "include.cli", *arguments],
        cwd=clone,
        env=dict(os.environ, PYTHONPATH=str(clone), **variables),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_two_clones_have_a_warehouse_each_and_url_prints_nothing_else(
    clones: list[Path], open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        results = [call(clone, "url", "--role", "owner") for clone in clones]
        urls = [result.stdout.strip() for result in results]
        assert [result.stderr for result in results] == ["", ""]
        assert all(result.stdout.count("\n") == 1 for result in results)
        with psycopg.connect(urls[0]) as connection:
            connection.execute("create table only_in_one ()")
        with psycopg.connect(urls[1]) as connection:
            row = connection.execute("select to_regclass('only_in_one')").fetchone()
        assert row == (None,)
        assert call(clones[0], "url", "--role", "owner").stdout.strip() == urls[0]
        for role in ("bi_reader", "cx_agent"):
            url = call(clones[0], "url", "--role", role).stdout.strip()
            with psycopg.connect(url) as connection:
                row = connection.execute("select current_user").fetchone()
                assert row == (role,)
                assert connection.execute("select * from data_status").fetchall() == []
        # The arguments of a process are open to everybody on its machine.
        spy = open_folder / "psql"
        spy.write_text('#!/bin/sh\necho "arguments: $*"\necho "$PGPASSWORD"\n')
        spy.chmod(0o755)
        monkeypatch.setenv("PATH", f"{open_folder}{os.pathsep}{os.environ['PATH']}")
        arguments, password = call(clones[0], "psql").stdout.splitlines()
        assert arguments.startswith("arguments: postgresql://warehouse@127.0.0.1:")
        assert password in urls[0]
        assert password not in arguments
    finally:
        for clone in clones:
            assert call(clone, "down").returncode == 0
    for url in urls:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)


def test_a_backup_of_one_clone_is_restored_in_another_with_its_key_secret(
    clones: list[Path],
) -> None:
    one, other = clones
    try:
        with psycopg.connect(call(one, "url").stdout.strip()) as connection:
            assert connection.execute("select from data_status").fetchall() == []
        (one / ".local" / "landing_url").write_text("s3://exports\n")
        settings = Runtime(one).settings("s3://exports")
        execute(
            settings,
            "insert into audit.settings (name, value) values ('key_fingerprint',"
            f" '{settings.fingerprint_key()}')",
        )
        saved = call(one, "backup")
        folder = saved.stdout.split(":")[0]
        assert Path(folder).parent == one / ".local" / "backups"
        assert f"({one / '.local' / 'key_secret'})" in saved.stdout

        restore = ("restore", "--folder", folder)
        refused = call(other, *restore, "--replace", "yes")
        assert "CX_KEY_SECRET is not the secret that" in refused.stderr
        given = {"CX_KEY_SECRET": settings.key_secret}
        refused = call(other, *restore, "--replace", "maybe", **given)
        assert "say REPLACE=yes, or leave it" in refused.stderr
        restored = call(other, *restore, "--replace", "yes", **given)
        assert "each as it was saved" in restored.stdout
        # From here on it is that warehouse, without another word.
        assert Runtime(other).settings("none").key_secret == settings.key_secret
        assert Runtime(other).landing_url == "s3://exports"
        refused = call(other, *restore)
        assert "is not empty" in refused.stderr
        (other / ".local" / "up").touch()
        refused = call(other, *restore, "--replace", "yes")
        assert "Airflow is up and could start a night" in refused.stderr
    finally:
        for clone in clones:
            assert call(clone, "down").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--landing", "nowhere"], "LANDING is nowhere, which is no folder"),
        (["run", "--customers", "1"], "A sample cannot have 1 customers"),
    ],
)
def test_a_wrong_argument_is_one_clear_sentence(
    clones: list[Path], arguments: list[str], sentence: str
) -> None:
    result = call(clones[0], *arguments)
    assert result.returncode == 1
    assert result.stderr.startswith(f"make run: {sentence}")
    assert result.stderr.count("\n") == 1


def test_a_night_that_is_no_date_is_told(clones: list[Path]) -> None:
    result = call(clones[0], "run", "--night", "yesterday")
    assert result.returncode != 0
    assert "'yesterday' is no date: write it as 2026-11-19" in result.stderr


def test_a_backfill_without_its_dates_is_told_what_to_write(clones: list[Path]) -> None:
    result = call(clones[0], "backfill", "--from", "2026-11-17")
    assert result.returncode == 1
    assert "make backfill FROM=2026-11-17 TO=2026-11-19" in result.stderr
    assert result.stderr.count("\n") == 1
