"""Publishing of views, and of tables of which only some rows are published."""

from collections.abc import Iterator

import psycopg
import pytest

from include.audit import migrate
from include.building import marts_transaction, publish
from include.building.build_lock import build_lock
from include.errors import BuildError, PublishError
from include.settings import Settings, connect
from tests.include.building.publish_world import PublishWorld

COUNTS = "id text, kind text, responses integer"


@pytest.fixture
def world(settings: Settings) -> Iterator[PublishWorld]:
    """Published: two rows of counts, and a view of those of kind nps."""
    with connect(settings) as connection:
        migrate(connection)
        connection.commit()
        connection.autocommit = True
        world = PublishWorld(settings, connection)
        world.make_table("counts", COUNTS, "('a', 'nps', 1), ('b', 'csat', 2)")
        world.execute(
            "create function cx.double(n integer) returns integer language sql"
            " return 2 * n"
        )
        world.make_view(
            "nps_counts",
            "select counts.id, cx.double(counts.responses) as doubled"
            " from warehouse.counts as counts where counts.kind = 'nps'",
        )
        world.execute("comment on view warehouse.nps_counts is 'Of kind nps.'")
        world.execute("comment on column warehouse.nps_counts.doubled is 'Twice.'")
        world.publish()
        yield world


def test_a_view_reads_the_published_tables_and_not_the_warehouse(
    world: PublishWorld,
) -> None:
    assert world.kind_of("nps_counts") == "v"
    assert world.read("nps_counts") == [("a", 2)]
    world.execute("update warehouse.counts set responses = 5 where id = 'a'")
    world.mark_changed("counts", "a")
    assert world.read("nps_counts") == [("a", 2)]
    world.publish()
    assert world.read("nps_counts") == [("a", 10)]
    (definition,) = world.fetch("select pg_get_viewdef('marts.nps_counts'::regclass)")
    assert "marts.counts" in definition[0]
    assert "warehouse" not in definition[0]


def test_comments_of_a_view_are_carried_over(world: PublishWorld) -> None:
    comments = (
        "select obj_description('marts.nps_counts'::regclass, 'pg_class'),"
        " col_description('marts.nps_counts'::regclass, 2)"
    )
    assert world.fetch(comments) == [("Of kind nps.", "Twice.")]
    world.execute("comment on column warehouse.nps_counts.doubled is 'Two times.'")
    world.publish()
    assert world.fetch(comments) == [("Of kind nps.", "Two times.")]


def test_an_unchanged_view_is_left_alone(world: PublishWorld) -> None:
    oid = "select 'marts.nps_counts'::regclass::oid"
    before = world.fetch(oid)
    world.make_view(
        "nps_counts",
        "select counts.id, cx.double(counts.responses) as doubled"
        " from warehouse.counts as counts where counts.kind = 'nps'",
    )
    world.publish()
    assert world.fetch(oid) == before


def test_a_view_gains_a_column_under_the_views_of_others(world: PublishWorld) -> None:
    world.execute("create view public.of_an_analyst as select * from marts.nps_counts")
    world.make_view(
        "nps_counts",
        "select id, cx.double(responses) as doubled, kind from warehouse.counts"
        " where kind = 'nps'",
    )
    world.publish()
    assert world.read("nps_counts") == [("a", 2, "nps")]
    assert world.fetch("select * from public.of_an_analyst") == [("a", 2)]


def test_a_view_whose_columns_change_under_the_view_of_another_is_refused(
    world: PublishWorld,
) -> None:
    world.execute("create view public.of_an_analyst as select * from marts.nps_counts")
    world.make_view("nps_counts", "select kind, id from warehouse.counts")
    with pytest.raises(PublishError, match="of_an_analyst"):
        world.publish()
    assert world.read("nps_counts") == [("a", 2)]
    world.execute("drop view public.of_an_analyst")
    world.publish()
    assert world.read("nps_counts") == [("csat", "b"), ("nps", "a")]


def test_a_table_changes_its_columns_under_a_view(world: PublishWorld) -> None:
    world.make_table(
        "counts", "id text, responses bigint, kind text", "('a', 3, 'nps')"
    )
    world.make_view("nps_counts", "select id, responses from warehouse.counts")
    world.publish()
    assert world.read("nps_counts") == [("a", 3)]
    assert publish.verify_published(world.settings) == {}


def test_a_table_becomes_a_view_and_a_table_again(world: PublishWorld) -> None:
    world.make_table("scores", "id text, score integer", "('a', 10)")
    world.make_view("best", "select max(score) as score from warehouse.scores")
    world.publish()
    assert (world.kind_of("scores"), world.read("best")) == ("r", [(10,)])

    world.execute("drop table warehouse.scores cascade")
    world.make_view("scores", "select id, 7 as score from warehouse.counts")
    world.forget("best")
    world.make_view("best", "select max(score) as score from warehouse.scores")
    world.publish()
    assert world.kind_of("scores") == "v"
    assert world.read("scores") == [("a", 7), ("b", 7)]
    assert world.read("best") == [(7,)]

    world.execute("drop view warehouse.scores cascade")
    world.make_table("scores", "id text, score integer", "('a', 11)")
    world.make_view("best", "select max(score) as score from warehouse.scores")
    world.publish()
    assert (world.kind_of("scores"), world.read("best")) == ("r", [(11,)])
    assert publish.verify_published(world.settings) == {}


def test_relations_that_left_the_project_are_dropped_and_those_of_others_stay(
    world: PublishWorld,
) -> None:
    world.execute("create view marts.of_an_analyst as select 1 as one")
    world.forget("nps_counts")
    world.forget("counts")
    world.publish()
    assert (world.kind_of("counts"), world.kind_of("nps_counts")) == (None, None)
    assert world.kind_of("of_an_analyst") == "v"
    assert world.kind_of("data_status") == "v"


def test_a_view_of_what_is_not_published_is_refused(world: PublishWorld) -> None:
    world.execute("create table warehouse.secret (id text)")
    world.make_view("leak", "select id from warehouse.secret")
    with pytest.raises(PublishError, match="The view leak reads what is not published"):
        world.publish()
    assert world.kind_of("leak") is None


def test_a_view_that_was_changed_by_hand_is_found(world: PublishWorld) -> None:
    assert publish.verify_published(world.settings) == {}
    world.execute(
        "create or replace view marts.nps_counts as"
        " select id, responses as doubled from marts.counts"
    )
    assert publish.verify_published(world.settings) == {"nps_counts": 1}


def test_a_reader_sees_tables_and_views_of_one_version(world: PublishWorld) -> None:
    both = (
        "select (select responses from marts.counts where id = 'a'),"
        " (select doubled from marts.nps_counts)"
    )
    with connect(world.settings) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert reader.execute("select responses from marts.counts").fetchone() == (1,)
        world.execute("update warehouse.counts set responses = 5 where id = 'a'")
        world.mark_changed("counts", "a")
        world.publish()
        # Its snapshot was taken before, and the view that it had not read yet is of it.
        assert reader.execute(both).fetchall() == [(1, 2)]
        reader.rollback()
        assert reader.execute(both).fetchall() == [(5, 10)]


def test_a_publish_waits_for_a_reader_of_a_view_that_changes(
    world: PublishWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marts_transaction, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(marts_transaction, "LOCK_TRIES", 2)
    world.make_view("nps_counts", "select kind, id from warehouse.counts")
    with connect(world.settings) as reader:
        reader.execute("select * from marts.nps_counts")
        session = f"session {reader.info.backend_pid}: marts.nps_counts"
        with pytest.raises(PublishError, match=session):
            world.publish()
        assert reader.execute("select * from marts.nps_counts").fetchall() == [("a", 2)]
    world.publish()
    assert world.read("nps_counts") == [("csat", "b"), ("nps", "a")]


def test_a_publish_that_is_kept_waiting_says_so_and_goes_on_when_it_may(
    world: PublishWorld,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(marts_transaction, "LOCK_TIMEOUT", "100ms")
    world.execute("update warehouse.counts set responses = 5 where id = 'a'")
    world.mark_changed("counts", "a")
    with connect(world.settings) as somebody:
        # Rows alone change, and readers would be let pass: this one shuts them out.
        somebody.execute("lock table marts.counts in share mode")
        # Between two tries it lets go.
        monkeypatch.setattr(
            marts_transaction.time, "sleep", lambda seconds: somebody.commit()
        )
        world.publish()
    assert world.read("counts") == [("a", "nps", 5), ("b", "csat", 2)]
    (waiting,) = (
        record.message for record in caplog.records if record.levelname == "WARNING"
    )
    assert waiting == "publish waits for a lock in marts (try 1 of 12)"


def test_a_build_under_way_keeps_a_publish_out_and_says_so(
    world: PublishWorld,
) -> None:
    with (
        connect(world.settings) as builder,
        build_lock(builder),
        pytest.raises(BuildError, match="under way on this warehouse: wait"),
    ):
        world.publish()


def test_only_rows_that_meet_the_condition_are_published(world: PublishWorld) -> None:
    world.make_table(
        "answers",
        "id text, is_confidential boolean, score integer",
        "('a', false, 1), ('b', true, 2), ('c', null, 3), ('d', false, 4)",
        publish_where="not is_confidential",
    )
    world.publish()
    assert [row[0] for row in world.read("answers")] == ["a", "d"]
    assert publish.verify_published(world.settings) == {}

    # Rows whose condition flips leave and arrive; what stays back is in no log.
    world.execute("update warehouse.answers set is_confidential = true where id = 'a'")
    world.execute("update warehouse.answers set is_confidential = false where id = 'b'")
    world.execute("update warehouse.answers set score = 30 where id = 'c'")
    world.execute("insert into warehouse.answers values ('e', true, 5)")
    for key in "abce":
        world.mark_changed("answers", key)
    result = world.publish()
    assert (result.rows_deleted, result.rows_inserted) == (1, 1)
    assert [row[0] for row in world.read("answers")] == ["b", "d"]
    assert publish.verify_published(world.settings) == {}
    assert world.fetch(
        "select change, row_image ->> 'id', row_image ->> 'is_confidential'"
        " from audit.published_changes where model = 'answers' order by 2"
    ) == [("deleted", "a", "false"), ("inserted", "b", "false")]


def test_exactly_the_rows_that_differ_are_swapped_and_noted(
    world: PublishWorld,
) -> None:
    world.make_table(
        "visits",
        "id text, customer text, events integer",
        "('changes', 'ann', 1), ('goes', 'ann', 1), ('moves', 'ann', 1),"
        " ('stays', 'ann', 1), ('is not marked', 'cy', 1)",
        rebuild_by="customer",
    )
    world.publish()
    before = dict(world.fetch("select id, ctid::text from marts.visits"))
    world.execute("delete from warehouse.visits where id = 'goes'")
    world.execute("update warehouse.visits set customer = 'ben' where id = 'moves'")
    world.execute(
        "update warehouse.visits set events = null where id in ('changes',"
        " 'is not marked')"
    )
    world.execute("insert into warehouse.visits values ('comes', 'ben', 2)")
    for customer in ("ann", "ben"):
        world.mark_changed("visits", customer)
    result = world.publish()
    assert world.read("visits") == [
        ("changes", "ann", None),
        ("comes", "ben", 2),
        ("is not marked", "cy", 1),
        ("moves", "ben", 1),
        ("stays", "ann", 1),
    ]
    after = dict(world.fetch("select id, ctid::text from marts.visits"))
    assert {name for name in before if before[name] == after.get(name)} == {
        "stays",
        "is not marked",
    }
    assert (result.rows_deleted, result.rows_inserted) == (3, 3)
    assert world.fetch(
        "select change, row_image ->> 'id', row_image ->> 'customer',"
        " row_image ->> 'events' from audit.published_changes"
        f" where publish_id = {result.publish_id} order by 1, 2"
    ) == [
        ("deleted", "changes", "ann", "1"),
        ("deleted", "goes", "ann", "1"),
        ("deleted", "moves", "ann", "1"),
        ("inserted", "changes", "ann", None),
        ("inserted", "comes", "ben", "2"),
        ("inserted", "moves", "ben", "1"),
    ]
    assert world.fetch(
        "select row_image from audit.published_changes where row_image ->> 'id' ="
        f" 'comes' and publish_id = {result.publish_id}"
    ) == [({"id": "comes", "customer": "ben", "events": 2},)]


def test_a_condition_that_is_new_takes_the_rows_out(world: PublishWorld) -> None:
    world.enter_model("counts", "incremental", publish_where="kind = 'csat'")
    assert publish.verify_published(world.settings) == {"counts": 1}
    world.mark_changed("counts", None)
    world.publish()
    assert world.read("counts") == [("b", "csat", 2)]
    assert world.read("nps_counts") == []


def test_a_published_table_has_the_indexes_that_are_asked_for_in_marts(
    world: PublishWorld,
) -> None:
    rows = "('a', 'nps', 1), ('b', 'csat', 2)"
    world.make_table("answers", COUNTS, rows, published_indexes=[["id"], ["kind"]])
    world.execute("create index on warehouse.answers (kind, responses, id)")
    world.publish()
    assert world.list_indexes("answers") == {"(id)", "(kind)"}

    # That of an analyst stays, and those that are asked for are left as they are.
    world.execute("create index of_an_analyst on marts.answers (responses)")
    oids = "select min(indexrelid) from pg_index where indrelid = 'marts.{}'::regclass"
    before = world.fetch(oids.format("answers"))
    asked = [["id"], ["kind", "upper(id)"]]
    world.enter_model("answers", "incremental", published_indexes=asked)
    world.publish()
    assert world.list_indexes("answers") == {
        "(id)",
        "(kind, upper(id))",
        "(responses)",
    }
    assert world.fetch(oids.format("answers")) == before


def test_an_index_whose_column_changes_is_made_again(world: PublishWorld) -> None:
    rows = "('a', 'nps', 1)"
    indexes = [["id"], ["responses", "id"]]
    world.make_table("answers", COUNTS, rows, published_indexes=indexes)
    world.publish()
    columns = "id text, kind text, responses bigint"
    world.make_table("answers", columns, rows, published_indexes=indexes)
    world.publish()
    assert world.list_indexes("answers") == {"(id)", "(responses, id)"}
    assert publish.verify_published(world.settings) == {}
