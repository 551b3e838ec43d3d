"""Gate 1 over nights without a fault: no alarm.

The sample plants a row with a field too many, once: the only warning that is right.
Nights come in ranges, as they would be caught up, so that later ones are compared with
loads that were judged before.
"""

from datetime import timedelta

import pytest

from include import night
from include.gates import check_raw
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings

PLANTED = {"no row is unreadable"}


def list_alarms(settings: Settings, nights: int, ranges: int) -> list[str]:
    """Load the nights of a small company in ranges; return what gate 1 doubts."""
    sample = SampleParameters(customers=300, nights=nights, rows_only=True)
    write_sample_exports(settings.landing_url, sample)
    alarms = []
    length = nights // ranges
    for start in range(0, nights, length):
        first = sample.first_night + timedelta(days=start)
        last = min(first + timedelta(days=length - 1), sample.last_night)
        for role in night.ROLES:
            night.extract(settings, role, first, last, "range", lambda line: None)
        result = check_raw(settings, f"range {start}")
        assert result.checked >= length
        alarms += [
            f"{finding.subject}: {finding.observed}"
            for finding in [*result.failed_critical, *result.failed_warning]
            if finding.expectation not in PLANTED
        ]
    return alarms


def test_sixty_clean_nights_raise_no_alarm(settings: Settings) -> None:
    assert list_alarms(settings, nights=60, ranges=2) == []


@pytest.mark.slow
def test_a_year_of_clean_nights_raises_no_alarm(settings: Settings) -> None:
    assert list_alarms(settings, nights=365, ranges=5) == []
