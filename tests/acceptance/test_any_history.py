"""Whatever happened before: the same exports in the end give the same marts.

Hypothesis invents the past of a small company's warehouse: exports of another company
under its own names and dates, missing and empty feeds, the same night again, models
built anew, nights in any order. Then the right exports arrive, in some order too, and
every published table must be what one clean load of the same nights gives, by hash over
all columns; at several prefixes of the nights, on one and the same warehouse.
"""

import itertools
import logging
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include import audit, night
from include.building.publish import verify_published
from include.contracts import read_contracts
from include.embedded.postgres import EmbeddedPostgres
from include.errors import GateError, WarehouseError
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import PROJECT_FOLDER, Settings, connect
from tests import nights
from tests.conftest import open_database, settings_of
from tests.nights import Hashes, execute, fetch, hash_marts, list_days

SAMPLE = SampleParameters(customers=100, nights=7, seed=23)
DAYS = list_days(SAMPLE.first_night, SAMPLE.last_night)
FEEDS = sorted(read_contracts(PROJECT_FOLDER))
EXAMPLES = 3
RUNS = itertools.count(1)
# Marts are compared as a whole here; that data tests see faults is shown elsewhere.
run = partial(nights.run, with_tests=False)


@dataclass(frozen=True)
class Event:
    """What happens to some feeds on some days, and then the days are loaded."""

    kind: str
    days: tuple[date, ...]
    feeds: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    """Some past up to a day, and the order in which the right nights then come."""

    last: date
    events: tuple[Event, ...]
    order: tuple[date, ...]


@st.composite
def invent_chapters(draw: st.DrawFn) -> list[Chapter]:
    lengths = draw(
        st.lists(st.integers(2, len(DAYS)), min_size=1, max_size=2, unique=True).map(
            sorted
        )
    )
    return [draw(invent_chapter(length)) for length in lengths]


@st.composite
def invent_chapter(draw: st.DrawFn, length: int) -> Chapter:
    days = DAYS[:length]
    some_days = st.lists(st.sampled_from(days), min_size=1, max_size=2, unique=True)
    some_feeds = st.lists(st.sampled_from(FEEDS), min_size=1, max_size=6, unique=True)
    event = st.builds(
        Event,
        st.sampled_from(["other company", "missing", "empty", "again", "built anew"]),
        some_days.map(sorted).map(tuple),
        some_feeds.map(tuple),
    )
    events = draw(st.lists(event, min_size=1, max_size=4))
    return Chapter(days[-1], tuple(events), tuple(draw(st.permutations(days))))


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The exports of the right company, and those of another with the same numbers."""
    right, other = (tmp_path_factory.mktemp(name) for name in ("right", "other"))
    write_sample_exports(right, SAMPLE)
    write_sample_exports(other, replace(SAMPLE, seed=24))
    return right, other


@pytest.fixture(scope="module")
def clean_hashes(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    companies: tuple[Path, Path],
) -> Iterator[dict[date, Hashes]]:
    """Hashes of the marts after each night, loaded one after the other."""
    with open_database(postgres_server, template=built_template) as url:
        settings = settings_of(url, companies[0])
        hashes = {}
        for day in DAYS:
            assert run(settings, day, day, f"clean {day}") == []
            hashes[day] = hash_marts(settings)
        yield hashes


def happen(settings: Settings, event: Event, companies: tuple[Path, Path]) -> None:
    """Change the landing zone, or the models' fingerprints, and load the days."""
    right, other = companies
    if event.kind == "built anew":
        execute(
            settings,
            "update audit.models set built_fingerprint = null"
            f" where abs(hashtext(model)) % 9 = {len(event.feeds)}",
        )
    for day in event.days:
        for feed in event.feeds:
            place = Path(*feed.split("."), day.isoformat())
            target = Path(settings.landing_url) / place
            if event.kind == "again":
                deliver(right / place, target)
            if event.kind in ("other company", "empty"):
                deliver(other / place, target)
            if event.kind == "missing":
                shutil.rmtree(target, ignore_errors=True)
            if event.kind == "empty":
                for path in target.iterdir():
                    path.write_bytes(path.read_bytes()[:1])
    for day in event.days:
        load(settings, day)


def deliver(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, target)


def load(settings: Settings, day: date) -> None:
    """Run a night; what it refuses of an invented past, it may refuse."""
    with suppress(WarehouseError):
        run(settings, day, day, f"{next(RUNS)} {day}")


def load_right_nights(settings: Settings, chapter: Chapter, right: Path) -> None:
    """Deliver the right exports and load them in the chapter's order.

    What the gates hold against the invented past is accepted, as an engineer would.
    """
    for feed in FEEDS:
        for day in chapter.order:
            place = Path(*feed.split("."), day.isoformat())
            deliver(right / place, Path(settings.landing_url) / place)
    for day in chapter.order:
        load(settings, day)
    with connect(settings) as connection:
        for (load_id,) in fetch(
            settings,
            "select load_id from (select distinct on (feed, batch_date) * from"
            " audit.loads order by feed, batch_date, load_id desc) as newest"
            " where status = 'held'",
        ):
            audit.accept_held_load(connection, load_id)
    try:
        assert run(settings, chapter.last, chapter.last, f"{next(RUNS)} settled") == []
    except GateError:
        ((build_id,),) = fetch(settings, "select max(build_id) from audit.builds")
        night.publish_stopped_build(settings, build_id)


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2])
def test_any_past_ends_in_the_marts_of_the_clean_load(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    companies: tuple[Path, Path],
    clean_hashes: dict[date, Hashes],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    number: int,
) -> None:
    caplog.set_level(logging.CRITICAL)

    @seed(number)
    @hypothesis_settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(invent_chapters())
    def check(chapters: list[Chapter]) -> None:
        landing = tmp_path / "landing"
        shutil.rmtree(landing, ignore_errors=True)
        landing.mkdir()
        with open_database(postgres_server, template=built_template) as url:
            settings = settings_of(url, landing)
            for chapter in chapters:
                note(f"{chapter}")
                for event in chapter.events:
                    happen(settings, event, companies)
                load_right_nights(settings, chapter, companies[0])
                found, clean = hash_marts(settings), clean_hashes[chapter.last]
                differing = sorted(name for name in clean if found[name] != clean[name])
                assert differing == []
                assert verify_published(settings) == {}

    check()
