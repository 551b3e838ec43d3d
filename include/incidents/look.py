"""One look: find what is wrong, open and close incidents, send what is owed.

In: settings and the channels that are switched on, by name. Out: incidents up to date,
messages sent. What cannot be sent now is sent by a later look; a look never fails a
night that went well.
"""

import logging
from collections.abc import Mapping
from datetime import datetime

import psycopg

from include.audit import migrate
from include.errors import SettingsError
from include.incidents.findings import find_delays, find_faults
from include.incidents.kinds import KINDS
from include.incidents.ledger import Comparison, compare
from include.incidents.messages import Channel, deliver
from include.settings import Settings, connect

log = logging.getLogger(__name__)


def look_after_run(
    settings: Settings, run_id: str, channels: Mapping[str, Channel]
) -> None:
    """Look at the end of a run, for what does not need a timetable.

    A database that is gone is logged: the run says so itself, and the next look comes.
    """
    kinds = [kind for kind in KINDS if not kind.needs_timetable]
    try:
        with connect(settings, "transformer") as connection:
            connection.autocommit = True
            faults = find_faults(connection, settings, run_id)
            found = compare(connection, settings, faults, kinds, channels.keys())
            _log(found, deliver(connection, settings, channels))
    except (psycopg.Error, SettingsError) as error:
        log.warning("incidents were not looked at: %s", error)


def look_at_everything(
    settings: Settings, channels: Mapping[str, Channel], now: datetime
) -> Comparison:
    """Look between the runs of a timetable, also for nights that did not come."""
    with connect(settings) as connection:
        migrate(connection, settings.role_prefix)
    with connect(settings, "transformer") as connection:
        connection.autocommit = True
        findings = [
            *find_faults(connection, settings),
            *find_delays(connection, settings, now),
        ]
        found = compare(connection, settings, findings, KINDS, channels.keys())
        _log(found, deliver(connection, settings, channels))
    return found


def _log(found: Comparison, sent: int) -> None:
    log.info(
        "incidents: %d opened, %d still open, %d over; %d messages sent",
        *(found.opened, found.seen_again, found.closed, sent),
    )
