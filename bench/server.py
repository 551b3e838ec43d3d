"""The server of the benchmarks: a durable embedded PostgreSQL of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from include.audit import migrate
from include.embedded.postgres import EmbeddedPostgres


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Start the server in `folder`, yield the libpq URL of its database, stop it."""
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        with psycopg.connect(server.url()) as connection:
            migrate(connection)
        yield server.url()
    finally:
        server.stop()
