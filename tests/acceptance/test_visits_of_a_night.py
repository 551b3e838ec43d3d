"""Visits of a night, and entries of journeys, are those of a full build.

Customers with touches and tickets full of ties are changed at random, round by round:
late, corrected and withdrawn rows, rows of another customer or stage, other segments,
an as-of date that moves. Changes are marked as the models of touches and events mark
them; after each round a rebuilt table equals what its model selects as a whole, and
just the visits that differ are marked for publish and gate 2.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from include.building.dbt import Dbt
from include.settings import Settings, connect
from tests.changed_rows import mark_changes

VISITS = "fct_journey_stage_visits"
MODELS = (VISITS, "int_journey_stage_entries")
START = datetime(2026, 1, 1, 15, tzinfo=UTC)
# Each lane with a stage that can be skipped; the last is mapped to none.
BUYING = ("discovery", "recognition", "consideration", "purchase")
OWNING = ("delivery", "use", "loyalty")
STAGES = (*BUYING, *OWNING, "support", None)
CUSTOMERS = 60


@dataclass(frozen=True)
class Touch:
    customer: int
    stage: str | None
    day: int
    advances: bool = True
    events: tuple[tuple[str, int], ...] = ()


@dataclass
class World:
    """Touches by event id, those of a ticket with its events; segments by version."""

    seed: int
    touches: dict[str, Touch] = field(default_factory=dict)
    segments: dict[int, str] = field(default_factory=dict)
    as_of_day: int = 100

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        for customer in range(CUSTOMERS):
            self.segments |= {customer: "consumer", _later(customer): "consumer"}
            for _ in range(self.random.randint(0, 30)):
                self.add(customer)

    def add(self, customer: int) -> None:
        day = 5 * self.random.randint(0, 30)
        number = len(self.touches) + 1000 * self.random.randint(1, 999)
        if self.random.random() < 0.5:
            events = tuple(self._invent_event(day) for _ in range(2))
            touch = Touch(customer, "support", day, events=events)
            self.touches[f"ticket:{number}"] = touch
        else:
            advances = self.random.random() < 0.8
            stage = self.random.choice(STAGES)
            touch = Touch(customer, stage, day, advances or stage == "support")
            self.touches[f"activity:{number}"] = touch

    def _invent_event(self, day: int) -> tuple[str, int]:
        kind = self.random.choice(["solved", "solved", "reopened", "merged"])
        return kind, day + self.random.choice([-40, 0, 0, 3, 30, 60])

    def change(self) -> None:
        """Something happens to a third of the customers, and perhaps to all."""
        for customer in self.random.sample(range(CUSTOMERS), CUSTOMERS // 3):
            own = [name for name, it in self.touches.items() if it.customer == customer]
            deed = self.random.choice(["add", "withdraw", "move", "hand over", "event"])
            if deed == "add" or not own:
                self.add(customer)
                continue
            name = self.random.choice(own)
            touch = self.touches[name]
            if deed == "withdraw":
                del self.touches[name]
            elif deed == "move":
                day = touch.day + self.random.choice([-60, -1, 1, 60])
                self.touches[name] = replace(touch, day=day)
            elif deed == "hand over":
                other = self.random.randrange(CUSTOMERS)
                self.touches[name] = replace(touch, customer=other)
            elif touch.events:
                events = (*touch.events, self._invent_event(touch.day))
                self.touches[name] = replace(touch, events=events)
            else:
                stage = self.random.choice(STAGES)
                self.touches[name] = replace(touch, stage=stage)
        for version in self.random.sample(list(self.segments), CUSTOMERS // 6):
            self.segments[version] = self.random.choice(["consumer", "business"])
        # Seldom: a rule gives a ticket's touch to another stage.
        name = self.random.choice(list(self.touches))
        self.touches[name] = replace(self.touches[name], stage="use")


def _later(customer: int) -> int:
    """The version of a customer in which their tickets go on."""
    return customer + CUSTOMERS


def key(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


def list_touches(world: World) -> Iterator[dict[str, object]]:
    for event_id, touch in world.touches.items():
        at = START + timedelta(days=touch.day)
        yield {
            "event_id": event_id,
            "customer_key": key(touch.customer),
            "customer_version_key": key(touch.customer),
            "source_system": event_id.split(":")[0],
            "source_object": event_id.split(":")[1],
            "touchpoint": "some_touchpoint",
            "journey_stage": touch.stage,
            "channel": "web",
            "segment": world.segments[touch.customer],
            "case_id": event_id if touch.events else None,
            "advances_stage": touch.advances,
            "is_outreach": False,
            "is_purchase": touch.stage == "purchase" and touch.advances,
            "occurred_date": at.date(),
            "occurred_at": at,
        }


def list_ticket_events(world: World) -> Iterator[dict[str, object]]:
    for event_id, touch in world.touches.items():
        for position, (kind, day) in enumerate(touch.events, start=1):
            at = START + timedelta(days=day)
            yield {
                "ticket_event_key": f"{event_id}|{position}",
                "ticket_id": event_id.split(":")[1],
                "customer_key": key(touch.customer),
                "customer_version_key": key(_later(touch.customer)),
                "event_type": kind,
                "previous_value": "open" if kind == "merged" else None,
                "ticket_status": "open",
                "author_role": "agent",
                "position": position,
                "is_inferred": False,
                "occurred_date": at.date(),
                "occurred_at": at,
            }


def list_customers(world: World) -> Iterator[dict[str, object]]:
    for version, segment in world.segments.items():
        yield {
            "customer_version_key": key(version),
            "customer_key": key(version % CUSTOMERS),
            "lifecycle": "customer",
            "segment": segment,
            "is_in_crm": True,
            "is_deleted_in_crm": False,
            "is_current": True,
            "valid_from": START.date(),
            "valid_to": datetime.max.date(),
        }


class Warehouse:
    """A built warehouse whose touches, events and customers are those of a world."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dbt = Dbt(settings)
        self._nodes = {node.name: node for node in self._dbt.parse().nodes.values()}
        compiled = self._dbt._invoke(["compile", "--full-refresh", "--select", *MODELS])
        self._whole = {
            result.node.name: result.node.compiled_code
            for result in compiled.result.results
            if result.node.name in MODELS
        }

    def receive(self, world: World) -> None:
        """Replace the rows that differ, and mark them as their models do."""
        with connect(self._settings) as connection:
            self._replace(connection, "fct_touchpoints", list_touches(world))
            self._replace(connection, "fct_ticket_events", list_ticket_events(world))
            self._replace(connection, "dim_customers", list_customers(world))
            connection.execute("delete from audit.as_of where source = 'crm'")
            connection.execute(
                "insert into audit.as_of (source, role, as_of_date, low_date,"
                " high_date) select 'crm', 'crm', day, day - 10, day"
                " from cast(%s as date) as days (day)",
                [START + timedelta(days=world.as_of_day)],
            )

    def _replace(
        self,
        connection: psycopg.Connection,
        model: str,
        rows: Iterator[dict[str, object]],
    ) -> None:
        table = f"warehouse.{model}"
        connection.execute(f"create temp table wanted (like {table}) on commit drop")
        for row in rows:
            names, values = ", ".join(row), ", ".join(["%s"] * len(row))
            connection.execute(
                f"insert into wanted ({names}) values ({values})", list(row.values())
            )
        mark_changes(connection, self._nodes[model], table)
        connection.execute(f"delete from {table}")
        connection.execute(f"insert into {table} select * from wanted")
        connection.execute("drop table wanted")

    def rebuild(self) -> None:
        result = self._dbt._invoke(["run", "--select", *MODELS])
        assert result.success, [outcome.message for outcome in result.result.results]

    def forget_changes(self) -> None:
        """What a build does when it has succeeded."""
        with connect(self._settings) as connection:
            connection.execute("delete from audit.dirty_keys")

    def find_differences(self) -> list[tuple]:
        found = []
        with connect(self._settings) as connection:
            for model, whole in self._whole.items():
                # By name: a table has its columns in the contract's order.
                columns = ", ".join(self._nodes[model].columns)
                built = f"select {columns} from warehouse.{model}"
                whole = f"select {columns} from ({whole}) as whole"
                found += connection.execute(
                    f"(({built}) except all ({whole}))"
                    f" union all (({whole}) except all ({built}))"
                ).fetchall()
        return found

    def read_visits(self) -> set[tuple[str, str]]:
        """Each visit as text, after its key."""
        with connect(self._settings) as connection:
            return set(
                connection.execute(
                    f"select visit_key, visits::text from warehouse.{VISITS} as visits"
                ).fetchall()
            )

    def take_unpublished(self) -> set[str | None]:
        """What publish would compare; it is published then."""
        with connect(self._settings) as connection:
            taken = connection.execute(
                "delete from audit.unpublished_keys where model = %s returning key",
                [VISITS],
            ).fetchall()
        return {key for (key,) in taken}

    def count_visits(self, condition: str) -> int:
        with connect(self._settings) as connection:
            ((visits,),) = connection.execute(
                f"select count(*) from warehouse.{VISITS} as visits where {condition}"
            ).fetchall()
        return int(visits)

    def count_visits_kept(self) -> int:
        """Those before the rebuilt ones of the same customer and lane."""
        rebuilt = f"select key from audit.dirty_keys where place = '{VISITS}'"
        return self.count_visits(
            f"visit_key not in ({rebuilt}) and exists ("
            f" select from warehouse.{VISITS} as later"
            f" where later.visit_key in ({rebuilt})"
            " and later.customer_key = visits.customer_key and later.lane = visits.lane"
            " and later.entered_at > visits.entered_at)"
        )


@pytest.fixture
def visits(warehouse: Settings) -> Warehouse:
    return Warehouse(warehouse)


def test_a_night_of_changes_leaves_the_visits_of_a_full_build(
    visits: Warehouse,
) -> None:
    world = World(seed=5)
    visits.receive(world)
    visits.rebuild()
    visits.forget_changes()
    assert visits.count_visits("visit_number > 1") > CUSTOMERS
    assert visits.count_visits("skipped_stages is not null") > CUSTOMERS / 4
    assert visits.find_differences() == []
    visits.take_unpublished()
    for number in range(6):
        world.change()
        world.as_of_day += 10
        visits.receive(world)
        published = visits.read_visits()
        visits.rebuild()
        assert visits.find_differences() == [], f"in round {number}"
        differing = {key for key, _ in published ^ visits.read_visits()}
        assert visits.take_unpublished() == differing, f"in round {number}"
        assert visits.count_visits_kept() > 0, f"in round {number}"
        # After every other round the build fails later on: its changes are kept.
        if number % 2:
            visits.forget_changes()
