"""Some feeds for a range of nights, one load after the other.

In: contracts, batch dates. Out: an `ExtractResult`; what failed is in
``audit.feed_failures`` too. A feed that fails never stops the others, nor its own other
nights.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from include import audit
from include.contracts import FeedContract
from include.errors import ExportError, SettingsError
from include.loading.feed_session import FeedSession, open_session
from include.loading.landing import Landing
from include.loading.loader import LoadResult
from include.settings import Settings

log = logging.getLogger(__name__)

# A long range says how far it is once in so many seconds.
SECONDS_BETWEEN_LINES = 10

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ExtractResult:
    """What was loaded: results in the order of loading, and the failures' sentences."""

    loads: list[LoadResult] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def load_range(
    settings: Settings,
    contracts: Iterable[FeedContract],
    first: date,
    last: date,
    run_id: str,
    progress: Progress = log.info,
) -> ExtractResult:
    """Load the feeds for the batch dates first to last, inclusive.

    Raises SettingsError when the landing zone cannot be read: no other feed's can.
    """
    landing = Landing(settings.landing_url)
    nights = (last - first).days + 1
    result = ExtractResult()
    with open_session(settings) as session:
        for contract in contracts:
            rows = unchanged = 0
            said_at = time.monotonic()
            for night in range(nights):
                batch_date = first + timedelta(days=night)
                if time.monotonic() - said_at > SECONDS_BETWEEN_LINES:
                    progress(
                        f"{contract.name}: {night} of {nights} nights, {rows:,} rows"
                    )
                    said_at = time.monotonic()
                loaded = _load(session, landing, contract, batch_date, run_id, result)
                if loaded is not None:
                    result.loads.append(loaded)
                    rows += loaded.rows_loaded
                    unchanged += loaded.outcome == "unchanged"
            known = f", {unchanged} unchanged" if unchanged else ""
            progress(f"{contract.name}: {nights} nights, {rows:,} rows{known}")
    return result


def _load(
    session: FeedSession,
    landing: Landing,
    contract: FeedContract,
    batch_date: date,
    run_id: str,
    result: ExtractResult,
) -> LoadResult | None:
    """Load one night of one feed; a failure is written down and added to the result."""
    try:
        loaded = session.load(landing, contract, batch_date, run_id)
    except (ExportError, SettingsError) as error:
        log.error("%s", error)
        audit.record_feed_failure(
            session.connection, run_id, contract.name, batch_date, error
        )
        if isinstance(error, SettingsError):
            raise
        result.failures.append(str(error))
        return None
    audit.resolve_feed_failures(session.connection, contract.name, batch_date)
    if loaded is not None and loaded.outcome == "unchanged":
        audit.drop_held_loads(session.connection, contract.name, batch_date)
    return loaded
