"""What the next publish will change, counted before it does."""

from collections.abc import Iterator

import pytest

from include.audit import migrate
from include.building.unpublished_rows import MartChange, count_changes
from include.settings import Settings, connect
from tests.include.building.publish_world import PublishWorld


@pytest.fixture
def world(settings: Settings) -> Iterator[PublishWorld]:
    with connect(settings) as connection:
        migrate(connection)
        connection.autocommit = True
        yield PublishWorld(settings, connection)


def test_rows_that_go_and_come_are_counted_as_the_publish_then_finds_them(
    world: PublishWorld,
) -> None:
    world.make_table(
        "counts",
        "id text, responses integer",
        "('a', 1), ('b', 2), ('hidden', 9)",
        publish_where="id <> 'hidden'",
    )
    assert count_changes(world.connection) == [MartChange("counts", 0, 2, True)]
    world.publish()
    assert count_changes(world.connection) == []

    world.execute("update warehouse.counts set responses = 3 where id = 'a'")
    world.execute("delete from warehouse.counts where id = 'b'")
    world.execute("insert into warehouse.counts values ('c', 4), ('unseen', 5)")
    assert count_changes(world.connection) == [], "no key is marked as changed"
    for key in ("a", "b", "c"):
        world.mark_changed("counts", key)
    assert count_changes(world.connection) == [MartChange("counts", 2, 2, False)]
    result = world.publish()
    assert (result.rows_deleted, result.rows_inserted) == (2, 2)


def test_a_mart_whose_columns_change_counts_whole(world: PublishWorld) -> None:
    world.make_table("counts", "id text, responses integer", "('a', 1), ('b', 2)")
    world.publish()
    world.make_table("counts", "id text, answers integer", "('a', 1), ('b', 2)")
    assert count_changes(world.connection) == [MartChange("counts", 2, 2, False)]
    result = world.publish()
    assert (result.rows_deleted, result.rows_inserted) == (2, 2)


def test_a_key_that_is_marked_but_reads_as_before_changes_nothing(
    world: PublishWorld,
) -> None:
    world.make_table("counts", "id text, responses integer", "('a', 1)")
    world.publish()
    world.mark_changed("counts", "a")
    assert count_changes(world.connection) == []
