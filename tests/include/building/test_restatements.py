"""Figures of closed periods that change are noted: from what to what, and why."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import yaml

from include.audit import migrate
from include.building.rollback import roll_back
from include.errors import PublishError
from include.settings import PROJECT_FOLDER, Settings, connect
from tests.include.building.publish_world import PublishWorld

COLUMNS = (
    "id text, metric text, responses integer, score numeric, is_complete boolean,"
    " is_confidential boolean, period_start date, period_end date"
)
RESTATED: dict[str, object] = {
    "figures": ["responses", "score"],
    "only_where": "not is_confidential",
    "closed_when": "is_complete",
    "closed_on": "period_end",
    "period": {
        "key": "'week:' || period_start",
        "start": "period_start",
        "end": "period_end",
    },
    "broken_down_by": ["metric"],
}
CLOSED = "true, false, '2026-11-02', '2026-11-08'"
RUNNING = "false, false, '2026-11-09', '2026-11-15'"
NOTED = "select row_key, figure, old_value, new_value from marts.restatements order by"


@pytest.fixture
def world(settings: Settings) -> Iterator[PublishWorld]:
    """Published: a closed week, a running one, and a closed one in confidence."""
    with connect(settings) as connection:
        migrate(connection)
        connection.commit()
        connection.autocommit = True
        world = PublishWorld(settings, connection)
        world.deliver("2026-11-01", "2026-11-12")
        world.make_table(
            "scores",
            COLUMNS,
            f"('closed', 'nps', 10, 20.5, {CLOSED}),"
            f" ('running', 'nps', 5, 30, {RUNNING}),"
            f" ('secret', 'nps', 7, 40, {CLOSED.replace('false', 'true')})",
            restated=RESTATED,
        )
        world.publish()
        yield world


def change(world: PublishWorld, statement: str, *keys: str) -> None:
    world.execute(statement)
    for key in keys:
        world.mark_changed("scores", key)


def test_nothing_is_restated_by_the_first_publish(world: PublishWorld) -> None:
    assert world.fetch(f"{NOTED} 1") == []


def test_a_changed_figure_of_a_closed_period_is_noted_and_of_a_running_one_is_not(
    world: PublishWorld,
) -> None:
    change(
        world,
        "update warehouse.scores set responses = responses + 1",
        *("closed", "running", "secret"),
    )
    result = world.publish([(7, "shop.orders", "2026-11-12", "came")])
    assert result.figures_restated == 1
    assert world.fetch(
        "select publish_id, run_id, model, row_key, period_key, described_as,"
        " breakdown, figure, old_value, new_value, change, is_rollback, period_start,"
        " period_end, restated_at = (select max(published_at) from audit.publishes)"
        " from marts.restatements"
    ) == [
        (
            *(result.publish_id, "run", "scores", "closed", "week:2026-11-02"),
            *("metric nps", {"metric": "nps"}, "responses", 10, 11, 1, False),
            *(date(2026, 11, 2), date(2026, 11, 8), True),
        )
    ]


def test_a_row_that_changes_elsewhere_restates_no_figure(world: PublishWorld) -> None:
    change(world, "update warehouse.scores set score = 20.500", "closed")
    change(world, "update warehouse.scores set metric = 'csat'", "closed")
    assert world.publish().figures_restated == 0


def test_the_night_that_closes_a_period_restates_nothing(world: PublishWorld) -> None:
    world.deliver("2026-11-01", "2026-11-15")
    change(
        world,
        "update warehouse.scores set is_complete = true, responses = 6"
        " where id = 'running'; insert into warehouse.scores values"
        " ('late in the week', 'ces', 1, 5, true, false, '2026-11-09', '2026-11-15')",
        *("running", "late in the week"),
    )
    assert world.publish().figures_restated == 0
    change(
        world,
        "update warehouse.scores set responses = 7 where id = 'running'",
        "running",
    )
    world.publish()
    assert world.fetch(f"{NOTED} 1") == [("running", "responses", 6, 7)]


def test_a_figure_that_comes_late_or_vanishes_is_noted(world: PublishWorld) -> None:
    change(
        world,
        "delete from warehouse.scores where id = 'closed';"
        f" insert into warehouse.scores values ('late', 'ces', 3, null, {CLOSED}),"
        # Before the first day that all had delivered nothing was closed.
        " ('older', 'ces', 3, 5, true, false, '2026-10-26', '2026-11-01'),"
        f" ('a secret', 'ces', 3, 5, {CLOSED.replace('false', 'true')})",
        *("closed", "late", "older", "a secret"),
    )
    world.publish()
    assert world.fetch(f"{NOTED} 1, 2") == [
        ("closed", "responses", 10, None),
        ("closed", "score", Decimal("20.5"), None),
        ("late", "responses", None, 3),
    ]


def test_what_is_told_in_confidence_is_in_no_restatement(world: PublishWorld) -> None:
    # It changes, a public score becomes part of it, and both go.
    change(
        world,
        "update warehouse.scores set is_confidential = true where id = 'closed';"
        " update warehouse.scores set responses = 77, score = 78"
        " where is_confidential",
        *("closed", "secret"),
    )
    world.publish()
    change(world, "delete from warehouse.scores", "closed", "secret")
    world.publish()
    # What was public is gone.
    assert world.fetch(f"{NOTED} 1, 2") == [
        ("closed", "responses", 10, None),
        ("closed", "score", Decimal("20.5"), None),
    ]


def test_the_cause_names_corrections_first_and_only_what_the_mart_rests_on(
    world: PublishWorld,
) -> None:
    bump = "update warehouse.scores set responses = responses + 1 where id = 'closed'"
    change(world, bump, "closed")
    # A build whose publish was stopped: what came with it counts all the same.
    world.build(
        [
            (1, "shop.orders", "2026-11-03", "went"),
            (9, "shop.orders", "2026-11-03", "came"),
            (10, "shop.people", "2026-11-04", "came"),
        ]
    )
    world.publish(
        [
            (10, "shop.people", "2026-11-04", "went"),
            (3, "shop.people", "2026-11-05", "went"),
            (4, "shop.people", "2026-11-06", "read again"),
            (11, "shop.orders", "2026-11-12", "came"),
            (12, "shop.people", "2026-11-12", "came"),
            (13, "other.feed", "2026-11-12", "came"),
        ],
        ["prices", "another_model"],
    )
    (row,) = world.fetch("select cause, loads, changed_code from marts.restatements")
    assert row[0] == (
        "corrected: shop.orders of 2026-11-03 (load 9); withdrawn: shop.people of"
        " 2026-11-05 (load 3); read again: shop.people of 2026-11-06 (load 4); changed"
        " code: prices; new: 2 loads of 2026-11-12"
    )
    assert [(load["load_id"], load["change"]) for load in row[1]] == [
        *((1, "went"), (9, "came"), (3, "went")),
        *((4, "read again"), (11, "came"), (12, "came")),
    ]
    assert row[1][1]["feed"] == "shop.orders"
    assert row[1][1]["batch_date"] == "2026-11-03"
    assert row[2] == ["prices"]

    # The next publish names what came since.
    change(world, bump, "closed")
    world.publish([(14, "shop.orders", "2026-11-13", "came")])
    assert world.fetch(
        "select cause from marts.restatements order by restatement_id desc limit 1"
    ) == [("new: 1 load of 2026-11-13",)]


def test_restatements_outlive_their_mart_and_a_rollback(world: PublishWorld) -> None:
    change(
        world,
        "update warehouse.scores set responses = 11 where id = 'closed'",
        "closed",
    )
    world.publish()
    roll_back(world.settings, "rollback")
    both = [("closed", "responses", 10, 11), ("closed", "responses", 11, 10)]
    assert world.fetch(f"{NOTED} restatement_id") == both
    assert world.fetch(
        "select run_id, is_rollback, cause like 'rolled back to the version published"
        " 20%%UTC' from marts.restatements order by restatement_id desc limit 1"
    ) == [("rollback", True, True)]
    world.publish()
    assert world.fetch(f"{NOTED} restatement_id") == [*both, both[0]]
    world.execute("drop table warehouse.scores")
    world.forget("scores")
    world.publish()
    assert world.kind_of("scores") is None
    assert len(world.fetch(f"{NOTED} restatement_id")) == 3
    with connect(world.settings, "bi_reader") as reader:
        assert len(reader.execute("select * from marts.restatements").fetchall()) == 3


def test_a_new_column_restates_nothing_and_the_others_as_ever(
    world: PublishWorld,
) -> None:
    columns = COLUMNS.replace("score numeric", "score bigint")
    world.make_table(
        "scores", columns, f"('closed', 'nps', 11, 20, {CLOSED})", restated=RESTATED
    )
    world.publish([], ["scores"])
    assert world.fetch(f"{NOTED} 1") == [("closed", "responses", 10, 11)]
    assert world.fetch("select cause from marts.restatements") == [
        ("changed code: scores",)
    ]


@pytest.mark.parametrize("part", ["only_where", "closed_when", "closed_on"])
def test_a_declaration_that_does_not_fit_stops_the_publish_with_words(
    world: PublishWorld, part: str
) -> None:
    world.enter_model("scores", "incremental", restated={**RESTATED, part: "is_done"})
    change(world, "update warehouse.scores set responses = 11", "closed")
    with pytest.raises(
        PublishError, match=r"^The model scores: meta\.restated does not"
    ):
        world.publish()
    assert [row[2] for row in world.read("scores")] == [10, 5, 7]


def test_every_column_of_restatements_is_described(world: PublishWorld) -> None:
    assert (
        world.fetch(
            "select attname from pg_attribute"
            " where attrelid = 'marts.restatements'::regclass and attnum > 0"
            " and col_description(attrelid, attnum) is null"
        )
        == []
    )
    assert world.fetch(
        "select obj_description('marts.restatements'::regclass, 'pg_class') is null"
    ) == [(False,)]


# What they say has no period that could be closed, or is a view of one that does.
WITHOUT_PERIODS = {"mart_customer_health", "mart_personalisation", "mart_verbatims"}


def test_every_mart_of_periods_says_which_of_its_figures_are_final() -> None:
    folder = PROJECT_FOLDER / "dbt_project/models/marts/experience"
    silent = set()
    for path in folder.glob("mart_*.yml"):
        (model,) = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
        if "restated" not in model["config"].get("meta", {}):
            silent.add(model["name"])
    assert silent == WITHOUT_PERIODS
