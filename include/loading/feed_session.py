"""Loads one after the other on one connection, opened anew when it breaks.

In: settings, and one load after the other. Out: what `load_feed` returns. A load is one
transaction, so a cut connection leaves nothing behind and the load can be tried again;
if the cut came after the commit, the second try finds the same content and writes none.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import psycopg

from include.contracts import FeedContract
from include.errors import ExportError
from include.loading.landing import Landing
from include.loading.loader import LoadResult, load_feed
from include.settings import Settings, connect

log = logging.getLogger(__name__)

# Seconds before each new try of a load whose connection broke.
PAUSES = (0.5, 2.0)


class FeedSession:
    """A connection for loads, in autocommit: each load is a transaction of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.connection = self._connect()

    def load(
        self, landing: Landing, contract: FeedContract, batch_date: date, run_id: str
    ) -> LoadResult | None:
        """Load what a feed sent for a batch date, again where the connection broke.

        Raises what `load_feed` does, and ExportError when the connection broke each
        time; `connection` is open then, too.
        """
        pauses = iter(PAUSES)
        while True:
            try:
                return load_feed(self.connection, landing, contract, batch_date, run_id)
            except psycopg.OperationalError as error:
                if not self.connection.closed:
                    raise
                words = " ".join(str(error).split())
                pause = next(pauses, None)
                if pause is None:
                    self.connection = self._connect()
                    raise ExportError(
                        contract.name,
                        batch_date,
                        f"the connection to the database broke off ({words})",
                        "nothing of it was loaded: check the server and the network,"
                        " then run this night again",
                    ) from error
                log.warning("%s of %s: %s: once more", contract.name, batch_date, words)
                time.sleep(pause)
                self.connection = self._connect()

    def _connect(self) -> psycopg.Connection:
        connection = connect(self._settings, "loader")
        connection.autocommit = True
        return connection


@contextmanager
def open_session(settings: Settings) -> Iterator[FeedSession]:
    """Open a session for loads; its connection is closed after the block."""
    session = FeedSession(settings)
    try:
        yield session
    finally:
        session.connection.close()
