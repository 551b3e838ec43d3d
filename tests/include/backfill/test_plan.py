"""What a backfill says that it would do, and that saying so changes nothing."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from include.backfill.plan import BackfillPlan, FeedPlan, describe_plan, plan_backfill
from include.errors import SettingsError, WarehouseError
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings
from tests.conftest import PUBLISHED_SAMPLE
from tests.nights import execute, fetch, find_file

FIRST, LAST = PUBLISHED_SAMPLE.first_night, PUBLISHED_SAMPLE.last_night
OLD = FIRST + timedelta(days=9)
TODAY = LAST + timedelta(days=3)


@pytest.fixture
def landed(published: Settings) -> Settings:
    """A published warehouse with the exports that it was loaded from."""
    write_sample_exports(
        published.landing_url, replace(PUBLISHED_SAMPLE, rows_only=True)
    )
    return published


def plan(
    settings: Settings, first: date = FIRST, last: date = LAST, *sources: str
) -> BackfillPlan:
    return plan_backfill(settings, first, last, sources, today=TODAY)


def find(plan: BackfillPlan, feed: str) -> FeedPlan:
    (found,) = (found for found in plan.feeds if found.feed == feed)
    return found


def count_everything(settings: Settings) -> list[tuple]:
    """Rows of every table, as the server counts what was ever written."""
    execute(settings, "analyze")
    return fetch(
        settings,
        "select schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del"
        " from pg_stat_user_tables order by 1, 2",
    )


def test_exports_that_are_loaded_are_left_alone_and_nothing_is_written(
    landed: Settings,
) -> None:
    before = count_everything(landed)
    found = plan(landed)
    assert found.loads == 0
    assert found.rows == 0
    assert all(not (feed.missing or feed.unreadable) for feed in found.feeds)
    assert find(found, "hubspot.contacts").unchanged == PUBLISHED_SAMPLE.nights
    assert found.periods == ()
    assert count_everything(landed) == before


def test_what_came_changed_left_or_cannot_be_read_is_told_feed_by_feed(
    landed: Settings,
) -> None:
    changed = find_file(landed, "hubspot.orders", OLD)
    lines = changed.read_bytes().splitlines(keepends=True)
    changed.write_bytes(b"".join(lines[:-1]))
    for path in changed.parent.parent.joinpath(str(LAST)).iterdir():
        path.unlink()
    find_file(landed, "hubspot.deals", OLD).write_bytes(b"")
    growing = find_file(landed, "hubspot.companies", OLD)
    growing.rename(growing.with_name(growing.name + ".part"))
    execute(
        landed,
        "update audit.loads set status = 'held' where feed = 'hubspot.returns'"
        f" and batch_date = '{OLD}'",
    )
    execute(
        landed,
        "update audit.loads set status = 'superseded' where feed = 'zendesk.users'"
        f" and batch_date = '{OLD}'",
    )

    found = plan(landed)

    orders = find(found, "hubspot.orders")
    assert (orders.changed, orders.missing) == ([OLD], [LAST])
    assert orders.unchanged == PUBLISHED_SAMPLE.nights - 2
    assert orders.bytes == changed.stat().st_size
    assert orders.rows is not None
    assert abs(orders.rows - (len(lines) - 2)) <= 2, "estimated from past bytes a row"
    assert orders.estimated_rows == orders.rows
    (empty,) = find(found, "hubspot.deals").unreadable
    assert "the file is empty; export it again" in empty
    (unfinished,) = find(found, "hubspot.companies").unreadable
    assert "still being written" in unfinished
    assert find(found, "hubspot.returns").undecided == [OLD]
    users = find(found, "zendesk.users")
    ((rows,),) = fetch(
        landed,
        "select rows_in_file from audit.loads"
        f" where feed = 'zendesk.users' and batch_date = '{OLD}'",
    )
    assert (users.new, users.rows, users.estimated_rows) == ([OLD], rows, 0)

    text = "\n".join(describe_plan(found))
    assert f"Missing: hubspot.orders of {LAST}: ask the source for it" in text
    assert f"Unreadable: {empty}" in text
    assert "estimated from bytes (~)" in text
    assert "from 1 past run" in text


def test_closed_periods_with_a_changed_date_are_those_that_can_be_restated(
    landed: Settings,
) -> None:
    path = find_file(landed, "hubspot.orders", OLD)
    path.write_bytes(path.read_bytes().rstrip(b"\n").rpartition(b"\n")[0] + b"\n")
    found = plan(landed)
    expected = fetch(
        landed,
        "select distinct period_grain, period_start from marts.experience_scores"
        f" where is_complete_period and '{OLD}' between period_start and period_end",
    )
    assert expected, "a week around that night is over"
    assert {(period.grain, period.start) for period in found.periods} == set(expected)
    assert "can change" in "\n".join(describe_plan(found))


def test_sources_narrow_it_down(landed: Settings) -> None:
    found = plan(landed, OLD, OLD, "zendesk", "qualtrics")
    assert set(found.systems) == {"zendesk", "qualtrics"}
    assert {feed.system for feed in found.feeds} == {"zendesk", "qualtrics"}


def test_an_empty_database_stays_empty_and_all_is_new_there(
    settings: Settings,
) -> None:
    sample = SampleParameters(customers=100, nights=7, seed=5, rows_only=True)
    truth = write_sample_exports(settings.landing_url, sample)
    found = plan(settings, sample.first_night, sample.last_night)
    contacts = find(found, "hubspot.contacts")
    assert len(contacts.new) == sample.nights
    assert contacts.rows is not None
    assert 600 <= contacts.rows <= 700, "a hundred contacts a night, or nearly"
    assert truth["nights"] == 7
    assert found.estimate.seconds is None
    assert "unknown" in describe_plan(found)[-1]
    assert (
        fetch(settings, "select nspname from pg_namespace where nspname = 'audit'")
        == []
    )


def test_what_cannot_be_loaded_is_refused_in_words(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(WarehouseError, match="after the last one; swap them"):
        plan(settings, LAST, FIRST)
    with pytest.raises(WarehouseError, match="days to come; choose an earlier date"):
        plan(settings, LAST, TODAY + timedelta(days=1))
    with pytest.raises(
        WarehouseError, match="no source 'pipedrive': choose from hubspot"
    ):
        plan(settings, FIRST, LAST, "pipedrive")
    nowhere = replace(settings, landing_url=str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match="does not exist: create it"):
        plan(nowhere)


def test_a_plan_can_be_kept_as_json(settings: Settings) -> None:
    written = plan(settings, FIRST, FIRST).to_json()
    assert written["first"] == FIRST.isoformat()
    assert written["feeds"][0]["missing"] == [FIRST.isoformat()]
