"""The upkeep of raw tables that have just grown."""

from include.loading.upkeep import summarise_new_pages
from include.settings import Settings
from tests.include.loading.load_world import make_contract, open_load_world

# More than one range of 128 pages, also of the rows that tell which rows a list had.
ROWS = 40_000


def test_indexes_by_load_know_the_pages_of_a_load(settings: Settings) -> None:
    world = open_load_world(settings)
    export = "id,name,note\n" + "".join(f"{row},a,b\n" for row in range(ROWS))
    for contract, tables in (
        (make_contract(), 1),
        (make_contract(feed="people", delivery="snapshot"), 2),
    ):
        world.put(export, contract=contract)
        world.load(contract)
        assert summarise_new_pages(world.connection, contract) >= tables
        assert summarise_new_pages(world.connection, contract) == 0
    world.connection.close()
