"""`make run` as a newcomer runs it: the real scheduler, the real nights, to the end.

Each test works in a copy of the code, with a folder of its own for all that runs.
"""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.clone import call, open_clone, start

SMALL_SAMPLE = ("--customers", "300", "--nights", "10")


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    """A copy of the code, in which `make run` runs."""
    with open_clone() as folder:
        yield folder


@pytest.fixture(scope="module")
def first_run(clone: Path) -> subprocess.CompletedProcess[str]:
    """`make run` on a fresh clone, with a sample small enough for a test."""
    return call(clone, "run", *SMALL_SAMPLE)


def list_processes(clone: Path) -> list[str]:
    """List what runs in this clone: everything that it starts has its folder there."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(clone):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def list_services(clone: Path) -> list[Path]:
    """List the files that say which process is which of Airflow's services."""
    return sorted((clone / ".local" / "airflow" / "processes").iterdir())


def count_rows(url: str) -> dict[str, int]:
    """Count the rows of every table that holds data or scores."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select schemaname || '.' || tablename from pg_tables"
            " where schemaname in ('marts', 'warehouse') or schemaname like 'raw%'"
        ).fetchall()
        counts = {}
        for (table,) in tables:
            row = connection.execute(f"select count(*) from {table}").fetchone()
            assert row is not None
            counts[table] = row[0]
    return counts


def test_the_first_run_publishes_the_scores_that_the_sample_planned(
    clone: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    assert first_run.returncode == 0, first_run.stdout + first_run.stderr
    assert first_run.stderr == ""
    text = first_run.stdout
    for task in (
        "extract_crm",
        "check_raw",
        "build",
        "check_marts",
        "publish",
        "report",
    ):
        assert f"  {task:<15} done in" in text
    for score in ("NPS   relational", "CSAT  transactional", "CES   transactional"):
        assert score in text
    (line,) = (line for line in text.splitlines() if "monthly figures" in line)
    equal, _, total = line.split()[:3]
    assert equal == total != "0"
    page = clone / ".local" / "report" / "scorecard.html"
    assert f"Scorecard   {page}" in text
    assert "<html" in page.read_text()


def test_after_a_run_nothing_is_left_running(
    clone: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    assert first_run.returncode == 0
    assert list_processes(clone) == []


def test_a_second_run_adds_nothing_and_leaves_up_what_was_up(
    clone: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    assert first_run.returncode == 0
    up = call(clone, "up")
    assert up.returncode == 0, up.stderr
    assert "user admin, password" in up.stdout
    url = call(clone, "url", "--role", "owner").stdout.strip()
    rows_before = count_rows(url)
    services = {file: file.read_text() for file in list_services(clone)}
    assert len(services) == 4
    try:
        second_run = call(clone, "run", *SMALL_SAMPLE)
        assert second_run.returncode == 0, second_run.stdout + second_run.stderr
        assert count_rows(url) == rows_before
        assert any("scheduler" in name for name in list_processes(clone))
        assert {file: file.read_text() for file in list_services(clone)} == services
    finally:
        assert call(clone, "down").returncode == 0
    assert list_processes(clone) == []


def test_a_broken_export_is_told_and_the_other_sources_are_published(
    clone: Path, first_run: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    shutil.copytree(clone / ".local" / "sample_exports", landing)
    night = max(folder.name for folder in (landing / "hubspot" / "contacts").iterdir())
    (export,) = (landing / "hubspot" / "contacts" / night).iterdir()
    export.write_text("Some other column\n1\n")

    result = call(clone, "run", "--landing", str(landing))

    assert result.returncode == 1
    told = [line for line in result.stderr.splitlines() if "extract_crm" in line]
    assert len(told) == 1
    assert f"hubspot/contacts/{night}/{export.name}" in told[0]
    assert "Record ID" in told[0]
    assert "  extract_crm     FAILED after" in result.stdout
    assert "  publish         done in" in result.stdout
    assert "NPS   relational" in result.stdout
    assert list_processes(clone) == []

    url = call(clone, "url", "--role", "owner").stdout.strip()
    with psycopg.connect(url) as connection:
        feeds = connection.execute(
            "select feed from audit.loads"
            " where status = 'accepted' and batch_date = %s order by feed",
            [night],
        ).fetchall()
    assert ("hubspot.contacts",) not in feeds
    assert ("qualtrics.responses",) in feeds
    assert ("zendesk.tickets",) in feeds
    assert call(clone, "down").returncode == 0


def test_an_interrupted_run_leaves_nothing_behind(
    clone: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    process = start(clone, "run", "--landing", str(clone / ".local" / "sample_exports"))
    assert process.stdout is not None
    for line in process.stdout:
        if "hubspot.contacts" in line:
            break
    deadline = time.monotonic() + 120
    while not any("scheduler" in name for name in list_processes(clone)):
        assert time.monotonic() < deadline, "Airflow did not begin to start"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "interrupted" in out
    assert "Traceback" not in err
    assert list_processes(clone) == []
