"""The loads that a build works on: those in force, of the sources that are on."""

from include.building import frozen_loads
from include.settings import Settings, connect
from tests.include.loading.load_world import NIGHT, make_contract, open_load_world


def test_loads_of_a_source_that_is_off_are_out_of_force_until_it_is_on(
    settings: Settings,
) -> None:
    world = open_load_world(settings)
    shops = [make_contract(), make_contract(source_instance="acme")]
    for contract in shops:
        world.put("id,name,note\n1,a,b\n", contract=contract)
        world.accept(world.load(contract))
    world.connection.commit()

    def freeze(on: list[int]) -> list[tuple[str, bool, bool]]:
        """Freeze with these shops on, build, and say what was touched."""
        with connect(settings, "transformer") as connection:
            touched = frozen_loads.freeze(connection, [shops[number] for number in on])
            frozen_loads.apply(connection)
        return [(load.feed, load.is_current, load.is_applied) for load in touched]

    def list_as_of() -> list[tuple]:
        return world.rows("select source, as_of_date from audit.as_of order by 1")

    assert freeze([0, 1]) == [
        ("shop.orders", True, False),
        ("shop@acme.orders", True, False),
    ]
    assert freeze([0, 1]) == []
    assert freeze([0]) == [("shop@acme.orders", False, True)]
    assert list_as_of() == [("shop", NIGHT)]
    assert freeze([0]) == []
    assert freeze([0, 1]) == [("shop@acme.orders", True, False)]
    assert list_as_of() == [("shop", NIGHT), ("shop@acme", NIGHT)]
    world.connection.close()


def test_a_table_whose_index_by_an_expression_has_no_figures_is_analysed(
    settings: Settings,
) -> None:
    world = open_load_world(settings)
    contract = make_contract()
    world.put("id,name,note\n1,a,b\n2,c,d\n", contract=contract)
    world.accept(world.load(contract))
    table = f"{contract.schema_name}.{contract.feed}"
    world.connection.execute(f"analyze {table}")
    world.connection.execute(f"create index by_length on {table} (length(name))")
    world.connection.commit()

    def count_figures() -> int:
        return len(world.rows("select from pg_stats where tablename = 'by_length'"))

    assert count_figures() == 0
    with connect(settings) as connection:
        touched = frozen_loads.freeze(connection, [contract])
        # What the loading process has done to the table is counted a moment later.
        connection.execute("select pg_stat_force_next_flush()")
        frozen_loads.analyse_raw_tables(connection, [contract], touched)
    assert count_figures() == 1
    world.connection.close()
