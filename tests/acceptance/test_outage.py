"""Ten nights without a run or an export, and what a person does then: one action."""

import shutil
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path

import pytest

from include.building.publish import verify_published
from include.embedded.postgres import EmbeddedPostgres
from include.incidents.findings import find_delays, find_faults
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings, connect
from tests import nights
from tests.conftest import open_database, settings_of
from tests.nights import fetch, hash_marts, list_days

pytestmark = pytest.mark.slow

SAMPLE = SampleParameters(customers=100, nights=14, seed=29)
DAYS = list_days(SAMPLE.first_night, SAMPLE.last_night)
OUTAGE = DAYS[3:13]
# Marts are compared as a whole here; that data tests see faults is shown elsewhere.
run = partial(nights.run, with_tests=False)


def find_what_is_wrong(settings: Settings) -> set[tuple[str, str]]:
    """Kinds and subjects that a look finds in the morning after the last night."""
    morning = datetime.combine(DAYS[-1] + timedelta(days=1), time(14), UTC)
    with connect(settings, "transformer") as connection:
        findings = [
            *find_faults(connection, settings),
            *find_delays(connection, settings, morning),
        ]
    return {(finding.kind.name, finding.subject) for finding in findings}


def test_an_outage_of_ten_nights_is_caught_up_in_one_go(
    postgres_server: EmbeddedPostgres, built_template: str, tmp_path: Path
) -> None:
    exports, landing = tmp_path / "exports", tmp_path / "landing"
    write_sample_exports(exports, SAMPLE)
    with open_database(postgres_server, built_template) as url:
        settings = settings_of(url, exports)
        assert run(settings, DAYS[0], DAYS[-1], "without an outage") == []
        of_the_clean_load = hash_marts(settings)

    shutil.copytree(exports, landing)
    for folder in landing.glob("*/*/*"):
        if folder.name in {str(day) for day in OUTAGE}:
            shutil.rmtree(folder)
    with open_database(postgres_server, built_template) as url:
        settings = settings_of(url, landing)
        assert run(settings, DAYS[0], DAYS[2], "before") == []
        # The first night finds no export; the next nine do not run; the last one does.
        assert run(settings, OUTAGE[0], OUTAGE[0], "nothing came") != []
        assert run(settings, DAYS[-1], DAYS[-1], "first night after") == []
        assert fetch(settings, "select distinct as_of_date from marts.data_status") == [
            (DAYS[2],)
        ]
        sources = {"hubspot", "qualtrics", "zendesk"}
        assert find_what_is_wrong(settings) == {
            *(("export_missing", source) for source in sources),
            *(("source_stale", source) for source in sources),
        }

        shutil.copytree(exports, landing, dirs_exist_ok=True)
        assert run(settings, OUTAGE[0], OUTAGE[-1], "caught up") == []
        assert hash_marts(settings) == of_the_clean_load
        assert verify_published(settings) == {}
        assert find_what_is_wrong(settings) == set()
