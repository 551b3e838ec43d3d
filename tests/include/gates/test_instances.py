"""Several instances of a system share raw tables; each is judged by its own rows."""

from collections.abc import Iterator

import psycopg
import pytest

from include.contracts import FeedContract
from include.gates.load_contents import ReferenceFigures, count_contents
from include.loading.load_records import lock_feed
from include.settings import Settings, connect
from tests.include.loading.load_world import LoadWorld, make_contract, open_load_world


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def make_instance(instance: str | None, delivery: str) -> list[FeedContract]:
    """The feeds people and orders of a shop; an order's name refers to a person."""
    named = {"source_instance": instance}
    people = make_contract(("id", "name"), feed="people", delivery=delivery, **named)
    orders = make_contract(("id", "name"), **named)
    refers = orders.columns[1].model_copy(update={"refers_to": people.name})
    return [people, orders.model_copy(update={"columns": (orders.columns[0], refers)})]


@pytest.mark.parametrize("delivery", ["delta", "snapshot"])
def test_a_reference_is_looked_up_in_its_own_instance(
    world: LoadWorld, delivery: str
) -> None:
    feeds = make_instance(None, delivery) + make_instance("acme", delivery)
    contracts = {feed.name: feed for feed in feeds}
    assert list(contracts) == [
        *("shop.people", "shop.orders", "shop@acme.people", "shop@acme.orders")
    ]
    for name, content in {
        "shop.people": "id,name\np1,Ana\np2,Ion\n",
        "shop.orders": "id,name\n1,p1\n2,p2\n",
        # The same person as the first shop's, and one of its own.
        "shop@acme.people": "id,name\np1,Ana\np3,Eva\n",
        "shop@acme.orders": "id,name\n1,p1\n2,p2\n3,p3\n",
    }.items():
        world.put(content, contract=contracts[name])
        world.load(contracts[name])
    world.connection.commit()
    found = {}
    for name in ("shop.orders", "shop@acme.orders"):
        ((load_id,),) = world.rows(
            "select load_id from audit.loads where feed = %s", name
        )
        counted = count_contents(
            world.connection, contracts, contracts[name], [load_id], "UTC"
        )
        found[name] = counted[load_id].references["name"]
    assert found == {
        "shop.orders": ReferenceFigures(filled=2, distinct=2, orphans=0),
        # The second person is not this shop's.
        "shop@acme.orders": ReferenceFigures(filled=3, distinct=3, orphans=1),
    }


def test_instances_that_share_a_raw_table_are_loaded_one_at_a_time(
    world: LoadWorld, settings: Settings
) -> None:
    _, orders = make_instance(None, "delta")
    _, of_acme = make_instance("acme", "delta")
    with world.connection.transaction(), connect(settings, "loader") as other:
        lock_feed(world.connection, orders)
        other.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            lock_feed(other, of_acme)


def test_rows_of_instances_are_numbered_apart(world: LoadWorld) -> None:
    for contract in (
        make_instance(None, "delta")[1],
        make_instance("acme", "delta")[1],
    ):
        world.put("id,name\n1,p1\n2,p2\n", contract=contract)
        world.load(contract)
    assert world.rows(
        "select feed, array_agg(_row_number order by _row_number)"
        " from raw_shop.orders join audit.loads on load_id = _load_id"
        " group by 1 order by 1"
    ) == [("shop.orders", [1, 2]), ("shop@acme.orders", [1, 2])]
