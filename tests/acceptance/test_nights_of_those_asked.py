"""What a night rebuilds of who was asked is what a full build would make of it.

People change at random, round by round, with ties wherever there can be some: late,
corrected and withdrawn rows, others that belong to another customer, customers of
another version. After each round the rebuilt table equals what the model selects as a
whole, and a night in which little happened has rebuilt little.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from include.settings import Settings
from tests.changed_rows import ModelUnderTest, Row

START = datetime(2026, 1, 1, 15, tzinfo=UTC)
CUSTOMERS = 12
ROUNDS = 6
# Two transactional ones, a relational one, a confidential one.
SURVEYS = [
    "SV_CSAT_SUPPORT",
    "SV_CSAT_DELIVERY",
    "SV_NPS_RELATIONAL",
    "SV_CSAT_COMPLAINT",
]


def key(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


@dataclass(frozen=True)
class Invitation:
    person: int
    survey: str
    day: int
    status: str
    is_finished: bool = False


@dataclass
class Invited:
    """Invitations by number; whose identity a person is; segments of customers."""

    seed: int
    invitations: dict[int, Invitation] = field(default_factory=dict)
    customers: dict[int, int] = field(default_factory=dict)
    segments: dict[int, str] = field(default_factory=dict)
    answered: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        for person in range(2 * CUSTOMERS):
            self.customers[person] = person % CUSTOMERS
        self.segments = dict.fromkeys(range(CUSTOMERS), "consumer")
        for _ in range(20 * CUSTOMERS):
            self.add()

    def add(self) -> None:
        choose = self.random.choice
        self.invitations[self.random.randint(1, 10**9)] = Invitation(
            person=self.random.randrange(2 * CUSTOMERS),
            survey=choose(SURVEYS),
            # Few days, so that there are ties.
            day=10 * self.random.randint(0, 20),
            status=choose(["delivered", "delivered", "sent", "bounced", "opened"]),
        )

    def change(self) -> None:
        """A few things happen, of all kinds."""
        for deed in self.random.choices(
            ["add", "withdraw", "move", "status", "hand over", "merge", "segment"], k=5
        ):
            number = self.random.choice(list(self.invitations))
            invitation = self.invitations[number]
            person = self.random.randrange(2 * CUSTOMERS)
            if deed == "add":
                self.add()
            elif deed == "withdraw":
                del self.invitations[number]
            elif deed == "move":
                day = invitation.day + self.random.choice([-60, -10, 10, 60])
                self.invitations[number] = replace(invitation, day=day)
            elif deed == "status":
                status = "bounced" if invitation.status != "bounced" else "delivered"
                self.invitations[number] = replace(invitation, status=status)
            elif deed == "hand over":
                self.invitations[number] = replace(invitation, person=person)
            elif deed == "merge":
                self.customers[person] = self.random.randrange(CUSTOMERS)
            else:
                customer = self.random.randrange(CUSTOMERS)
                self.segments[customer] = self.random.choice(["consumer", "business"])
        number = self.random.choice(list(self.invitations))
        self.answered[number] = self.invitations[number].day + self.random.randint(
            1, 40
        )

    def list_tables(self) -> dict[str, list[Row]]:
        return {
            "int_survey_invitations": [
                {
                    "natural_key": f"m|{number}",
                    "invitation_id": f"m:{number}",
                    "survey_id": it.survey,
                    "identity_id": f"person:{it.person}",
                    "invitation_status": it.status,
                    "sent_at": START + timedelta(days=it.day),
                }
                for number, it in self.invitations.items()
            ],
            "int_identities": [
                {
                    "identity_id": f"person:{person}",
                    "identity_method": "reference",
                    "customer_key": key(customer),
                }
                for person, customer in self.customers.items()
            ],
            "dim_customers": [
                {
                    "customer_version_key": key(customer),
                    "customer_key": key(customer),
                    "segment": segment,
                    "valid_from": date(1900, 1, 1),
                    "valid_to": date.max,
                }
                for customer, segment in self.segments.items()
            ],
            "int_survey_answers": [
                {
                    "answer_id": f"R_{number}:Q",
                    "response_id": f"R_{number}",
                    "invitation_id": f"m:{number}",
                    "recorded_at": START + timedelta(days=day),
                }
                for number, day in self.answered.items()
            ],
        }


@dataclass
class Eligible:
    """Facts (kind, customer, day) by number; versions and contacts by customer."""

    seed: int
    facts: dict[int, tuple[str, int, int | None]] = field(default_factory=dict)
    versions: dict[tuple[int, int], tuple[str, str, bool]] = field(default_factory=dict)
    since: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        for customer in range(CUSTOMERS):
            self.since[customer] = self.random.randint(0, 100)
            for half in (0, 1):
                self.versions[customer, half] = self.invent_version()
        for _ in range(10 * CUSTOMERS):
            self.add()

    def invent_version(self) -> tuple[str, str, bool]:
        choose = self.random.choice
        lifecycle = choose(["customer", "customer", "prospect"])
        return choose(["consumer", "business"]), lifecycle, choose([True, True, False])

    def add(self) -> None:
        kind = self.random.choice(["purchases", "deliveries", "tickets"])
        day = self.random.randint(0, 30) if self.random.random() < 0.9 else None
        number = self.random.randint(1, 10**9)
        self.facts[number] = (kind, self.random.randrange(CUSTOMERS), day)

    def change(self) -> None:
        for deed in self.random.choices(
            ["add", "withdraw", "move", "hand over", "version", "since"], k=6
        ):
            number = self.random.choice(list(self.facts))
            kind, customer, day = self.facts[number]
            someone = self.random.randrange(CUSTOMERS)
            if deed == "add":
                self.add()
            elif deed == "withdraw":
                del self.facts[number]
            elif deed == "move":
                self.facts[number] = (kind, customer, self.random.randint(0, 30))
            elif deed == "hand over":
                self.facts[number] = (kind, someone, day)
            elif deed == "version":
                half = self.random.choice([0, 1])
                self.versions[someone, half] = self.invent_version()
            else:
                self.since[someone] = self.random.randint(0, 100)

    def list_tables(self) -> dict[str, list[Row]]:
        def date_of(day: int | None) -> date | None:
            return None if day is None else START.date() + timedelta(days=day)

        def list_facts(kind: str, number: str, day_column: str) -> list[Row]:
            return [
                {number: str(name), "customer_key": key(customer)}
                | {day_column: date_of(day)}
                for name, (its_kind, customer, day) in self.facts.items()
                if its_kind == kind and (day is not None or kind == "deliveries")
            ]

        bounds = [date(1900, 1, 1), START.date() + timedelta(days=15), date.max]
        return {
            "int_identities": [
                {
                    "identity_id": f"contact:{customer}",
                    "contact_id": str(customer),
                    "customer_key": key(customer),
                }
                for customer in self.since
            ],
            "int_contacts": [
                {
                    "contact_id": str(customer),
                    "became_customer_at": START + timedelta(days=day),
                }
                for customer, day in self.since.items()
            ],
            "dim_customers": [
                {
                    "customer_version_key": key(100 * half + customer),
                    "customer_key": key(customer),
                    "segment": segment,
                    "lifecycle": lifecycle,
                    "may_be_surveyed": may_be_surveyed,
                    "valid_from": bounds[half],
                    "valid_to": bounds[half + 1],
                }
                for (customer, half), (
                    segment,
                    lifecycle,
                    may_be_surveyed,
                ) in self.versions.items()
            ],
            "fct_purchases": list_facts("purchases", "order_id", "ordered_date"),
            "fct_deliveries": list_facts("deliveries", "delivery_id", "delivered_date"),
            "fct_tickets": [
                row | {"is_deleted": False}
                for row in list_facts("tickets", "ticket_id", "created_date")
            ],
        }


def test_frames_of_a_night_are_those_of_a_full_build(warehouse: Settings) -> None:
    model = ModelUnderTest(warehouse, "int_survey_frames")
    world = Eligible(seed=7)
    model.receive(world.list_tables())
    model.rebuild()
    model.forget_changes()
    frames = "select count(*), min(change) from warehouse.int_survey_frames"
    assert model.fetch(frames) > [(3 * CUSTOMERS, -1)]
    assert model.find_differences() == []
    for number in range(ROUNDS):
        world.change()
        model.receive(world.list_tables())
        rebuilt = model.rebuild()
        assert model.find_differences() == [], f"in round {number}"
        assert rebuilt < len(world.facts) / 2
        if number % 2:
            model.forget_changes()


def test_a_cohort_matures_and_is_counted_anew_only_when_it_changes(
    warehouse: Settings,
) -> None:
    model = ModelUnderTest(warehouse, "mart_response_funnel")

    def receive(delivered: dict[int, bool], as_of_day: int) -> None:
        flags = ("is_opened", "is_started", "is_finished_in_time", "is_finished_late")
        invitations: list[Row] = [
            {
                "invitation_id": f"m:{number}",
                "survey_kind": "transactional",
                "survey_id": SURVEYS[0],
                "is_confidential": False,
                "is_delivered": is_delivered,
                "sent_date": START.date() + timedelta(days=number % 5),
                "matures_on": START.date() + timedelta(days=number % 5 + 28),
            }
            | dict.fromkeys((*flags, "delivery_is_assumed", "is_fatigue_breach"), False)
            for number, is_delivered in delivered.items()
        ]
        model.receive({"fct_survey_invitations": invitations})
        model.say_as_of(START.date() + timedelta(days=as_of_day))

    delivered = dict.fromkeys(range(20), True)
    receive(delivered, 29)
    model.rebuild()
    model.forget_changes()
    mature = "select count(*) from warehouse.mart_response_funnel where is_mature"
    assert model.fetch(mature) == [(2,)]
    # A cohort that has matured changes, one that has not loses its last invitation.
    delivered = {number: number != 3 for number in range(20) if number % 5 != 4}
    delivered[0] = False
    receive(delivered, 30)
    assert model.rebuild() == 4
    assert model.find_differences() == []
    assert model.fetch(mature) == [(3,)]


def test_invitations_of_a_night_are_those_of_a_full_build(warehouse: Settings) -> None:
    model = ModelUnderTest(warehouse, "fct_survey_invitations")
    world = Invited(seed=7)
    model.receive(world.list_tables())
    model.rebuild()
    model.forget_changes()
    breaches = "select count(*) from warehouse.fct_survey_invitations where {}"
    assert model.fetch(breaches.format("is_fatigue_breach")) > [(30,)]
    assert model.find_differences() == []
    for number in range(ROUNDS):
        world.change()
        model.receive(world.list_tables())
        rebuilt = model.rebuild()
        assert model.find_differences() == [], f"in round {number}"
        assert rebuilt < len(world.invitations) / 2
        # After every other round the build fails later on: its changes are kept.
        if number % 2:
            model.forget_changes()
