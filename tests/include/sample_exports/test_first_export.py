"""The first nights delivered together say what they say night by night."""

from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import SettingsError
from include.sample_exports import SampleParameters, write_sample_exports
from include.sample_exports.export import landing_writer
from tests.include.sample_exports.plain_reading import (
    keep_last,
    read_csv_feed,
    read_exports,
    read_truth,
)
from tests.include.sample_exports.test_sample_repeatability import hash_files
from tests.include.sample_exports.test_sample_truth import assert_same_truth

TOGETHER = SampleParameters(customers=300, nights=30, seed=4, first_export_nights=21)


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("together") / "landing"
    write_sample_exports(folder, TOGETHER)
    return folder


def test_the_first_files_are_those_of_the_first_export(landing: Path) -> None:
    for feed in landing.glob("*/*"):
        nights = sorted(path.name for path in feed.iterdir())
        assert len(nights) == 10
        assert nights[0] == TOGETHER.first_export.isoformat()
        assert nights[-1] == TOGETHER.last_night.isoformat()


def test_the_truth_of_a_first_export_equals_a_plain_reading(landing: Path) -> None:
    planned = write_sample_exports(landing, TOGETHER)
    read = read_truth(read_exports(landing, TOGETHER.reporting_time_zone))
    assert_same_truth(planned, read)


@pytest.mark.parametrize(
    ("feed", "key"),
    [
        ("hubspot/orders", "Record ID"),
        ("hubspot/activities", "Record ID"),
        ("qualtrics/distributions", "Contact ID"),
    ],
)
def test_deltas_tell_the_same_rows_in_the_same_order(
    feed: str, key: str, landing: Path, tmp_path: Path
) -> None:
    write_sample_exports(tmp_path, replace(TOGETHER, first_export_nights=1))
    together, nightly = (
        [
            {name: value for name, value in row.items() if name[0] != "_"}
            for row in read_csv_feed(folder / feed)
            # The unreadable row is the only one that lies elsewhere.
            if row["_width"][0] == row["_width"][1]
        ]
        for folder in (landing, tmp_path)
    )
    assert together == nightly
    assert len(keep_last(together, key)) > 100


def test_a_snapshot_shows_the_state_at_the_end_of_its_night(
    landing: Path, tmp_path: Path
) -> None:
    write_sample_exports(tmp_path, replace(TOGETHER, first_export_nights=1))
    for path in sorted(landing.glob("hubspot/co*/*/*.csv")):
        other = tmp_path / path.relative_to(landing)
        assert path.read_bytes() == other.read_bytes()


def test_a_long_night_is_written_in_parts(
    landing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than a block of rows is text at a time; the bytes are the same."""
    monkeypatch.setattr(landing_writer, "BLOCK_ROWS", 50)
    longest = 0
    make = landing_writer.Part

    def count(*arguments: object, **names: object) -> landing_writer.Part:
        nonlocal longest
        part = make(*arguments, **names)  # type: ignore[arg-type]
        longest = max(longest, part.end - part.first)
        return part

    monkeypatch.setattr(landing_writer, "Part", count)
    write_sample_exports(tmp_path, TOGETHER)
    ours, theirs = hash_files(tmp_path), hash_files(landing)
    # The unreadable row stands in the middle of the first part.
    moved = {path for path in ours if ours[path] != theirs.get(path)}
    night = TOGETHER.first_export.isoformat()
    assert moved <= {f"hubspot/activities/{night}/activities.csv"}
    assert ours.keys() == theirs.keys()
    assert longest <= 51


def test_a_truth_of_rows_only_counts_them_alike(landing: Path, tmp_path: Path) -> None:
    few = write_sample_exports(tmp_path, replace(TOGETHER, rows_only=True))
    whole = write_sample_exports(landing, TOGETHER)
    for name in ("rows", "rejects", "responses"):
        assert few[name] == whole[name]
    assert "nps" not in few
    ours, theirs = hash_files(tmp_path), hash_files(landing)
    assert {path for path in ours if ours[path] != theirs[path]} == {"truth.json"}


@pytest.mark.parametrize("nights", [0, 31])
def test_a_first_export_holds_at_least_one_and_at_most_all_nights(nights: int) -> None:
    with pytest.raises(SettingsError, match=f"{nights} of 30 nights"):
        replace(TOGETHER, first_export_nights=nights)
