"""Rows that could not be read, and rows that staging set aside, after both were mended.

One night is read under a wrong contract, and all of them are staged under a wrong rule.
Then the project is mended and the landing zone is gone: a replay makes the marts of
nights that were read right at once.
"""

import csv
import io
import shutil
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from include import night
from include.building import publish
from include.replay import run_replay
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import PROJECT_FOLDER, Settings
from tests.nights import execute, fetch, find_file, hash_marts, list_days

SAMPLE = SampleParameters(customers=100, nights=7, seed=5)
DAYS = list_days(SAMPLE.first_night, SAMPLE.last_night)[-3:]
BEFORE, DAY, AFTER = DAYS
CONTRACTS = Path("dbt_project/models/staging/hubspot/_hubspot__sources.yml")
STAGING = Path("dbt_project/models/staging/hubspot/stg_hubspot__orders.sql")
RIGHT_ENCODING, WRONG_ENCODING = "encoding: cp1252", "encoding: utf-8"
RIGHT_RULE = "['sent_ordered', 'ordered_at'],"
# Orders without a store are set aside.
WRONG_RULE = f"{RIGHT_RULE} ['order_name', 'store'],"
QUARANTINED = (
    "select _load_id, _file_no, _row_number from staging.stg_hubspot__orders"
    " where quarantine_reason is not null order by 1, 2, 3"
)


@pytest.fixture
def settings(warehouse: Settings, tmp_path: Path) -> Settings:
    """A project that may be changed, and exports of an office with Windows."""
    shutil.copytree(
        PROJECT_FOLDER / "dbt_project",
        tmp_path / "dbt_project",
        ignore=shutil.ignore_patterns("target", "logs"),
    )
    write_sample_exports(Path(warehouse.landing_url), SAMPLE)
    settings = replace(warehouse, project_folder=tmp_path)
    edit(settings, CONTRACTS, WRONG_ENCODING, RIGHT_ENCODING)
    for path in Path(warehouse.landing_url).glob("hubspot/*/*/*.csv"):
        path.write_text(write_plainly(path.read_text(encoding="utf-8")))
    for day in DAYS:
        # The same accent in the same row of the list every night.
        write_accent(find_file(settings, "hubspot.contacts", day), "City")
    write_accent(find_file(settings, "hubspot.orders", DAY), "Store")
    return settings


def write_plainly(text: str) -> str:
    """Leave the accents out."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def write_accent(path: Path, column: str) -> None:
    """Put an accent into one row, in the bytes of Windows."""
    rows = list(csv.reader(io.StringIO(path.read_text())))
    rows[1][rows[0].index(column)] = "São Paulo"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_bytes(text.getvalue().encode("cp1252"))


def edit(settings: Settings, path: Path, old: str, new: str) -> None:
    text = (settings.project_folder / path).read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new)
    (settings.project_folder / path).write_text(changed, encoding="utf-8")


def load(settings: Settings, first: date, last: date) -> None:
    for role in night.ROLES:
        night.extract(settings, role, first, last, "nights", lambda line: None)


def read_raw(settings: Settings, feed: str) -> list[tuple]:
    """The rows in force of the day, whatever load brought them."""
    members = "snapshots" if feed == "contacts" else ""
    lineage = f"raw_hubspot.{feed}__snapshots" if members else f"raw_hubspot.{feed}"
    join = f"inner join raw_hubspot.{feed} as sent using (_row_id)" if members else ""
    content = "sent" if members else "lineage"
    return fetch(
        settings,
        "select lineage._file_no, lineage._row_number,"
        f" to_jsonb({content}) - '_load_id' - '_file_no' - '_row_number' - '_row_id'"
        f" from {lineage} as lineage {join}"
        " where lineage._load_id = (select load_id from audit.loads"
        "  where feed = %s and batch_date = %s and status = 'accepted')"
        " order by 1, 2",
        f"hubspot.{feed}",
        DAY,
    )


# Three builds.
@pytest.mark.slow
def test_a_replay_makes_the_marts_of_files_that_were_read_right_at_once(
    settings: Settings,
) -> None:
    landing = Path(settings.landing_url)
    load(settings, BEFORE, BEFORE)
    load(settings, AFTER, AFTER)
    edit(settings, CONTRACTS, RIGHT_ENCODING, WRONG_ENCODING)
    edit(settings, STAGING, RIGHT_RULE, WRONG_RULE)
    load(settings, DAY, DAY)
    night.check_raw(settings, "nights")
    night.build(settings, "nights", with_tests=False)
    night.check_marts(settings, "nights")
    night.publish(settings, "nights")
    before = hash_marts(settings)
    rejects = fetch(
        settings,
        "select load_id, file_no, row_number from audit.rejects order by 1",
    )
    assert len(rejects) == 2
    set_aside = fetch(settings, QUARANTINED)
    assert len(set_aside) > 5

    edit(settings, CONTRACTS, WRONG_ENCODING, RIGHT_ENCODING)
    edit(settings, STAGING, WRONG_RULE, RIGHT_RULE)
    landing.rename(landing.with_name("gone"))
    sentences, problems = run_replay(settings, "replay", with_tests=False)
    assert problems == []
    assert sentences == [
        "1 of 1 rejected rows of hubspot.contacts are read now.",
        "1 of 1 rejected rows of hubspot.orders are read now.",
        f"hubspot.orders: {len(set_aside)} rows were quarantined before, 0 are now.",
    ]
    assert fetch(settings, "select * from audit.rejects") == []
    assert rejects == fetch(
        settings,
        "select load_id, file_no, row_number from audit.replayed_rejects order by 1",
    )
    # What was set aside is staged, under the lineage that it had.
    assert fetch(settings, QUARANTINED) == []
    assert set(set_aside) <= set(
        fetch(
            settings,
            "select _load_id, _file_no, _row_number from staging.stg_hubspot__orders",
        )
    )
    replayed = hash_marts(settings)
    assert replayed != before
    assert publish.verify_published(settings) == {}
    raw = {feed: read_raw(settings, feed) for feed in ("orders", "contacts")}

    # A second replay changes nothing.
    assert run_replay(settings, "again", with_tests=False) == (
        ["No row that is in force is rejected or quarantined."],
        [],
    )
    assert fetch(
        settings,
        "select rows_deleted, rows_inserted from audit.publishes"
        " order by publish_id desc limit 1",
    ) == [(0, 0)]

    # The file itself, read under the right contract, and everything built anew.
    landing.with_name("gone").rename(landing)
    loads = fetch(settings, "select max(load_id) from audit.loads")
    load(settings, DAY, DAY)
    assert fetch(settings, "select max(load_id) from audit.loads") != loads
    night.check_raw(settings, "right")
    execute(settings, "update audit.models set built_fingerprint = null")
    night.build(settings, "right", with_tests=False)
    night.check_marts(settings, "right")
    night.publish(settings, "right")
    assert raw == {feed: read_raw(settings, feed) for feed in raw}
    assert hash_marts(settings) == replayed
