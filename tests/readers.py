"""Readers in tests: threads that poll marts and see whole, published versions only.

Each reads in one isolation level: READ COMMITTED in one statement, REPEATABLE READ in
several statements of one transaction. Whatever they see must be one of the versions
that are known, and never an older one than they saw before.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import IsolationLevel, sql

from include.settings import Settings, compose_database_url
from tests.nights import Hashes, compose_hash_query

PAUSE_SECONDS = 0.1
# Of a whole version these agree: daily counts, scores and the answers themselves.
TOTALS = """
    select sum(daily.responses), (
        select count(*) from marts.fct_survey_responses
        where is_counted and metric = 'nps'
    ), (
        select sum(responses) from marts.experience_scores
        where metric = 'nps' and breakdown = 'total' and period_grain = 'month'
        and not is_confidential
    )
    from marts.mart_nps_daily as daily
"""
TABLES = ("mart_nps_daily", "experience_scores", "fct_survey_responses")


@dataclass
class Outages:
    """When the server was down on purpose: a connection may be lost then."""

    _begun: int = 0
    _ended: int = 0

    @contextmanager
    def expect(self) -> Iterator[None]:
        self._begun += 1
        try:
            yield
        finally:
            self._ended += 1

    def count(self) -> int:
        return self._begun

    def is_now(self) -> bool:
        return self._begun > self._ended


@dataclass
class Reader:
    """One reader, and what it saw: how many polls, which versions, what was wrong."""

    settings: Settings
    isolation: IsolationLevel
    versions: Sequence[Hashes]
    outages: Outages
    polls: int = 0
    lost_connections: int = 0
    seen: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def read_until(self, ended: threading.Event) -> None:
        """Poll until told to end; the connection is opened anew when it is lost."""
        while not ended.is_set():
            outages, was_down = self.outages.count(), self.outages.is_now()
            try:
                self._read_on_one_connection(ended)
            except psycopg.OperationalError as error:
                self.lost_connections += 1
                if outages == self.outages.count() and not was_down:
                    self.faults.append(f"{type(error).__name__}: {error}")
                time.sleep(PAUSE_SECONDS)
            except psycopg.Error as error:
                self.faults.append(f"{type(error).__name__}: {error}")

    def _read_on_one_connection(self, ended: threading.Event) -> None:
        url = compose_database_url(self.settings, "bi_reader")
        with psycopg.connect(url, application_name="reader") as connection:
            connection.isolation_level = self.isolation
            while not ended.is_set():
                self._judge(*self._poll(connection))
                connection.rollback()
                self.polls += 1
                time.sleep(PAUSE_SECONDS)

    def _poll(self, connection: psycopg.Connection) -> tuple[tuple, Hashes]:
        """The totals and the hashes of the tables, as one version shows them."""
        queries = [sql.SQL(TOTALS), *map(compose_hash_query, TABLES)]
        if self.isolation == IsolationLevel.READ_COMMITTED:
            # One statement sees one version.
            parts = sql.SQL(" cross join ").join(
                sql.SQL("({}) as {}").format(query, sql.Identifier(f"part_{number}"))
                for number, query in enumerate(queries)
            )
            row = connection.execute(sql.SQL("select * from {}").format(parts))
            values = row.fetchone()
            assert values is not None
            pairs = zip(values[3::2], values[4::2], strict=True)
            return values[:3], dict(zip(TABLES, pairs, strict=True))
        rows = []
        for query in queries:
            rows.append(connection.execute(query).fetchone())
            # Long enough for a publish to come in between.
            time.sleep(PAUSE_SECONDS)
        return rows[0] or (), dict(zip(TABLES, rows[1:], strict=True))

    def _judge(self, totals: tuple, hashes: Hashes) -> None:
        if len(set(totals)) != 1 or not totals[0]:
            self.faults.append(f"totals that do not agree: {totals}")
        matching = [
            number
            for number, version in enumerate(self.versions)
            if all(version[table] == hashes[table] for table in TABLES)
        ]
        if not matching:
            self.faults.append(f"a version that was never published: {hashes}")
        elif self.seen and matching[0] < max(self.seen):
            self.faults.append(f"version {matching[0]} after {max(self.seen)}")
        self.seen.update(matching[:1])


def wait_until_seen(readers: Sequence[Reader], version: int) -> None:
    """Wait, a minute at most, until each reader has seen what is published now."""
    deadline = time.monotonic() + 300
    while any(version not in reader.seen for reader in readers):
        assert time.monotonic() < deadline, f"nobody saw version {version}"
        time.sleep(PAUSE_SECONDS)


@contextmanager
def watch_marts(
    settings: Settings, versions: Sequence[Hashes], outages: Outages
) -> Iterator[list[Reader]]:
    """Let one reader of each isolation level poll while the block runs."""
    readers = [
        Reader(settings, isolation, versions, outages)
        for isolation in (IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ)
    ]
    ended = threading.Event()
    threads = [
        threading.Thread(target=reader.read_until, args=(ended,)) for reader in readers
    ]
    for thread in threads:
        thread.start()
    try:
        yield readers
    finally:
        ended.set()
        for thread in threads:
            thread.join(60)
