"""What a person decides, in sentences."""

from collections.abc import Iterator

import pytest

from include import by_hand
from include.audit import migrate
from include.settings import Settings, connect
from tests.include.building.publish_world import PublishWorld


@pytest.fixture
def world(settings: Settings) -> Iterator[PublishWorld]:
    """Two published versions of a table."""
    with connect(settings) as connection:
        migrate(connection)
        connection.commit()
        connection.autocommit = True
        world = PublishWorld(settings, connection)
        world.deliver("2026-11-01", "2026-11-12")
        world.make_table("counts", "id text, responses integer", "('a', 1)")
        world.publish()
        world.execute("update warehouse.counts set responses = 2")
        world.mark_changed("counts", "a")
        world.publish()
        yield world


def test_a_rollback_says_what_is_shown_and_what_comes_next(world: PublishWorld) -> None:
    told = by_hand.roll_back(world.settings)
    assert told[0].startswith("marts are again as published 20")
    assert told[0].endswith(
        "UTC (publish 1): 1 rows out, 1 rows in. Taken back: run (2)."
    )
    assert told[1].startswith("0 figures of closed periods changed")
    assert told[2].startswith("The next publish, tonight at the latest, catches up")
    assert world.read("counts") == [("a", 1)]
    page = world.settings.report_folder / "scorecard.html"
    assert "<b>Rolled back</b>" in page.read_text("utf-8")
    assert world.fetch(
        "select run_id like 'rollback 20%Z', step, outcome from audit.run_steps"
    ) == [(True, "roll_back", "succeeded")]
