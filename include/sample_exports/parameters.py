"""What a sample is made of: its size, its nights, its seed.

In: numbers from the command line. Out: `SampleParameters`, checked; equal parameters
and equal code give byte-identical exports.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import available_timezones

from include.errors import SettingsError

DEFAULT_CUSTOMERS = 3_000
DEFAULT_NIGHTS = 60
DEFAULT_SEED = 20_261_121
# Fixed, so that the same command gives the same sample on any day.
DEFAULT_LAST_NIGHT = date(2026, 11, 19)
DEFAULT_TIME_ZONE = "America/Sao_Paulo"

FEWEST_CUSTOMERS = 100
MOST_CUSTOMERS = 1_000_000
FEWEST_NIGHTS = 7
MOST_NIGHTS = 1_000


@dataclass(frozen=True)
class SampleParameters:
    """Size and seed of one sample.

    customers : contacts in the CRM by the last night
    nights : batch dates, the last one being `last_night`
    first_export_nights : so many nights are delivered together, as one export of the
        last one of them: all that deltas told in them, snapshots as they stood then
    rows_only : truth.json tells only how many rows there are; of a large sample, all
        that it usually tells takes longer to find out than to write the files
    seed : any whole number from 0
    """

    customers: int = DEFAULT_CUSTOMERS
    nights: int = DEFAULT_NIGHTS
    seed: int = DEFAULT_SEED
    last_night: date = DEFAULT_LAST_NIGHT
    reporting_time_zone: str = DEFAULT_TIME_ZONE
    first_export_nights: int = 1
    rows_only: bool = False

    def __post_init__(self) -> None:
        if not FEWEST_CUSTOMERS <= self.customers <= MOST_CUSTOMERS:
            raise SettingsError(
                f"A sample cannot have {self.customers} customers: choose from "
                f"{FEWEST_CUSTOMERS} to {MOST_CUSTOMERS}."
            )
        if not FEWEST_NIGHTS <= self.nights <= MOST_NIGHTS:
            raise SettingsError(
                f"A sample cannot have {self.nights} nights: choose from "
                f"{FEWEST_NIGHTS} to {MOST_NIGHTS}."
            )
        if not 1 <= self.first_export_nights <= self.nights:
            raise SettingsError(
                f"A first export cannot hold {self.first_export_nights} of "
                f"{self.nights} nights: choose from 1 to {self.nights}."
            )
        if self.seed < 0:
            raise SettingsError(f"The seed {self.seed} is negative: choose one from 0.")
        if self.reporting_time_zone not in available_timezones():
            raise SettingsError(
                f"{self.reporting_time_zone!r} is no time zone name: choose an IANA "
                "name, for example America/Sao_Paulo."
            )

    @property
    def first_night(self) -> date:
        return self.last_night - timedelta(days=self.nights - 1)

    @property
    def first_export(self) -> date:
        """The first batch date that has files."""
        return self.first_night + timedelta(days=self.first_export_nights - 1)

    def describe(self) -> dict[str, object]:
        """The parameters as they stand at the head of truth.json."""
        return {
            "generator": fingerprint_generator(),
            "seed": self.seed,
            "customers": self.customers,
            "nights": self.nights,
            "first_night": self.first_night.isoformat(),
            "first_export": self.first_export.isoformat(),
            "last_night": self.last_night.isoformat(),
            "reporting_time_zone": self.reporting_time_zone,
            "rows_only": self.rows_only,
        }


@cache
def fingerprint_generator() -> str:
    """Short hash of this package's code: other code may write other exports."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
