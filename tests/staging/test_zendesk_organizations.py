"""What staging makes of zendesk.organizations: rows made up in their form."""

from datetime import UTC, datetime

from tests.staging.stage_world import Stage

FEED = "zendesk.organizations"
ROW = {"id": 12, "name": "An organization", "updated_at": "2025-12-31T10:20:30Z"}


def test_a_row_is_read_as_its_contract_says(stage: Stage) -> None:
    [staged] = stage(FEED, [ROW])
    assert staged["natural_key"] == "12"
    assert staged["organization_name"] == "An organization"
    assert staged["updated_at"] == datetime(2025, 12, 31, 10, 20, 30, tzinfo=UTC)
    assert not staged["is_quarantined"], staged["quarantine_reason"]


def test_a_row_of_unreadable_updated_at_is_kept_aside(stage: Stage) -> None:
    [staged] = stage(FEED, [ROW | {"updated_at": "yesterday"}])
    assert staged["quarantine_reason"] == "updated_at cannot be read"
