"""Equal parameters give equal bytes; nothing but a sample is ever overwritten."""

import hashlib
import logging
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pyarrow import fs

from include.errors import SettingsError
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import PROJECT_FOLDER


def hash_files(landing: Path) -> dict[str, str]:
    """The hash of every file by its path below the landing."""
    return {
        path.relative_to(landing).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(landing.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(
    tiny: SampleParameters, tiny_landing: Path, tmp_path: Path
) -> None:
    write_sample_exports(tmp_path / "again", tiny)
    assert hash_files(tmp_path / "again") == hash_files(tiny_landing)


def test_another_process_gives_the_same_bytes(
    tiny: SampleParameters, tiny_landing: Path, tmp_path: Path
) -> None:
    landing, truth = tmp_path / "landing", tmp_path / "copies" / "truth.json"
    command = [sys.executable, "-m", "include.sample_exports"]
    command += ["--landing", str(landing), "--truth", str(truth)]
    command += ["--customers", str(tiny.customers), "--nights", str(tiny.nights)]
    command += ["--seed", str(tiny.seed), "--last-night", str(tiny.last_night)]
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        command,
        cwd=PROJECT_FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "150 customers" in done.stdout
    assert hash_files(landing) == hash_files(tiny_landing)
    assert truth.read_bytes() == (tiny_landing / "truth.json").read_bytes()


def test_another_seed_gives_other_exports(
    tiny: SampleParameters, tiny_landing: Path, tmp_path: Path
) -> None:
    write_sample_exports(tmp_path, replace(tiny, seed=tiny.seed + 1))
    ours, theirs = hash_files(tmp_path), hash_files(tiny_landing)
    same = {path for path in ours.keys() & theirs.keys() if ours[path] == theirs[path]}
    # Only empty files can be alike.
    assert len(same) < 0.2 * len(ours)


def test_a_sample_that_is_there_is_not_written_again(
    tiny: SampleParameters, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = write_sample_exports(tmp_path, tiny)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with caplog.at_level(logging.INFO, logger="include.sample_exports"):
        assert write_sample_exports(tmp_path, tiny) == first
    assert "already" in caplog.text
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == written


def test_another_sample_replaces_the_one_that_is_there(
    tiny: SampleParameters, tiny_landing: Path, tmp_path: Path
) -> None:
    earlier = replace(tiny, nights=9, last_night=date(2026, 3, 1))
    write_sample_exports(tmp_path, earlier)
    write_sample_exports(tmp_path, tiny)
    assert hash_files(tmp_path) == hash_files(tiny_landing)


def test_an_unfinished_sample_is_written_anew(
    tiny: SampleParameters, tiny_landing: Path, tmp_path: Path
) -> None:
    write_sample_exports(tmp_path, tiny)
    (tmp_path / "truth.json").write_text('{"seed": 20')
    next(tmp_path.glob("hubspot/orders/*/orders.csv")).write_text("Record ID,Ord")
    write_sample_exports(tmp_path, tiny)
    assert hash_files(tmp_path) == hash_files(tiny_landing)


def test_nobodys_own_exports_are_overwritten(
    tiny: SampleParameters, tmp_path: Path
) -> None:
    own = tmp_path / "zendesk" / "tickets" / "2026-11-19" / "page.json"
    own.parent.mkdir(parents=True)
    own.write_text("{}")
    with pytest.raises(SettingsError, match="not a sample"):
        write_sample_exports(tmp_path, tiny)
    assert own.read_text() == "{}"
    assert hash_files(tmp_path).keys() == {"zendesk/tickets/2026-11-19/page.json"}


def test_a_bucket_receives_the_same_files_as_a_folder(
    tiny: SampleParameters, tiny_landing: Path, s3_landing: str
) -> None:
    write_sample_exports(s3_landing, tiny)
    files, root = fs.FileSystem.from_uri(s3_landing)
    written = {
        found.path.removeprefix(f"{root}/"): hashlib.sha256(
            files.open_input_stream(found.path).read()
        ).hexdigest()
        for found in files.get_file_info(fs.FileSelector(root, recursive=True))
        if found.type == fs.FileType.File
    }
    assert written == hash_files(tiny_landing)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("customers", 3, "3 customers"),
        ("nights", 2, "2 nights"),
        ("seed", -1, "negative"),
        ("reporting_time_zone", "Mars/Olympus", "no time zone name"),
    ],
)
def test_impossible_parameters_are_refused(
    tiny: SampleParameters, field: str, value: object, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        replace(tiny, **{field: value})


def test_an_address_that_nobody_can_write_to_is_refused(
    tiny: SampleParameters,
) -> None:
    with pytest.raises(SettingsError, match="ftp://"):
        write_sample_exports("ftp://example/landing", tiny)
