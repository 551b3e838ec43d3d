"""What followed a touch is after a night what a full build would find.

Touches and answers of a few customers change at random, round by round: late,
corrected, withdrawn, handed over to another customer, of another approach, up to and
just beyond the weeks in which an outcome counts. After each round the rebuilt table
equals what the model selects as a whole, and older touches were left alone.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from include.settings import Settings
from tests.changed_rows import ModelUnderTest, Row

START = datetime(2026, 1, 1, 15, tzinfo=UTC)
CUSTOMERS = 10
ROUNDS = 6
DAYS = 200


def key(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


@dataclass(frozen=True)
class Happening:
    """A touch of an approach, or an answer, which has none."""

    customer: int
    day: int
    hour: int
    approach: str | None
    score: int = 9
    is_purchase: bool = False
    channel: str = "e-mail"


@dataclass
class World:
    seed: int
    happenings: dict[int, Happening] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        for _ in range(40 * CUSTOMERS):
            self.add(self.random.randrange(DAYS))

    def add(self, day: int) -> None:
        approach = self.random.choice(
            ["outbound_personal", "outbound_mass", "inbound_web", "inbound_phone", None]
        )
        self.happenings[self.random.randint(1, 10**9)] = Happening(
            customer=self.random.randrange(CUSTOMERS),
            day=day,
            # Few hours, so that there are ties.
            hour=self.random.choice([0, 0, 6, 11]),
            approach=approach,
            score=self.random.randint(0, 10),
            is_purchase=approach == "inbound_web" and self.random.random() < 0.5,
            channel=self.random.choice(["e-mail", "phone", "store"]),
        )

    def change(self) -> None:
        """A day more for some, and something of the past for a few others."""
        for _ in range(3):
            self.add(DAYS)
        for deed in self.random.choices(
            ["add", "withdraw", "move", "hand over", "approach", "score"], k=4
        ):
            number = self.random.choice(list(self.happenings))
            it = self.happenings[number]
            if deed == "add":
                self.add(self.random.randrange(DAYS))
            elif deed == "withdraw":
                del self.happenings[number]
            elif deed == "move":
                day = it.day + self.random.choice([-31, -30, -7, 7, 30, 31])
                self.happenings[number] = replace(it, day=day)
            elif deed == "hand over":
                customer = self.random.randrange(CUSTOMERS)
                self.happenings[number] = replace(it, customer=customer)
            elif deed == "approach" and it.approach is not None:
                self.happenings[number] = replace(it, approach="outbound_personal")
            else:
                self.happenings[number] = replace(it, score=0)

    def list_tables(self) -> dict[str, list[Row]]:
        touches: list[Row] = []
        answers: list[Row] = []
        for number, it in self.happenings.items():
            at = START + timedelta(days=it.day, hours=it.hour)
            if it.approach is not None:
                touches.append(
                    {
                        "event_id": f"activity:{number}",
                        "customer_key": key(it.customer),
                        "journey_stage": "use",
                        "channel": it.channel,
                        "approach": it.approach,
                        "segment": "consumer",
                        "country": "BR",
                        "is_outreach": it.approach.startswith("outbound"),
                        "is_purchase": it.is_purchase,
                        # At 15:00 UTC and eleven hours on it is one day in São Paulo.
                        "occurred_date": (at - timedelta(hours=3)).date(),
                        "occurred_at": at,
                    }
                )
            else:
                answers.append(
                    {
                        "answer_id": f"R_{number}:Q",
                        "response_id": f"R_{number}",
                        "customer_key": key(it.customer),
                        "metric": "nps",
                        "score": it.score,
                        "is_counted": it.score != 1,
                        "exclusion_reason": "repeated_answer"
                        if it.score == 1
                        else None,
                        "is_confidential": it.score == 2,
                        "answered_date": (at - timedelta(hours=3)).date(),
                        "answered_at": at,
                    }
                )
        return {"fct_touchpoints": touches, "fct_survey_responses": answers}


def test_a_night_of_changes_leaves_the_outcomes_of_a_full_build(
    warehouse: Settings,
) -> None:
    model = ModelUnderTest(warehouse, "int_outbound_touches")
    world = World(seed=3)
    model.receive(world.list_tables())
    model.say_as_of((START + timedelta(days=DAYS)).date())
    model.rebuild()
    model.forget_changes()
    ((touches, bought, answered),) = model.fetch(
        "select count(*), count(*) filter (where is_followed_by_purchase),"
        " count(next_nps) from warehouse.int_outbound_touches"
    )
    assert touches > 100
    assert 0 < bought < touches
    assert answered > 50
    assert model.find_differences() == []
    for number in range(ROUNDS):
        world.change()
        model.receive(world.list_tables())
        model.say_as_of((START + timedelta(days=DAYS + number)).date())
        model.rebuild()
        assert model.find_differences() == [], f"in round {number}"
        # Touches of customers who changed, from before the first change, were kept.
        ((kept,),) = model.fetch(
            "select count(*) from warehouse.int_outbound_touches as touches"
            " where event_id not in (select key from audit.dirty_keys"
            "  where place = 'int_outbound_touches')"
            " and exists (select from audit.dirty_keys"
            "  where place = 'int_outbound_touches'"
            "  and starts_with(key, 'from:' || touches.customer_key))"
        )
        assert kept > 0, f"in round {number}"
        # After every other round the build fails later on: its changes are kept.
        if number % 2:
            model.forget_changes()
