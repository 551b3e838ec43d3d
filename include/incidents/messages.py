"""Messages about incidents: their words, and who has got them.

In: ``audit.incident_messages``, and channels that can send. Out: each message sent once
by each channel. One that could not be sent is owed until it was: the next look tries
again. Only a crash between sending and writing that down sends one twice.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import psycopg

from include.errors import WarehouseError
from include.incidents.kinds import KINDS
from include.settings import Settings

log = logging.getLogger(__name__)

TIMES = "%Y-%m-%d %H:%M %Z"
TITLES = {kind.name: kind.title for kind in KINDS}


class NotSentError(WarehouseError):
    """A channel could not send; the text says why, without any secret of it."""


@dataclass(frozen=True)
class Message:
    """What is sent about an incident, when it opens or when it is over.

    `runbook` is the link to the entry that says what to do; `closed_at` is None when
    the incident opens.
    """

    incident_id: int
    kind: str
    subject: str
    owner: str
    runbook: str
    text: str
    opened_at: datetime
    closed_at: datetime | None

    @property
    def title(self) -> str:
        """One line that says what it is about."""
        state = "Over" if self.closed_at else "Open"
        return f"{state}: {TITLES.get(self.kind, self.kind)}, {self.subject}"

    @property
    def lines(self) -> list[str]:
        """What a person reads below the title."""
        times = f"since {self.opened_at:{TIMES}}"
        if self.closed_at:
            times = f"from {self.opened_at:{TIMES}} to {self.closed_at:{TIMES}}"
        return [
            self.text,
            f"Incident {self.incident_id}, {times}",
            f"Owner: {self.owner}",
            f"What to do: {self.runbook}",
        ]


class Channel(Protocol):
    """A way to tell people: mail, a webhook."""

    def send(self, message: Message) -> None:
        """Send a message. Raises NotSentError when it was not sent."""


def deliver(
    connection: psycopg.Connection, settings: Settings, channels: Mapping[str, Channel]
) -> int:
    """Send what is owed by the channels that are switched on; return how many went.

    A channel that fails is left alone until the next look, so that a dead server costs
    one time-out. Each message is a transaction: nobody else sends the same meanwhile.
    """
    sent = 0
    for name, channel in channels.items():
        while _send_next(connection, settings, name, channel):
            sent += 1
    return sent


def _send_next(
    connection: psycopg.Connection, settings: Settings, name: str, channel: Channel
) -> bool:
    """Send the oldest message a channel owes; False: none is owed, or it failed."""
    with connection.transaction():
        # Who comes while another sends by this channel leaves it all to that one.
        row = connection.execute(
            "select message_id, incident_id, event from audit.incident_messages"
            " where pg_try_advisory_xact_lock(hashtext('cx.incidents by ' || %(name)s))"
            " and channel = %(name)s and notified_at is null"
            " order by message_id limit 1",
            {"name": name},
        ).fetchone()
        if row is None:
            return False
        message_id, incident_id, event = row
        message = _compose(connection, settings, incident_id, event)
        try:
            channel.send(message)
        except NotSentError as error:
            log.warning("%s by %s is still to be sent: %s", message.title, name, error)
            connection.execute(
                "update audit.incident_messages set attempts = attempts + 1,"
                " last_error = %s where message_id = %s",
                [str(error), message_id],
            )
            return False
        connection.execute(
            "update audit.incident_messages set attempts = attempts + 1,"
            " last_error = null, notified_at = clock_timestamp() where message_id = %s",
            [message_id],
        )
    log.info("%s: sent by %s", message.title, name)
    return True


def _compose(
    connection: psycopg.Connection, settings: Settings, incident_id: int, event: str
) -> Message:
    row = connection.execute(
        "select kind, subject, owner, runbook, opening_message, opened_at, closed_at"
        " from audit.incidents where incident_id = %s",
        [incident_id],
    ).fetchone()
    assert row is not None
    kind, subject, owner, anchor, text, opened_at, closed_at = row
    zone = ZoneInfo(settings.reporting_time_zone)
    is_over = event == "closed"
    return Message(
        incident_id,
        kind,
        subject,
        owner,
        runbook=f"{settings.runbook_url}#{anchor}",
        text=f"It is over. It was: {text}" if is_over else text,
        opened_at=opened_at.astimezone(zone),
        closed_at=closed_at.astimezone(zone) if is_over else None,
    )
