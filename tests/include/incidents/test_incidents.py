"""Incidents: opened once, told once, closed once, whatever comes in between."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from expectations.raw import RULES_BY_NAME, VOLUME_RULES
from include.incidents.kinds import KINDS
from include.incidents.ledger import Comparison
from tests.include.incidents.incident_world import (
    MORNING,
    NIGHT,
    IncidentWorld,
    RecordingChannel,
)

World = IncidentWorld
VOLUME = "the volume is about as usual"


def test_an_incident_is_told_when_it_opens_and_when_it_is_over_and_not_in_between(
    world: World,
) -> None:
    world.miss("hubspot.orders")
    for _ in range(3):
        world.look()
    assert world.mail.titles == ["Open: Export late or missing, hubspot"]
    world.arrive("hubspot.orders")
    for _ in range(3):
        world.look()
    assert world.mail.titles[1:] == ["Over: Export late or missing, hubspot"]
    assert world.rows(
        "select kind, subject, owner, runbook, closed_at > opened_at,"
        " last_seen_at > opened_at from audit.incidents"
    ) == [
        (
            *("export_missing", "hubspot", "sales operations"),
            *("export-late-or-missing", True, True),
        )
    ]


def test_a_message_says_what_whose_business_it_is_and_where_it_says_what_to_do(
    world: World,
) -> None:
    world.settings = replace(world.settings, runbook_url="https://docs/runbook.md")
    world.miss("hubspot.orders")
    world.miss("hubspot.returns")
    world.look()
    (message,) = world.mail.sent
    words, incident, owner, runbook = message.lines
    assert words.startswith(
        "hubspot has not sent hubspot.orders, hubspot.returns of 2026-11-19:"
    )
    assert incident.startswith("Incident 1, since 20")
    assert owner == "Owner: sales operations"
    assert runbook == "What to do: https://docs/runbook.md#export-late-or-missing"


def test_a_source_that_is_silent_for_ten_nights_is_one_incident(world: World) -> None:
    for number in range(10):
        for feed in ("orders", "contacts", "deals"):
            world.miss(f"hubspot.{feed}", NIGHT + timedelta(days=number))
        world.look()
    assert len(world.mail.sent) == 1
    # What is wrong now stands beside what was said.
    assert world.rows("select message from audit.incidents") == [
        (
            "hubspot has not sent hubspot.contacts, hubspot.deals, hubspot.orders of 10"
            " nights, 2026-11-19 to 2026-11-28: marts go on without it, at its last"
            " night that is whole.",
        )
    ]
    for number in range(10):
        for feed in ("orders", "contacts", "deals"):
            world.arrive(f"hubspot.{feed}", NIGHT + timedelta(days=number))
    world.look()
    assert len(world.mail.sent) == 2


def test_what_comes_again_after_it_was_over_is_another_incident(world: World) -> None:
    for _ in range(2):
        world.miss("hubspot.orders")
        world.look()
        world.arrive("hubspot.orders")
        world.look()
    assert [title.split(":")[0] for title in world.mail.titles] == [
        *("Open", "Over", "Open", "Over")
    ]


def test_a_message_that_could_not_be_sent_is_sent_by_a_later_look(
    world: World,
) -> None:
    world.mail.is_broken = True
    world.miss("hubspot.orders")
    world.refuse("zendesk.tickets")
    world.look()
    assert world.mail.sent == []
    # A channel that is down is tried once a look.
    assert world.rows(
        "select attempts, last_error, notified_at is null"
        " from audit.incident_messages order by message_id"
    ) == [
        (1, "ConnectionRefusedError; see the log.", True),
        (0, None, True),
    ]
    # It is over before anybody was told: both are still told, in their order.
    world.arrive("hubspot.orders")
    world.look()
    world.mail.is_broken = False
    world.look()
    assert world.mail.titles == [
        "Open: Export late or missing, hubspot",
        "Open: Export unreadable, zendesk.tickets",
        "Over: Export late or missing, hubspot",
    ]
    assert world.rows(
        "select count(*), count(notified_at), count(last_error)"
        " from audit.incident_messages"
    ) == [(3, 3, 0)]


def test_a_channel_that_fails_keeps_no_other_from_sending(world: World) -> None:
    world.channels["webhook"] = RecordingChannel()
    world.mail.is_broken = True
    world.miss("hubspot.orders")
    world.look()
    world.mail.is_broken = False
    world.look()
    assert len(world.mail.sent) == 1
    assert len(world.channels["webhook"].sent) == 1


def test_a_channel_that_is_switched_on_later_tells_what_is_open_and_no_old_story(
    world: World,
) -> None:
    channels, world.channels = world.channels, {}
    world.miss("hubspot.orders")
    world.look()
    world.arrive("hubspot.orders")
    world.refuse("zendesk.tickets")
    world.look()
    world.channels = channels
    world.look()
    assert world.mail.titles == ["Open: Export unreadable, zendesk.tickets"]


def test_a_held_load_is_an_incident_until_it_is_settled(world: World) -> None:
    load_id = world.add_load("qualtrics.responses", "held")
    world.look()
    (message,) = world.mail.sent
    assert message.text == (
        f"Load {load_id}, qualtrics.responses of 2026-11-19, is held:"
        " the list is cut off."
    )
    assert message.owner == "customer research"
    world.owner.execute("update audit.loads set status = 'accepted'")
    world.look()
    assert world.mail.titles[1:] == ["Over: Load held, qualtrics.responses"]


def test_an_unusual_volume_is_an_incident_until_a_newer_load_is_as_usual(
    world: World,
) -> None:
    unusual = world.add_load("hubspot.orders", "accepted")
    world.judge(unusual, VOLUME, is_met=False)
    world.judge(unusual, "no row is unreadable", is_met=False)
    world.look()
    (message,) = world.mail.sent
    assert message.text == (
        "hubspot.orders of 2026-11-19: 3 rows came where 300 are usual."
    )
    # An older night that comes late says nothing about the newest one.
    world.add_load("hubspot.orders", "accepted", NIGHT - timedelta(days=5))
    assert world.look().seen_again == 1
    # Gate 1 keeps no row for a rule that a load meets among others of its feed.
    world.add_load("hubspot.orders", "accepted", NIGHT + timedelta(days=1))
    assert world.look().closed == 1


def test_a_load_that_gate_1_judges_again_is_taken_by_its_last_word(
    world: World,
) -> None:
    load_id = world.add_load("hubspot.orders", "accepted")
    world.judge(load_id, VOLUME, is_met=False)
    world.judge(load_id, VOLUME, is_met=True)
    assert world.look().opened == 0


def test_the_rules_of_volume_are_rules_of_gate_1() -> None:
    assert {RULES_BY_NAME[name].severity for name in VOLUME_RULES} == {"warning"}


def test_a_failed_build_is_an_incident_until_one_succeeds(world: World) -> None:
    world.build("failed", "The model fct_tickets did not build.")
    world.look()
    (message,) = world.mail.sent
    assert message.text == "The model fct_tickets did not build."
    assert message.owner == "data engineering"
    world.publish(world.build())
    world.look()
    assert world.mail.titles[1:] == ["Over: Build failed, build"]


def test_a_build_that_gate_2_stops_is_an_incident_until_one_passes(
    world: World,
) -> None:
    build_id = world.build(gated=False)
    world.stop_at_gate_2()
    world.look()
    (message,) = world.mail.sent
    assert message.text == (
        f"Gate 2 stops build {build_id}; readers see the version before it."
        " mart_nps_daily: adds up to its facts was expected, 12 more was seen."
    )
    # Built again, not judged yet.
    world.build(gated=False)
    assert world.look(run_id="another") == Comparison(0, 1, 0)
    world.publish(world.build())
    world.look()
    assert world.mail.titles[1:] == ["Over: Marts stopped by gate 2, marts"]


def test_a_build_that_is_not_published_is_an_incident_when_its_run_is_over(
    world: World,
) -> None:
    build_id = world.build()
    assert world.look(run_id="another").opened == 0, "its run may be at work"
    assert world.look().opened == 1, "its run is over"
    assert world.look(run_id="another").closed == 0, "and stays one for every look"
    world.publish(build_id)
    assert world.look(run_id="another").closed == 1


def test_a_run_that_died_before_gate_2_is_found_by_a_later_look(world: World) -> None:
    build_id = world.build(gated=False)
    assert world.look(run_id="another").opened == 0
    world.owner.execute(
        "update audit.builds set finished_at = finished_at - interval '2 hours'"
    )
    world.look(run_id="another")
    (message,) = world.mail.sent
    assert message.title == "Open: Publish blocked, publish"
    assert message.text.startswith(f"Build {build_id} is not published:")


def test_a_failed_build_stays_an_incident_while_the_next_one_is_at_work(
    world: World,
) -> None:
    world.build("failed")
    assert world.look(run_id="another").opened == 0, "it may be tried again"
    assert world.look().opened == 1
    world.build("running")
    assert world.look(run_id="another") == Comparison(0, 1, 0)


def test_a_source_is_stale_when_it_is_more_nights_behind_than_it_may(
    world: World,
) -> None:
    world.publish(world.build())
    world.settings = replace(world.settings, stale_nights={"": 2, "qualtrics": 4})
    for source in ("hubspot", "qualtrics"):
        world.set_as_of(source, date(2026, 11, 17))
    # The exports of the 19th are due at six o'clock on the 20th, not before.
    assert world.look(MORNING).opened == 0
    assert world.look(MORNING + timedelta(days=1) - timedelta(hours=3)).opened == 0
    world.look(MORNING + timedelta(days=1))
    (message,) = world.mail.sent
    assert message.text == (
        "hubspot is whole up to 2026-11-17, 3 nights behind 2026-11-20: what depends"
        " on it stays there."
    )
    world.set_as_of("hubspot", date(2026, 11, 20))
    world.look(MORNING + timedelta(days=1))
    assert world.mail.titles[1:] == ["Over: Source stale, hubspot"]


def test_a_night_that_does_not_come_is_told_without_any_run(world: World) -> None:
    world.publish(world.build())
    assert world.look(MORNING + timedelta(hours=30)).opened == 0
    world.look(MORNING + timedelta(hours=31))
    (message,) = world.mail.sent
    assert message.text.startswith(
        "The last version of the marts was published 31 hours ago:"
    )
    world.publish(world.build(), MORNING + timedelta(hours=32))
    world.look(MORNING + timedelta(hours=33))
    assert world.mail.titles[1:] == ["Over: Night overdue, nightly"]


def test_a_rollback_is_no_night_that_came(world: World) -> None:
    world.publish(world.build())
    world.owner.execute(
        "insert into audit.publishes (run_id, build_id, published_at, kind)"
        " values ('rollback', 1, %s, 'rollback')",
        [MORNING + timedelta(hours=20)],
    )
    assert world.look(MORNING + timedelta(hours=31)).opened == 1


def test_a_warehouse_that_never_published_is_told_too(world: World) -> None:
    ((made_at,),) = world.rows("select min(applied_at) from audit.migrations")
    assert world.look(made_at + timedelta(hours=29)).opened == 0
    world.look(made_at + timedelta(hours=31))
    assert "since the warehouse was made" in world.mail.sent[0].text


def test_a_look_after_a_run_leaves_alone_what_only_a_clock_can_tell(
    world: World,
) -> None:
    world.publish(world.build())
    world.look(MORNING + timedelta(hours=31))
    assert world.look().closed == 0
    assert len(world.mail.sent) == 1


Trouble = Callable[[World], object]
TROUBLES: dict[str, Trouble] = {
    "export_missing": lambda world: world.miss("hubspot.orders"),
    "export_unreadable": lambda world: world.refuse("hubspot.orders"),
    "load_held": lambda world: world.add_load("hubspot.orders", "held"),
    "volume_unusual": lambda world: world.judge(
        world.add_load("hubspot.orders", "accepted"), VOLUME, is_met=False
    ),
    "source_stale": lambda world: world.set_as_of("hubspot", date(2026, 1, 1)),
    "build_failed": lambda world: world.build("failed"),
    "marts_stopped": lambda world: (world.build(gated=False), world.stop_at_gate_2()),
    "publish_blocked": lambda world: world.build(),
    "night_overdue": lambda world: world.publish(0, MORNING - timedelta(days=9)),
}


def test_a_warehouse_in_which_all_is_well_has_no_incident(world: World) -> None:
    world.add_load("hubspot.orders", "accepted")
    world.publish(world.build())
    world.set_as_of("hubspot", NIGHT)
    assert world.look(MORNING).opened == 0


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_kind_is_found_alone(world: World, kind: str) -> None:
    if kind not in ("night_overdue", "build_failed"):
        world.publish(0)
    TROUBLES[kind](world)
    world.look(MORNING)
    assert world.rows("select kind from audit.incidents") == [(kind,)]
