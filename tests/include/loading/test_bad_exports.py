"""What a bad file does to the load that it belongs to, and to the next one.

The bad files themselves are in the folder bad_exports.
"""

from collections.abc import Iterator

import pytest

from include.errors import ExportError, WarehouseError
from include.settings import Settings
from tests.include.loading.load_world import LoadWorld, open_load_world


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def test_one_bad_file_refuses_the_whole_load(world: LoadWorld) -> None:
    world.put("id,name,note\n1,Ana,\n", "a.csv")
    world.put("name,note\nAna,\n", "b.csv")
    with pytest.raises(ExportError, match=r"b\.csv: the required column is missing"):
        world.load()
    assert world.rows("select to_regclass('raw_shop.orders')") == [(None,)]


def test_the_next_load_on_the_connection_is_not_hurt(world: LoadWorld) -> None:
    world.put("name\nAna\n")
    with pytest.raises(ExportError):
        world.load()
    world.put("id,name,note\n1,Ana,\n")
    assert world.load().rows_loaded == 1


def test_every_refusal_is_a_warehouse_error(world: LoadWorld) -> None:
    world.put("name\nAna\n")
    with pytest.raises(WarehouseError):
        world.load()
