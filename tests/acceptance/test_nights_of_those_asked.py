"""What a night rebuilds of who was asked is what a full build would make of it.

People change at random, round by round, with ties wherever there can be some: late,
corrected and withdrawn rows, others that belong to another customer, customers of
another version. After each round the rebuilt table equals what the model selects as a
whole, and a night in which little happened has rebuilt little.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

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
        self.answered[number] = self.invitations[number].day + self.random.randint(1, 40)

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
                    "valid_from": datetime(1900, 1, 1).date(),
                    "valid_to": datetime.max.date(),
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
