"""Whatever dies, and whenever: the night run again ends in the marts of the clean load.

Each history loads one night after the other, and kills each of them several times
before it may end well: the process that runs it, in the middle of a COPY, of gate 1, of
dbt, between dbt's parts, of gate 2 or of the publish; or PostgreSQL itself, postmaster
and backends, while the night is at one of those. Every kill is shown to have come while
the step was at work. After each the same night is run again. Readers poll marts all the
while, and see whole versions and no error but the loss of a killed server.
"""

import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from psycopg import sql

from include.building.publish import verify_published
from include.contracts import read_contracts
from include.embedded.postgres import EmbeddedPostgres
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import PROJECT_FOLDER, Settings, connect
from tests import crashes, nights
from tests.conftest import open_database, settings_of
from tests.crashes import STEPS, Kill
from tests.nights import Hashes, fetch, hash_marts, list_days
from tests.readers import Outages, wait_until_seen, watch_marts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

SAMPLE = SampleParameters(customers=100, nights=7, seed=31)
DAYS = list_days(SAMPLE.first_night, SAMPLE.last_night)[:6]
# Of each history; two of them make more than fifty.
PROCESS_KILLS = {
    "copy": 4,
    "gate 1": 3,
    "models": 6,
    "between the parts": 3,
    "gate 2": 1,
    "publish": 4,
}
# Of a kill that finds its night standing before or behind the step.
TRIES = 3
SERVER_KILLS = dict.fromkeys(STEPS, 1)
# Marts are compared as a whole here; that data tests see faults is shown elsewhere.
run = partial(nights.run, with_tests=False)


@dataclass
class Version:
    """What one clean night leaves behind."""

    marts: Hashes
    audit: dict[str, list[tuple]]


@dataclass
class History:
    """Nights that are killed: what was done to them, and what is still to be done."""

    settings: Settings
    server: EmbeddedPostgres
    log_file: Path
    outages: Outages = field(default_factory=Outages)
    done: list[Kill] = field(default_factory=list)
    missed: list[Kill] = field(default_factory=list)

    def run_night(self, day: date, kills: list[Kill]) -> None:
        """Run a night again and again, killed each time but the last."""
        waiting = sorted([*kills, *self.missed], key=place_in_night)
        self.missed = []
        for number, kill in enumerate(waiting):
            for _ in range(TRIES):
                process = crashes.start_night(self.settings, day, kill, self.log_file)
                if not crashes.wait_until_stopped(process):
                    # It came through: nothing is left of it to be killed.
                    assert process.exitcode == 0, self.read_log()
                    self.missed += waiting[number:]
                    return
                if self.kill(process, day, kill):
                    break
            else:
                self.missed.append(kill)
        process = crashes.start_night(self.settings, day, None, self.log_file)
        process.join(crashes.PATIENCE_SECONDS)
        assert process.exitcode == 0, self.read_log()

    def kill(self, process: ForkServerProcess, day: date, kill: Kill) -> bool:
        """Kill a night that stands still; False: its step was not at work."""
        is_at_work = crashes.is_at_work(self.settings, day, kill)
        if kill.of_server and is_at_work:
            with self.outages.expect():
                crashes.kill_server(self.server)
                crashes.resume(process)
                # It ends, with an error, and does not hang.
                process.join(crashes.PATIENCE_SECONDS)
                assert process.exitcode == 1, self.read_log()
                self.server.start()
        else:
            crashes.kill_process(process)
            crashes.wait_until_noticed(self.settings)
        if is_at_work:
            self.done.append(kill)
        return is_at_work

    def read_log(self) -> str:
        return self.log_file.read_text(errors="replace")[-5000:]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    write_sample_exports(folder, SAMPLE)
    return folder


@pytest.fixture(scope="module")
def clean_versions(
    postgres_server: EmbeddedPostgres, built_template: str, exports: Path
) -> Iterator[list[Version]]:
    """What is published after each night, loaded one after the other."""
    with open_database(postgres_server, template=built_template) as url:
        settings = settings_of(url, exports)
        versions = []
        for day in DAYS:
            assert run(settings, day, day, crashes.name_run(day)) == []
            versions.append(Version(hash_marts(settings), describe_audit(settings)))
        yield versions


@pytest.fixture
def durable_server() -> Iterator[EmbeddedPostgres]:
    """A server that may be killed: what it has committed is on disk."""
    folder = Path(tempfile.mkdtemp(prefix="cx-tests-crash-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres", is_durable=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def deal_kills(number: int) -> list[list[Kill]]:
    """Deal the kills to the nights, in the order of a night's steps."""
    draw = random.Random(number)
    kills = [
        Kill(step, of_server, draw.random())
        for of_server, counts in ((False, PROCESS_KILLS), (True, SERVER_KILLS))
        for step, count in counts.items()
        for _ in range(count)
    ]
    draw.shuffle(kills)
    hands = [kills[place :: len(DAYS)] for place in range(len(DAYS))]
    return [sorted(hand, key=place_in_night) for hand in hands]


def place_in_night(kill: Kill) -> int:
    return STEPS.index(kill.step)


def describe_audit(settings: Settings) -> dict[str, list[tuple]]:
    """What audit says of loads and versions, without numbers and times of its own."""
    return {
        "loads": fetch(
            settings,
            "select feed, batch_date, status, rows_in_file, rows_loaded, rows_rejected,"
            " rows_staged, rows_quarantined, content_hash from audit.loads"
            " order by feed, batch_date, load_id",
        ),
        "restatements": fetch(
            settings,
            "select run_id, model, change, count(*),"
            " md5(string_agg(row_image::text, '' order by row_image::text))"
            " from audit.published_changes join audit.publishes using (publish_id)"
            " group by run_id, model, change order by run_id, model, change",
        ),
    }


def check_audit(settings: Settings) -> None:
    """Nothing is half there, under way or left to do."""
    for nothing in (
        "select * from audit.waiting_loads",
        "select * from audit.loads where rows_in_file <> rows_loaded + rows_rejected",
        "select * from audit.loads where rows_rejected <>"
        " (select count(*) from audit.rejects where rejects.load_id = loads.load_id)",
        "select * from audit.builds where status = 'running'",
        "select * from audit.builds where status = 'failed' and message is null",
        "select * from audit.dirty_keys",
        "select * from audit.unpublished_keys",
        "select * from audit.build_loads where is_touched or not is_applied"
        " or not is_current",
        # What dbt makes on the way to a relation.
        r"select relname from pg_class where relname ~ '__dbt_(tmp|backup)'",
    ):
        assert fetch(settings, nothing) == [], nothing
    stored = {}
    with connect(settings) as connection:
        for contract in read_contracts(PROJECT_FOLDER).values():
            suffix = "__snapshots" if contract.is_snapshot else ""
            rows = connection.execute(
                sql.SQL("select _load_id, count(*) from {} group by 1").format(
                    sql.Identifier(contract.schema_name, contract.feed + suffix)
                )
            )
            stored.update(dict(rows.fetchall()))
    loads = dict(fetch(settings, "select load_id, rows_loaded from audit.loads"))
    assert stored == {load: rows for load, rows in loads.items() if rows}


@pytest.mark.parametrize("number", [1, 2])
def test_any_crash_ends_in_the_marts_of_the_clean_load(
    durable_server: EmbeddedPostgres,
    clean_versions: list[Version],
    exports: Path,
    tmp_path: Path,
    number: int,
) -> None:
    settings = settings_of(durable_server.url(), exports)
    history = History(settings, durable_server, tmp_path / "nights.log")
    hands = deal_kills(number)

    def check_night(day: date, clean: Version) -> None:
        found = hash_marts(settings)
        differing = [name for name in clean.marts if found[name] != clean.marts[name]]
        assert differing == []
        assert describe_audit(settings) == clean.audit
        assert verify_published(settings) == {}
        check_audit(settings)

    history.run_night(DAYS[0], hands[0])
    check_night(DAYS[0], clean_versions[0])
    # From the first publish on.
    published = [version.marts for version in clean_versions]
    with watch_marts(settings, published, history.outages) as readers:
        for version, (day, kills, clean) in enumerate(
            zip(DAYS[1:], hands[1:], clean_versions[1:], strict=True), start=1
        ):
            history.run_night(day, kills)
            check_night(day, clean)
            wait_until_seen(readers, version)

    for reader in readers:
        assert reader.faults == []
        assert reader.seen == set(range(len(DAYS))), "readers saw every version"
    assert sorted(map(str, history.done)) == sorted(
        str(kill) for hand in hands for kill in hand
    ), "every kill has hit its step at work"
