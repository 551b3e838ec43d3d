"""Days are counted anew when what is counted on them changes, and only then.

A night re-identifies people, and corrects this and that, all over the year. What no
count of a day reads leaves the day alone; what one does, however small, does not.
"""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from include.settings import Settings
from tests.changed_rows import ModelUnderTest, Row

START = datetime(2026, 1, 1, 15, tzinfo=UTC)
CUSTOMERS = 12
ROUNDS = 6


def key(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


def day(number: int) -> date:
    return START.date() + timedelta(days=number)


# Every column that a mart of days reads, and another value of it.
INVITATION: Row = {
    "survey_id": "SV_CSAT_SUPPORT",
    "survey_kind": "transactional",
    "invitation_channel": "email",
    "is_confidential": False,
    "is_delivered": True,
    "delivery_is_assumed": False,
    "is_opened": False,
    "is_started": False,
    "is_finished_in_time": False,
    "is_finished_late": False,
    "is_fatigue_breach": False,
}
OTHER_INVITATION: Row = {
    "survey_id": "SV_CSAT_DELIVERY",
    "survey_kind": "relational",
    "invitation_channel": "sms",
} | {
    column: not value for column, value in INVITATION.items() if value in (True, False)
}
# What was started was opened, what was finished was both.
COMES_AFTER = {
    "is_started": ("is_opened",),
    "is_finished_in_time": ("is_opened", "is_started"),
    "is_finished_late": ("is_opened", "is_started"),
}
ANSWER: Row = {
    "response_id": "r:both",
    "invitation_id": "m:known",
    "survey_id": "SV_CSAT_SUPPORT",
    "survey_kind": "transactional",
    "collection_channel": "email",
    "journey_stage": "support",
    "experience_channel": "chat",
    "segment": "consumer",
    "country": "BR",
    "score": 5,
    "is_top_box": True,
    "is_confidential": False,
}
OTHER_ANSWER: Row = {
    "response_id": "r:alone",
    "invitation_id": "m:unknown",
    "survey_id": "SV_CSAT_DELIVERY",
    "survey_kind": "relational",
    "collection_channel": "sms",
    "journey_stage": "delivery",
    "experience_channel": "store",
    "segment": "business",
    "country": "PT",
    "score": 3,
    "is_top_box": False,
    "is_confidential": True,
}


def list_invitations(customer: int, *, is_changed: bool) -> list[Row]:
    """Two invitations a day; of the second, each day another column changes."""
    rows: list[Row] = []
    for number, column in enumerate(INVITATION):
        of_day = {
            "customer_key": key(customer),
            "sent_date": day(number),
            "matures_on": day(number + 28),
        } | dict.fromkeys(COMES_AFTER.get(column, ()), True)
        changed = {column: OTHER_INVITATION[column]} if is_changed else {}
        rows += [
            INVITATION | of_day | {"invitation_id": f"m:{number}:1"},
            INVITATION | of_day | {"invitation_id": f"m:{number}:2"} | changed,
        ]
    return rows


def list_answers(metric: str, customer: int, *, is_changed: bool) -> list[Row]:
    """As list_invitations; on one more day an answer is counted no longer, and on the
    last the second is of another metric."""
    rows: list[Row] = []
    excluded: Row = {"is_counted": False, "exclusion_reason": "repeated_answer"}
    changes: list[Row] = [{column: OTHER_ANSWER[column]} for column in ANSWER]
    changes += [excluded, {"metric": "ces" if metric != "ces" else "nps"}]
    for number, change in enumerate(changes):
        of_day: Row = {
            "customer_key": key(customer),
            "answered_date": day(number),
            "metric": metric,
            "is_counted": True,
        }
        rows += [
            ANSWER | of_day | {"answer_id": f"r:{number}:1"},
            ANSWER
            | of_day
            | {"answer_id": f"r:{number}:2"}
            | (change if is_changed else {}),
        ]
    return rows


def test_a_cohort_is_counted_anew_when_anything_of_it_changes(
    warehouse: Settings,
) -> None:
    model = ModelUnderTest(warehouse, "mart_response_funnel")
    model.say_as_of(day(60))
    model.receive({"fct_survey_invitations": list_invitations(1, is_changed=False)})
    model.rebuild()
    model.forget_changes()
    # Re-identified: the same was sent, to another customer.
    model.receive({"fct_survey_invitations": list_invitations(2, is_changed=False)})
    assert model.rebuild() == 0
    model.receive({"fct_survey_invitations": list_invitations(2, is_changed=True)})
    assert model.rebuild() == len(INVITATION)
    assert model.find_differences() == []


@pytest.mark.parametrize("metric", ["nps", "csat", "ces"])
def test_a_day_of_scores_is_counted_anew_when_anything_of_it_changes(
    warehouse: Settings, metric: str
) -> None:
    model = ModelUnderTest(warehouse, f"mart_{metric}_daily")

    def receive(customer: int, *, is_changed: bool) -> int:
        answers = list_answers(metric, customer, is_changed=is_changed)
        model.receive({"fct_survey_responses": answers})
        return model.rebuild()

    receive(1, is_changed=False)
    model.forget_changes()
    assert receive(2, is_changed=False) == 0
    # By which response, invitation and collection channel it came is not told there.
    assert receive(2, is_changed=True) == len(ANSWER) + 2 - 3
    assert model.find_differences() == []


def test_uninvited_answers_are_counted_anew_when_anything_of_them_changes(
    warehouse: Settings,
) -> None:
    model = ModelUnderTest(warehouse, "mart_uninvited_responses")

    def receive(customer: int, *, is_changed: bool, known: Row) -> int:
        answers = list_answers("nps", customer, is_changed=is_changed)
        invited = {"invitation_id": "m:known", "customer_key": key(customer)}
        model.receive(
            {
                "fct_survey_responses": answers,
                "fct_survey_invitations": [invited | known],
                "int_survey_answers": [
                    {
                        "answer_id": row["answer_id"],
                        "invitation_id": row["invitation_id"],
                        "recorded_at": START + (row["answered_date"] - START.date()),
                    }
                    for row in answers
                ],
            }
        )
        return model.rebuild()

    known: Row = {"is_confidential": False, "is_opened": False}
    receive(1, is_changed=False, known=known)
    model.forget_changes()
    assert receive(2, is_changed=False, known=known | {"is_opened": True}) == 0
    # Its stage, experience channel, segment, country, score, top box and metric are
    # not told there.
    assert receive(2, is_changed=True, known=known) == len(ANSWER) + 2 - 7
    assert model.find_differences() == []
    model.forget_changes()
    # Who was asked in confidence was not asked, as far as anybody can tell.
    assert receive(2, is_changed=True, known={"is_confidential": True}) > 10
    assert model.find_differences() == []


class Listened:
    """Touches, invitations that they triggered, and answers; all change at random."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.touches: dict[int, Row] = {}
        self.invitations: dict[int, Row] = {}
        self.answers: dict[int, Row] = {}
        for number in range(60):
            self.put(number)

    def put(self, number: int) -> None:
        """Make the touch, invitation and answer of this number anew."""
        person = key(self.random.randrange(CUSTOMERS))
        day = START.date() + timedelta(days=self.random.randrange(12))
        self.touches[number] = {
            "event_id": f"t:{number}",
            "customer_key": person,
            "touchpoint": self.random.choice(("checkout", "store", "parcel")),
            "journey_stage": "purchase",
            "occurred_date": day,
        }
        self.invitations[number] = {
            "invitation_id": f"m:{number}",
            "customer_key": person,
            "trigger_event_id": f"t:{number % 20}",
            "is_delivered": self.random.random() < 0.8,
            "is_confidential": self.random.random() < 0.2,
            "sent_date": day,
        }
        is_counted = self.random.random() < 0.8
        self.answers[number] = {
            "response_id": f"r:{number // 2}",
            "answer_id": f"r:{number // 2}:{number % 2}",
            "customer_key": person,
            "touchpoint": self.random.choice(("checkout", "store", "parcel")),
            "journey_stage": "purchase",
            "metric": "nps",
            "is_counted": is_counted,
            "exclusion_reason": None if is_counted else "repeated_answer",
            "is_confidential": self.random.random() < 0.2,
            "answered_date": day,
        }

    def give_to_others(self) -> None:
        """Re-identify everybody: the same happened, to other people."""
        for rows in (self.touches, self.invitations, self.answers):
            for number, row in rows.items():
                rows[number] = row | {"customer_key": key(CUSTOMERS + number % 5)}

    def change(self) -> None:
        for _ in range(3):
            self.put(self.random.randrange(60))
        # The same touches and answers on the same days, at another touchpoint.
        for rows in (self.touches, self.answers):
            for number in self.random.sample(list(rows), 4):
                touchpoint = self.random.choice(("checkout", "store", "parcel"))
                rows[number] = rows[number] | {"touchpoint": touchpoint}
        rows = self.random.choice((self.touches, self.invitations, self.answers))
        rows.pop(self.random.choice(list(rows)))

    def list_tables(self) -> dict[str, list[Row]]:
        return {
            "fct_touchpoints": list(self.touches.values()),
            "int_touchpoint_events": [
                {"event_id": row["event_id"], "touchpoint": row["touchpoint"]}
                for row in self.touches.values()
            ],
            "fct_survey_invitations": list(self.invitations.values()),
            "fct_survey_responses": list(self.answers.values()),
        }


def test_a_day_is_listened_to_anew_only_when_what_happened_changes(
    warehouse: Settings,
) -> None:
    model = ModelUnderTest(warehouse, "int_listening_days")
    world = Listened(seed=11)
    model.receive(world.list_tables())
    model.rebuild()
    model.forget_changes()
    assert model.fetch("select sum(touches) from warehouse.int_listening_days") == [
        (60,)
    ]
    assert model.find_differences() == []
    world.give_to_others()
    model.receive(world.list_tables())
    assert model.rebuild() == 0
    for number in range(ROUNDS):
        world.change()
        model.receive(world.list_tables())
        model.rebuild()
        assert model.find_differences() == [], f"in round {number}"
        if number % 2:
            model.forget_changes()
