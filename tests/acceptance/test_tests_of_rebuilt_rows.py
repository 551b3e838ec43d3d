"""Data tests follow the night, and miss nothing that the night may have spoilt.

Bad rows are planted in a built warehouse, and the keys that a build would have rebuilt
in audit.dirty_keys, where they stay until a build has succeeded.
"""

from include.building.dbt import Dbt
from include.settings import Settings
from tests.nights import execute, fetch

A_KEY = "11111111-1111-1111-1111-111111111111"


def find_failures(settings: Settings, model: str) -> set[str]:
    """Run the data tests of a model; return the names of those that fail."""
    outcomes = Dbt(settings).test_units(f"{model},resource_type:test")
    assert outcomes, "the model has tests"
    assert not [outcome for outcome in outcomes if outcome.status == "error"]
    return {outcome.name for outcome in outcomes if outcome.is_failure}


def mark(settings: Settings, place: str, key: str) -> None:
    execute(settings, f"insert into audit.dirty_keys values ('{place}', '{key}')")


def plant_versions_of_nobody(settings: Settings) -> None:
    """Two equal versions of contact 17, and one without a day of contact 18."""
    execute(
        settings,
        "insert into warehouse.int_contact_versions (contact_id, valid_from, valid_to)"
        " values ('17', '2026-01-01', '9999-12-31'),"
        " ('17', '2026-01-01', '9999-12-31'), ('18', null, '9999-12-31')",
    )


def test_a_bad_row_among_the_rebuilt_ones_is_found(warehouse: Settings) -> None:
    plant_versions_of_nobody(warehouse)
    assert find_failures(warehouse, "int_contact_versions") == set()
    mark(warehouse, "int_contact_versions", "17")
    (repeated,) = find_failures(warehouse, "int_contact_versions")
    assert repeated.startswith("unique_together_int_contact_versions")
    mark(warehouse, "int_contact_versions", "18")
    assert find_failures(warehouse, "int_contact_versions") == {
        repeated,
        "not_null_int_contact_versions_valid_from",
    }


def test_a_model_that_was_built_whole_is_tested_whole(warehouse: Settings) -> None:
    plant_versions_of_nobody(warehouse)
    mark(warehouse, "int_contact_versions (whole)", "")
    assert len(find_failures(warehouse, "int_contact_versions")) == 2


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
    execute(
        warehouse,
        "do $$ declare wanted record; begin for wanted in"
        "  select attname from pg_attribute where attnotnull and attnum > 0"
        "  and attrelid = 'warehouse.fct_ticket_events'::regclass"
        " loop execute format('alter table warehouse.fct_ticket_events alter %%I"
        "  drop not null', wanted.attname); end loop; end $$;"
        " insert into warehouse.fct_ticket_events (ticket_event_key, ticket_id)"
        " values ('1|created', '1'), ('1|created', '2')".replace("%%", "%"),
    )
    unique = "unique_fct_ticket_events_ticket_event_key"
    assert unique not in find_failures(warehouse, "fct_ticket_events")
    mark(warehouse, "fct_ticket_events", "2")
    assert unique in find_failures(warehouse, "fct_ticket_events")


def test_a_row_whose_parent_has_gone_is_found_without_being_rebuilt(
    warehouse: Settings,
) -> None:
    execute(
        warehouse,
        "do $$ declare wanted record; begin for wanted in"
        "  select attname from pg_attribute where attnotnull and attnum > 0"
        "  and attrelid = 'warehouse.fct_tickets'::regclass"
        " loop execute format('alter table warehouse.fct_tickets alter %I"
        "  drop not null', wanted.attname); end loop; end $$;"
        " insert into warehouse.fct_tickets (ticket_id, customer_version_key)"
        f" values ('1', '{A_KEY}')",
    )
    assert find_failures(warehouse, "fct_tickets") == set()
    mark(warehouse, "dim_customers.customer_version_key", A_KEY)
    (lost,) = find_failures(warehouse, "fct_tickets")
    assert lost.startswith("relationships_fct_tickets_customer_version_key")
