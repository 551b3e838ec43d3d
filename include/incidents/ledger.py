"""The ledger: incidents are opened, seen again and closed, each in one place.

In: what is wrong now. Out: ``audit.incidents``, and in ``audit.incident_messages`` one
row for each message that a channel owes: when an incident opens, and when it is over.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import psycopg

from include.contracts import read_contracts
from include.incidents.findings import Finding
from include.incidents.kinds import KINDS, Kind, find_owner
from include.settings import Settings

log = logging.getLogger(__name__)

# A message names what happened; the rest is in audit.
LONGEST_MESSAGE = 2000


@dataclass(frozen=True)
class Comparison:
    """How many incidents a look opened, found again and closed."""

    opened: int
    seen_again: int
    closed: int


def compare(
    connection: psycopg.Connection,
    settings: Settings,
    findings: Sequence[Finding],
    looked_for: Collection[Kind] = KINDS,
    channels: Collection[str] = (),
) -> Comparison:
    """Bring the incidents up to what was found, in one transaction.

    Parameters
    ----------
    findings : what is wrong now; at most one of a kind and subject
    looked_for : the kinds that were looked for; incidents of others stay as they are
    channels : names of the channels that are switched on
    """
    with connection.transaction():
        # Two looks at once would open the same incident twice.
        connection.execute("select pg_advisory_xact_lock(hashtext('cx.incidents'))")
        known = _read_open(connection, looked_for)
        new = [
            finding
            for finding in findings
            if (finding.kind.name, finding.subject) not in known
            and not finding.may_pass
        ]
        _open(connection, settings, new)
        _note_seen(connection, findings)
        current = {(finding.kind.name, finding.subject) for finding in findings}
        over = [known[what] for what in known.keys() - current]
        again = known.keys() & current
        _close(connection, over)
        _owe_messages(connection, channels)
    return Comparison(len(new), len(again), len(over))


def _read_open(
    connection: psycopg.Connection, looked_for: Collection[Kind]
) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        "select kind, subject, incident_id from audit.incidents"
        " where closed_at is null and kind = any(%s)",
        [[kind.name for kind in looked_for]],
    ).fetchall()
    return {(kind, subject): incident_id for kind, subject, incident_id in rows}


def _open(
    connection: psycopg.Connection, settings: Settings, findings: Sequence[Finding]
) -> None:
    if not findings:
        return
    contracts = read_contracts(settings.project_folder, settings.sources)
    for finding in findings:
        kind, message = finding.kind, finding.message[:LONGEST_MESSAGE]
        owner = find_owner(settings, contracts, kind, finding.subject)
        connection.execute(
            "insert into audit.incidents"
            " (kind, subject, owner, runbook, opening_message, message)"
            " values (%s, %s, %s, %s, %s, %s)",
            [kind.name, finding.subject, owner, kind.anchor, message, message],
        )
        log.warning("incident: %s, %s: %s", kind.title, finding.subject, message)


def _note_seen(connection: psycopg.Connection, findings: Sequence[Finding]) -> None:
    for finding in findings:
        connection.execute(
            "update audit.incidents set last_seen_at = clock_timestamp(), message = %s"
            " where kind = %s and subject = %s and closed_at is null",
            [finding.message[:LONGEST_MESSAGE], finding.kind.name, finding.subject],
        )


def _close(connection: psycopg.Connection, incident_ids: Sequence[int]) -> None:
    connection.execute(
        "update audit.incidents set closed_at = clock_timestamp()"
        " where incident_id = any(%s)",
        [list(incident_ids)],
    )
    # Whoever was to hear of the beginning hears of the end.
    connection.execute(
        "insert into audit.incident_messages (incident_id, channel, event)"
        " select incident_id, channel, 'closed' from audit.incident_messages"
        " where event = 'opened' and incident_id = any(%s) order by message_id"
        " on conflict do nothing",
        [list(incident_ids)],
    )


def _owe_messages(connection: psycopg.Connection, channels: Collection[str]) -> None:
    connection.execute(
        "insert into audit.incident_messages (incident_id, channel, event)"
        " select incident_id, channel, 'opened' from audit.incidents,"
        "  unnest(%s::text[]) as channel"
        " where closed_at is null order by incident_id, channel"
        " on conflict do nothing",
        [list(channels)],
    )
