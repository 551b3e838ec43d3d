"""Whether a night's exports are there, whole: in a folder, and on an S3 server."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pyarrow import fs

from include.contracts import read_contracts
from include.loading.arrivals import SETTLE_SECONDS, ArrivalWatch, is_time_to_wait
from include.loading.landing import Landing
from include.settings import Settings
from tests.conftest import settings_of

NIGHT = date(2026, 11, 19)
LONG_AGO = timedelta(seconds=SETTLE_SECONDS)


class Zone:
    """A landing zone, and a watch on it whose clock the test sets."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.now = datetime.now(UTC)
        landing = Landing(settings.landing_url)
        self._files, self._root = landing._files, landing._root
        self.watch = ArrivalWatch(settings, "ticket", NIGHT, lambda: self.now)
        self.feeds = [
            contract.name
            for contract in read_contracts(settings.project_folder).values()
            if contract.role == "ticket" and contract.required
        ]

    def put(
        self, feed: str, name: str = "page_0001.json", content: bytes = b"{}"
    ) -> str:
        folder = f"{self._root}/{feed.replace('.', '/')}/{NIGHT}"
        if isinstance(self._files, fs.LocalFileSystem):
            self._files.create_dir(folder, recursive=True)
        with self._files.open_output_stream(f"{folder}/{name}") as stream:
            stream.write(content)
        return f"{folder}/{name}"

    def put_all(self) -> None:
        for feed in self.feeds:
            self.put(feed)

    def wait(self, span: timedelta = LONG_AGO) -> None:
        self.now += span


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a landing folder; no database is looked at."""
    landing = tmp_path / "landing"
    landing.mkdir()
    return settings_of("postgresql://nobody@nowhere/none", landing)


@pytest.fixture(params=["folder", "s3"])
def zone(settings: Settings, request: pytest.FixtureRequest) -> Zone:
    if request.param == "s3":
        url = request.getfixturevalue("s3_landing")
        settings = replace(settings, landing_url=url)
    return Zone(settings)


def test_a_night_is_there_when_every_required_feed_is(zone: Zone) -> None:
    assert len(zone.feeds) >= 3
    assert zone.watch.look() == [
        f"{feed} of 2026-11-19 has not arrived." for feed in zone.feeds
    ]
    for feed in zone.feeds[1:]:
        zone.put(feed)
    # S3 tells the time in whole seconds, and a busy machine writes late.
    zone.wait(2 * LONG_AGO)
    assert zone.watch.look() == [f"{zone.feeds[0]} of 2026-11-19 has not arrived."]
    zone.put(zone.feeds[0])
    zone.wait(2 * LONG_AGO)
    assert zone.watch.look() == []


def test_what_has_just_changed_may_change_again(zone: Zone) -> None:
    zone.put_all()
    assert zone.watch.look() == [
        f"{feed} of 2026-11-19 is still arriving." for feed in zone.feeds
    ]


def test_a_store_whose_clock_is_ahead_is_judged_by_what_is_seen(zone: Zone) -> None:
    zone.now -= timedelta(hours=1)
    zone.put_all()
    late = zone.feeds[0]
    zone.watch.look()
    zone.wait(LONG_AGO / 2)
    # Another page comes meanwhile: of this feed it begins anew.
    zone.put(late, "page_0002.json")
    zone.watch.look()
    zone.wait(LONG_AGO / 2)
    assert zone.watch.look() == [f"{late} of 2026-11-19 is still arriving."]
    zone.wait(LONG_AGO / 2)
    assert zone.watch.look() == []


def test_an_empty_file_and_one_with_an_unfinished_name_have_not_arrived(
    zone: Zone,
) -> None:
    zone.put_all()
    zone.put(zone.feeds[0], "page_0002.json", b"")
    zone.put(zone.feeds[1], "page_0002.json.part")
    zone.wait(timedelta(hours=1))
    empty, unfinished = zone.watch.look()
    assert empty.startswith(f"{zone.feeds[0]} of 2026-11-19 has not arrived whole: ")
    assert "still being written" in unfinished
    assert unfinished.startswith(zone.feeds[1])


def test_files_that_the_contract_does_not_want_are_not_the_export(zone: Zone) -> None:
    zone.put_all()
    folder = zone.put(zone.feeds[0], "notes.txt").rpartition("/")[0]
    zone._files.delete_file(f"{folder}/page_0001.json")
    zone.wait(timedelta(hours=1))
    (sentence,) = zone.watch.look()
    assert "there is notes.txt" in sentence


def test_a_landing_zone_that_cannot_be_listed_may_be_back(settings: Settings) -> None:
    zone = Zone(settings)
    zone.put_all()
    zone.wait(timedelta(hours=1))
    folder = Path(settings.landing_url)
    folder.rename(folder.with_name("elsewhere"))
    (sentence,) = zone.watch.look()
    assert "does not exist" in sentence
    folder.with_name("elsewhere").rename(folder)
    assert zone.watch.look() == []


def test_an_old_file_is_there_at_the_first_look(settings: Settings) -> None:
    zone = Zone(settings)
    for feed in zone.feeds:
        path = zone.put(feed)
        os.utime(path, (1_600_000_000, 1_600_000_000))
    assert zone.watch.look() == []


@pytest.mark.parametrize(
    ("clock", "waits"),
    [
        ("2026-11-20 01:59", False),
        ("2026-11-20 02:00", True),
        ("2026-11-20 05:59", True),
        ("2026-11-20 06:00", False),
        ("2027-11-20 03:00", False),
    ],
)
@pytest.mark.parametrize("zone_name", ["America/Sao_Paulo", "Europe/Bucharest"])
def test_a_night_waits_from_its_start_to_its_deadline_and_at_no_other_time(
    settings: Settings, clock: str, waits: bool, zone_name: str
) -> None:
    settings = replace(settings, reporting_time_zone=zone_name)
    now = datetime.fromisoformat(clock).replace(tzinfo=ZoneInfo(zone_name))
    assert is_time_to_wait(settings, NIGHT, now.astimezone(UTC)) is waits
    watch = ArrivalWatch(settings, "crm", NIGHT, lambda: now.astimezone(UTC))
    assert watch.is_over() is not waits
    assert watch.deadline == datetime(2026, 11, 20, 6, tzinfo=ZoneInfo(zone_name))


def test_the_deadline_is_that_of_the_settings(settings: Settings) -> None:
    settings = replace(settings, export_deadline=time(8, 30))
    now = datetime(2026, 11, 20, 8, tzinfo=ZoneInfo("America/Sao_Paulo"))
    assert is_time_to_wait(settings, NIGHT, now)
    assert not is_time_to_wait(settings, NIGHT, now + timedelta(minutes=30))
