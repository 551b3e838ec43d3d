"""Data tests follow the night, and miss nothing that the night may have spoilt.

Bad rows are planted in a built warehouse, and the keys that a build would have rebuilt
in audit.dirty_keys, where they stay until a build has succeeded.
"""

import pytest
from dbt.contracts.graph.nodes import ModelNode
from psycopg.errors import CheckViolation

from include.building.dbt import Dbt
from include.building.model_fingerprints import read_nodes
from include.settings import Settings
from tests.nights import execute, fetch

A_KEY = "11111111-1111-1111-1111-111111111111"


def find_failures(settings: Settings, model: str) -> dict[str, str]:
    """Run the data tests of a model; return those that fail, and what dbt says."""
    outcomes = Dbt(settings).test_units(f"{model},resource_type:test")
    assert outcomes, "the model has tests"
    assert not [outcome for outcome in outcomes if outcome.status == "error"]
    return {
        outcome.name: str(outcome.message) for outcome in outcomes if outcome.is_failure
    }


def mark(settings: Settings, place: str, key: str) -> None:
    execute(settings, f"insert into audit.dirty_keys values ('{place}', '{key}')")


def drop_not_null(settings: Settings, model: str) -> None:
    """Let a test write rows with nothing but what it is about."""
    columns = fetch(
        settings,
        "select attname from pg_attribute where attnotnull and attnum > 0"
        " and attrelid = %s::regclass",
        f"warehouse.{model}",
    )
    for (column,) in columns:
        execute(settings, f"alter table warehouse.{model} alter {column} drop not null")


def plant_versions_of_nobody(settings: Settings) -> None:
    """Two versions of contact 17 from the same day, and two of contact 18."""
    execute(
        settings,
        "insert into warehouse.int_contact_versions (contact_id, valid_from, valid_to)"
        " select contact_id, '2026-01-01', '9999-12-31'"
        " from unnest(array['17', '17', '18', '18']) as versions (contact_id)",
    )


def test_a_bad_row_among_the_rebuilt_ones_is_found(warehouse: Settings) -> None:
    plant_versions_of_nobody(warehouse)
    assert find_failures(warehouse, "int_contact_versions") == {}
    mark(warehouse, "int_contact_versions", "17")
    ((repeated, rows),) = find_failures(warehouse, "int_contact_versions").items()
    assert repeated.startswith("unique_together_int_contact_versions")
    assert rows.startswith("Got 1 result")
    mark(warehouse, "int_contact_versions", "18")
    (rows,) = find_failures(warehouse, "int_contact_versions").values()
    assert rows.startswith("Got 2 results")


def test_a_model_that_was_built_whole_is_tested_whole(warehouse: Settings) -> None:
    plant_versions_of_nobody(warehouse)
    mark(warehouse, "int_contact_versions (whole)", "")
    (rows,) = find_failures(warehouse, "int_contact_versions").values()
    assert rows.startswith("Got 2 results")


def test_a_whole_build_says_so_until_it_has_succeeded(warehouse: Settings) -> None:
    execute(
        warehouse,
        "update audit.models set built_fingerprint = null"
        " where model = 'int_contact_versions'",
    )
    Dbt(warehouse)._invoke(["run", "--select", "int_contact_versions"])
    places = "select place from audit.dirty_keys where place like '%% (whole)'"
    assert fetch(warehouse, places) == [("int_contact_versions (whole)",)]


def test_a_rebuilt_row_that_equals_an_old_one_of_another_key_is_found(
    warehouse: Settings,
) -> None:
    drop_not_null(warehouse, "int_survey_invitations")
    execute(
        warehouse,
        "insert into warehouse.int_survey_invitations"
        " (natural_key, invitation_id, survey_id, sent_at)"
        " values ('1', 'm:a', 'S', '2026-01-01'), ('2', 'm:a', 'S', '2026-01-01')",
    )
    unique = "unique_int_survey_invitations_invitation_id"
    assert unique not in find_failures(warehouse, "int_survey_invitations")
    mark(warehouse, "int_survey_invitations", "2")
    assert unique in find_failures(warehouse, "int_survey_invitations")


def test_rows_with_equal_keys_share_the_key_that_they_are_rebuilt_by(
    warehouse: Settings,
) -> None:
    """So that a test of the rebuilt rows alone finds every key that is there twice."""
    insert = (
        "insert into warehouse.int_ticket_events (ticket_event_key, ticket_id)"
        " values ('1:creation', '{}')"
    )
    drop_not_null(warehouse, "int_ticket_events")
    with pytest.raises(CheckViolation, match="an_event_s_key_begins_with_its_ticket"):
        execute(warehouse, insert.format(2))
    execute(warehouse, insert.format(1))
    mark(warehouse, "int_ticket_events", "1")
    unique = "unique_together_int_ticket_events_ticket_id__ticket_event_key"
    assert unique not in find_failures(warehouse, "int_ticket_events")
    execute(warehouse, insert.format(1))
    assert unique in find_failures(warehouse, "int_ticket_events")


def test_a_row_whose_parent_has_gone_is_found_without_being_rebuilt(
    warehouse: Settings,
) -> None:
    drop_not_null(warehouse, "fct_tickets")
    drop_not_null(warehouse, "fct_ticket_events")
    execute(
        warehouse,
        "insert into warehouse.fct_tickets"
        " (ticket_id, customer_key, customer_version_key)"
        f" values ('1', '{A_KEY}', '{A_KEY}')",
    )
    execute(
        warehouse,
        "insert into warehouse.fct_ticket_events (ticket_id) values ('2')",
    )
    assert find_failures(warehouse, "fct_tickets") == {}
    assert find_failures(warehouse, "fct_ticket_events") == {}
    # Found by the customer, by which versions are rebuilt and facts have an index.
    mark(warehouse, "dim_customers.customer_key", A_KEY)
    (lost,) = find_failures(warehouse, "fct_tickets")
    assert lost.startswith("relationships_fct_tickets_customer_version_key")
    # Found by the parent's key itself.
    mark(warehouse, "fct_tickets.ticket_id", "2")
    (lost,) = find_failures(warehouse, "fct_ticket_events")
    assert lost.startswith("relationships_fct_ticket_events_ticket_id")


def test_a_score_whose_parent_has_gone_is_found_by_its_period(
    warehouse: Settings,
) -> None:
    drop_not_null(warehouse, "int_score_changes")
    execute(
        warehouse,
        "insert into warehouse.int_score_changes"
        " (score_change_key, score_period_key, period_key)"
        " values ('nps|month:2026-01-01|previous', 'nps|month:2026-01-01',"
        " 'month:2026-01-01')",
    )
    assert find_failures(warehouse, "int_score_changes") == {}
    mark(warehouse, "int_score_periods.period_key", "month:2026-01-01")
    (lost,) = find_failures(warehouse, "int_score_changes")
    assert lost.startswith("relationships_int_score_changes_score_period_key")


def test_a_row_that_breaks_a_rule_of_its_own_cannot_be_written(
    warehouse: Settings,
) -> None:
    wanted = {
        node.name
        for node in Dbt(warehouse).parse().nodes.values()
        if isinstance(node, ModelNode) and node.constraints
    }
    found = fetch(
        warehouse,
        "select distinct conrelid::regclass::text from pg_constraint"
        " where contype = 'c' and connamespace = 'warehouse'::regnamespace",
    )
    assert wanted <= {table.removeprefix("warehouse.") for (table,) in found}
    drop_not_null(warehouse, "int_journey_stage_entries")
    with pytest.raises(CheckViolation, match="a_direct_entry_is_converted"):
        execute(
            warehouse,
            "insert into warehouse.int_journey_stage_entries (is_converted, is_direct)"
            " values (false, true)",
        )


def test_a_rule_that_changes_builds_its_model_and_what_reads_it_anew(
    warehouse: Settings,
) -> None:
    manifest = Dbt(warehouse).parse()
    before = {node.name: node.fingerprint for node in read_nodes(manifest, {})}
    entries = manifest.nodes["model.customer_experience.int_journey_stage_entries"]
    entries.constraints[0].expression += " and true"
    after = {node.name: node.fingerprint for node in read_nodes(manifest, {})}
    assert {name for name in after if after[name] != before[name]} == {
        "int_journey_stage_entries",
        "mart_journey_funnel",
    }
