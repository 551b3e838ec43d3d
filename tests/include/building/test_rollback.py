"""A rollback brings the version before back, whole; the next publish catches up."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import psycopg
import pytest

from include.audit import migrate
from include.building import publish
from include.building.build_lock import build_lock
from include.building.rollback import RollbackResult, roll_back
from include.errors import BuildError, PublishError
from include.settings import Settings, connect
from tests.include.building.publish_world import PublishWorld

# Every type that is hard to keep in a log, and its odd values.
COLUMNS = (
    "id text, n bigint, exact numeric, share double precision, at timestamptz,"
    " local timestamp, day date, flag boolean, words text[], uuid uuid, note text"
)
ROWS = (
    "('a', 9007199254740993, 1.500, 0.1, '2026-11-01 03:04:05.123456+02',"
    "  '2026-11-01 00:00', '0001-01-01', true, '{a,\"b c\",null}',"
    "  '00000000-0000-0000-0000-000000000001', 'São \"x\" \\ ''y''  '),"
    " ('b', null, 'NaN', 'infinity', 'infinity', null, '-infinity', null, '{}', null,"
    "  ''),"
    " ('c', 1, 1e-20, 1e300, '1999-12-31 23:59:59.999999', null, null, false, null,"
    "  null, e'line\\nend')"
)


@pytest.fixture
def world(settings: Settings) -> Iterator[PublishWorld]:
    """Published: three rows, and a view of them."""
    with connect(settings) as connection:
        migrate(connection)
        connection.commit()
        connection.autocommit = True
        world = PublishWorld(settings, connection)
        world.make_table("things", COLUMNS, ROWS)
        world.make_view("days", "select id, day from warehouse.things")
        world.make_table("others", "id text, n integer", "('x', 1)")
        world.publish()
        yield world


def change(world: PublishWorld) -> None:
    """Change, take out and put in rows of both tables."""
    world.execute(
        "update warehouse.things set exact = exact + 1, note = coalesce(note, 'none')"
        " || '!', words = '{z}', at = at + interval '1 microsecond' where id <> 'a';"
        " delete from warehouse.things where id = 'a';"
        " insert into warehouse.things (id, n) values"
        "  ('new ' || (select count(*) from audit.publishes), 4);"
        " update warehouse.others set n = n + 1"
    )
    rows = world.fetch("select id from warehouse.things")
    for key in ["a", *(id for (id,) in rows)]:
        world.mark_changed("things", key)
    world.mark_changed("others", "x")


def hash_both(world: PublishWorld) -> tuple:
    return world.hash("things"), world.hash("others"), world.hash("days")


def go_back(world: PublishWorld) -> RollbackResult:
    return roll_back(world.settings, "rollback")


def test_the_version_before_is_back_to_the_last_byte(world: PublishWorld) -> None:
    before = hash_both(world)
    change(world)
    published = world.publish()
    assert hash_both(world) != before
    result = go_back(world)
    assert hash_both(world) == before
    assert (result.rows_deleted, result.rows_inserted) == (4, 4)
    assert result.undone == ((published.publish_id, "run"),)
    assert result.shown.publish_id == 1


def test_the_next_publish_catches_up(world: PublishWorld) -> None:
    change(world)
    world.publish()
    after = hash_both(world)
    go_back(world)
    assert publish.verify_published(world.settings) != {}
    world.publish()
    assert hash_both(world) == after
    assert publish.verify_published(world.settings) == {}


def test_the_next_publish_is_what_it_would_have_been_without_a_rollback(
    world: PublishWorld,
) -> None:
    change(world)
    world.publish()
    go_back(world)
    # What goes in the meantime was never told to the next publish but by the rollback.
    world.execute(
        "delete from warehouse.things where id = 'c';"
        " update warehouse.others set n = 9;"
        " insert into warehouse.things (id, n) values ('a', 5), ('e', 6)"
    )
    for key in ("c", "a", "e"):
        world.mark_changed("things", key)
    world.mark_changed("others", "x")
    world.publish()
    assert publish.verify_published(world.settings) == {}
    assert world.fetch("select id from marts.things order by 1") == [
        *(("a",), ("b",), ("e",), ("new 1",))
    ]


def test_twice_in_a_row_goes_two_versions_back_and_no_further(
    world: PublishWorld,
) -> None:
    versions = [hash_both(world)]
    for _ in range(2):
        change(world)
        world.publish()
        versions.append(hash_both(world))
    go_back(world)
    assert hash_both(world) == versions[1]
    go_back(world)
    assert hash_both(world) == versions[0]
    with pytest.raises(PublishError, match=r"publish 1 of .*UTC: it was the first one"):
        go_back(world)
    assert hash_both(world) == versions[0]
    world.publish()
    assert hash_both(world) == versions[2]
    # A rollback of that goes back to what was shown before, not to what was undone.
    go_back(world)
    assert hash_both(world) == versions[0]


def test_publishes_that_changed_nothing_are_no_version(world: PublishWorld) -> None:
    before = hash_both(world)
    change(world)
    changing = world.publish()
    quiet = world.publish()
    result = go_back(world)
    assert hash_both(world) == before
    assert [number for number, _ in result.undone] == [
        quiet.publish_id,
        changing.publish_id,
    ]


def test_before_anything_was_published_there_is_nothing_to_go_back_to(
    settings: Settings,
) -> None:
    with connect(settings) as connection:
        migrate(connection)
    with pytest.raises(
        PublishError, match=r"^Nothing has been published yet, .* were\.$"
    ):
        roll_back(settings, "rollback")


def test_a_publish_that_changed_columns_or_views_cannot_be_rolled_back(
    world: PublishWorld,
) -> None:
    change(world)
    world.publish()
    world.make_view("days", "select id, day, note from warehouse.things")
    world.publish()
    with pytest.raises(
        PublishError, match=r"publish 3 .* the kind of marts\.days; marts"
    ):
        go_back(world)
    world.make_table("others", "id text, n integer, more integer", "('x', 1, 2)")
    world.publish()
    with pytest.raises(
        PublishError, match=r"publish 4 .* the kind of marts\.others; m"
    ):
        go_back(world)
    world.make_table("come", "id text", "('x')")
    world.forget("others")
    world.publish()
    with pytest.raises(PublishError, match=r"marts\.come, marts\.others; marts stay"):
        go_back(world)


def test_code_that_was_built_and_not_published_does_not_stop_a_rollback(
    world: PublishWorld,
) -> None:
    before = hash_both(world)
    change(world)
    world.publish()
    world.make_table("others", "id text, other integer", "('x', 1)")
    go_back(world)
    assert hash_both(world) == before
    world.publish()
    assert world.read("others") == [("x", 1)]
    assert publish.verify_published(world.settings) == {}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("delete from audit.published_changes where change = 'inserted'", "incomplete"),
        ("delete from audit.published_changes where change = 'deleted'", "incomplete"),
        ("update marts.others set n = 7", "changed by hand"),
        ("delete from marts.things where id = 'b'", "changed by hand"),
        ("alter table marts.others add column more text", "columns of marts.others"),
        ("alter table marts.others drop column n", "columns of marts.others"),
        ("delete from audit.models where model = 'others'", "code of others has"),
    ],
)
def test_a_rollback_that_would_not_give_the_version_before_is_refused(
    world: PublishWorld, damage: str, words: str
) -> None:
    change(world)
    world.publish()
    world.execute(damage)
    before = hash_both(world)
    with pytest.raises(PublishError, match=rf"{words}.*; marts stay as they were"):
        go_back(world)
    assert hash_both(world) == before
    assert world.fetch("select count(*) from audit.publishes") == [(2,)]


def test_a_reader_sees_one_version_or_the_other(world: PublishWorld) -> None:
    both = "select (select n from marts.others), (select count(*) from marts.days)"
    change(world)
    world.publish()
    with connect(world.settings) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert reader.execute(both).fetchall() == [(2, 3)]
        go_back(world)
        assert reader.execute(both).fetchall() == [(2, 3)]
        reader.rollback()
        assert reader.execute(both).fetchall() == [(1, 3)]
        assert reader.execute("select id from marts.days order by 1").fetchone() == (
            "a",
        )


def test_a_rollback_waits_for_nobody_at_work_and_says_so(world: PublishWorld) -> None:
    change(world)
    world.publish()
    with (
        connect(world.settings) as builder,
        build_lock(builder),
        pytest.raises(BuildError, match="under way on this warehouse: wait"),
    ):
        go_back(world)


def test_data_status_says_which_version_is_shown_until_the_next_publish(
    world: PublishWorld,
) -> None:
    status = (
        "select published_at, rolled_back_at from marts.data_status"
        " where as_of_date is not null"
    )
    world.deliver("2026-11-01", "2026-11-12")
    first = world.fetch(status)
    assert first[0][1] is None
    change(world)
    world.publish()
    second = world.fetch(status)
    assert second[0][0] > first[0][0]
    assert second[0][1] is None
    go_back(world)
    ((published_at, rolled_back_at),) = world.fetch(status)
    assert published_at == first[0][0]
    assert rolled_back_at > second[0][0]
    world.publish()
    ((published_at, rolled_back_at),) = world.fetch(status)
    assert published_at > second[0][0]
    assert rolled_back_at is None


def test_mart_status_counts_the_rows_that_readers_see(world: PublishWorld) -> None:
    def check_rows() -> dict[str, datetime]:
        status = world.fetch(
            "select mart, rows, changed_at from marts.mart_status order by mart"
        )
        assert {name for name, *_ in status} >= {"things", "days"}
        for name, rows, _ in status:
            if world.kind_of(name) == "r":
                assert rows == world.hash(name)[0], name
            else:
                assert rows is None
        return {name: changed_at for name, _, changed_at in status}

    first = check_rows()
    change(world)
    world.publish()
    second = check_rows()
    assert {name for name in first if first[name] != second[name]} == {
        "things",
        "others",
    }
    # Publishing nothing changes nothing; going back does.
    world.publish()
    assert check_rows() == second
    go_back(world)
    assert check_rows()["things"] > second["things"]


def test_mart_status_names_the_sources_that_hold_a_table_back(
    world: PublishWorld,
) -> None:
    status = (
        "select sources, as_of_date::text, behind_sources from marts.mart_status"
        " where mart = 'things'"
    )
    world.deliver("2026-11-01", "2026-11-12")
    assert world.fetch(status) == [("shop", "2026-11-12", None)]
    world.execute(
        "insert into audit.as_of (source, role, first_date, as_of_date) values"
        " ('elsewhere', 'survey', '2026-11-01', '2026-11-14'),"
        " ('shop@acme', 'crm', '2026-11-01', '2026-11-14')"
    )
    assert world.fetch(status) == [("shop, shop@acme", "2026-11-12", "shop")]
    world.execute("update audit.as_of set as_of_date = null where source = 'shop'")
    assert world.fetch(status) == [("shop, shop@acme", None, "shop")]


def test_of_old_publishes_the_log_goes_and_a_rollback_past_it_is_refused(
    world: PublishWorld,
) -> None:
    world.settings = replace(world.settings, rollback_publishes=2)
    for _ in range(3):
        change(world)
        world.publish()
    logged = "select distinct publish_id from audit.published_changes order by 1"
    assert world.fetch(logged) == [(3,), (4,)]
    # A night that is run again and changes nothing is no version to go back to.
    for _ in range(3):
        world.publish()
    assert world.fetch(logged) == [(3,), (4,)]
    go_back(world)
    go_back(world)
    before = hash_both(world)
    with pytest.raises(
        PublishError,
        match=r"before publish 2 .* the log of the last 2 publishes alone is kept"
        r" \(CX_ROLLBACK_PUBLISHES\); marts stay",
    ):
        go_back(world)
    assert hash_both(world) == before


def test_publishes_of_earlier_code_are_not_rolled_back(world: PublishWorld) -> None:
    change(world)
    world.publish()
    world.execute(
        "update audit.publishes set irreversible_because = 'made by earlier code'"
    )
    with pytest.raises(
        PublishError, match=r"publish 2 .*: made by earlier code; marts stay"
    ):
        go_back(world)
