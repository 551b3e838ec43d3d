"""Whether the exports that a night needs have arrived, whole.

In: a landing zone, a role and a batch date. Out: one sentence for each required feed
that is not there yet. Nothing is read of the files.

A feed is there when its folder holds a file that the contract wants, none is empty or
named as unfinished, and none has changed for `SETTLE_SECONDS`: by the time that the
store says, or by what was seen from look to look where its clock differs from ours. An
object of S3 appears whole; there it is about further ones, the pages of an export.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from include.batch_dates import find_data_interval, find_deadline
from include.contracts import FeedContract, Role, read_contracts
from include.errors import ExportError, SettingsError
from include.loading.landing import LandedFile, Landing
from include.settings import Settings

SETTLE_SECONDS = 60

Sight = list[tuple[str, int, int | None]]


def is_time_to_wait(settings: Settings, batch_date: date, now: datetime) -> bool:
    """Tell whether a missing export may still come in time.

    That is between the start of the night that loads the batch date and its deadline.
    A night loaded earlier or later, by hand or by a backfill, takes what there is.
    """
    zone = settings.reporting_time_zone
    _, night_starts = find_data_interval(batch_date, zone)
    deadline = find_deadline(batch_date, settings.export_deadline, zone)
    return night_starts <= now < deadline


@dataclass
class ArrivalWatch:
    """Looks again and again whether the required feeds of a role are there."""

    settings: Settings
    role: Role
    batch_date: date
    tell_time: Callable[[], datetime] = lambda: datetime.now(UTC)
    _sights: dict[str, tuple[Sight, datetime]] = field(default_factory=dict)

    def look(self) -> list[str]:
        """Return a sentence for each required feed that is not there, whole.

        A landing zone that cannot be listed now is one such sentence: it may be back
        before the deadline.
        """
        missing = []
        try:
            landing = Landing(self.settings.landing_url)
            for contract in read_contracts(
                self.settings.project_folder, self.settings.sources
            ).values():
                if contract.role == self.role and contract.required:
                    missing += self._look_for(landing, contract)
        except SettingsError as error:
            return [str(error)]
        return missing

    @property
    def deadline(self) -> datetime:
        """Until when to look."""
        zone = self.settings.reporting_time_zone
        return find_deadline(self.batch_date, self.settings.export_deadline, zone)

    def is_over(self) -> bool:
        """Tell whether waiting makes no sense, or no more."""
        return not is_time_to_wait(self.settings, self.batch_date, self.tell_time())

    def _look_for(self, landing: Landing, contract: FeedContract) -> list[str]:
        name = f"{contract.name} of {self.batch_date}"
        try:
            files = landing.list_files(contract, self.batch_date)
        except ExportError as error:
            return [str(error)]
        if not files:
            return [f"{name} has not arrived."]
        if empty := [file.path for file in files if file.bytes == 0]:
            return [f"{name} has not arrived whole: {empty[0]} is empty."]
        if not self._is_settled(contract.name, files):
            return [f"{name} is still arriving."]
        return []

    def _is_settled(self, feed: str, files: list[LandedFile]) -> bool:
        now = self.tell_time()
        sight = [(file.path, file.bytes, file.modified_ns) for file in files]
        before, since = self._sights.get(feed, ([], now))
        if sight != before:
            since = now
        self._sights[feed] = (sight, since)
        if (now - since).total_seconds() >= SETTLE_SECONDS:
            return True
        changed = [file.modified_ns for file in files if file.modified_ns is not None]
        if len(changed) < len(files):
            return False
        return now.timestamp() - max(changed) / 1e9 >= SETTLE_SECONDS
