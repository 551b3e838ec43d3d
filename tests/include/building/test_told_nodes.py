"""What the warehouse says of a model reaches dbt before it builds."""

from include.building.dbt import Dbt
from include.settings import Settings
from tests.nights import execute, fetch

MODEL = "dim_agents"
TABLE = "warehouse.dim_agents"
COMMENTS = (
    "select objsubid, description, xmin::text from pg_description"
    f" where objoid = '{TABLE}'::regclass order by objsubid"
)


def build(settings: Settings, **options: object) -> dict[str, str]:
    """Build and test the model; return what became of it and its tests."""
    outcomes = Dbt(settings).build(select=[MODEL], **options)
    return {outcome.name: outcome.status for outcome in outcomes}


def test_comments_are_written_where_a_description_changed(warehouse: Settings) -> None:
    before = fetch(warehouse, COMMENTS)
    assert len(before) > 1
    build(warehouse)
    assert fetch(warehouse, COMMENTS) == before, "the same words are not written again"
    execute(warehouse, f"comment on table {TABLE} is 'other words'")
    execute(warehouse, f"comment on column {TABLE}.agent_key is null")
    assert fetch(warehouse, COMMENTS) != before
    build(warehouse)
    after = fetch(warehouse, COMMENTS)
    assert [row[:2] for row in after] == [row[:2] for row in before]


def test_a_table_that_was_dropped_is_made_anew_and_tested_whole(
    warehouse: Settings,
) -> None:
    execute(warehouse, f"drop table {TABLE} cascade")
    statuses = build(warehouse)
    assert statuses.pop(MODEL) == "success"
    assert set(statuses.values()) == {"pass"}
    places = f"select place from audit.dirty_keys where place = '{MODEL} (whole)'"
    assert fetch(warehouse, places) == [(f"{MODEL} (whole)",)]


def test_what_is_left_out_is_neither_built_nor_tested(warehouse: Settings) -> None:
    assert build(warehouse)
    assert build(warehouse, leave_out=[MODEL]) == {}
