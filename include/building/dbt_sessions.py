"""dbt's sessions with PostgreSQL, which serve one node after another.

dbt ends its session after each model and each test and begins another for the next: a
process of the server, a log-in and an empty cache of the catalogue, some 270 times a
night. Here a session whose node is done waits for the next one, until the run ends.
"""

from typing import Any, ClassVar

import psycopg2
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.postgres.connections import PostgresConnectionManager


class KeptSessions(PostgresConnectionManager):
    """The sessions of one run of dbt: those of nodes at work, and those that wait."""

    # dbt opens and closes by methods of the class. A process has one run at a time.
    _waiting: ClassVar[list[Any]] = []

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Give dbt's connection a session that waits, made as new, or begin one."""
        if connection.state == ConnectionState.OPEN:
            return connection
        while cls._waiting:
            session = cls._waiting.pop()
            try:
                _make_as_new(session)
            except psycopg2.Error:  # the server has ended it
                session.close()
            else:
                connection.handle = session
                connection.state = ConnectionState.OPEN
                return connection
        opened: Connection = super().open(connection)  # type: ignore[no-untyped-call]
        return opened

    @classmethod
    def _close_handle(cls, connection: Connection) -> None:
        session = connection.handle
        if session is None:  # it could not begin
            return
        try:
            session.rollback()
        except psycopg2.Error:
            session.close()
        else:
            cls._waiting.append(session)

    def cleanup_all(self) -> None:
        """End all sessions; dbt asks for it at the end of a run."""
        super().cleanup_all()
        self.end_waiting()

    @classmethod
    def end_waiting(cls) -> None:
        """End the sessions that no node has."""
        while cls._waiting:
            cls._waiting.pop().close()


def _make_as_new(session: Any) -> None:
    """Forget settings, temporary tables and locks; the role is that of its start."""
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute("discard all")
    session.autocommit = False
