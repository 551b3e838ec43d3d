"""Who is who: the one customer behind the numbers and addresses of every system.

In: a plan. Out: customer numbers. A contact that is left is numbered as in the world;
whoever matches no contact has a number of their own, from UNMATCHED on.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.sample_exports.company.surveys import BY_EMAIL, BY_NUMBER
from include.sample_exports.plan.activities import number_visitors
from include.sample_exports.plan.local_days import NEVER, BoolArray, IntArray
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.world import CONTACT_NUMBERS, STRANGER_NUMBERS

UNMATCHED = 10**16
# What an unmatched person is known by; numbers of one kind lie below UNMATCHED.
BY_CONTACT, BY_VISITOR, BY_USER, BY_ANSWER, BY_ADDRESS, BY_REVIEW = (
    UNMATCHED * kind for kind in range(1, 7)
)
LONGEST_ADDRESS = 10**7  # more than there are address codes


@dataclass(frozen=True)
class People:
    """How numbers and addresses lead to contacts.

    survivor : (contacts,), the contact that is left
    is_known : (contacts,), its number stands in a snapshot, as a record or as merged
    owner : (addresses,), first contact whose latest version shows it, or -1
    """

    survivor: IntArray
    is_known: BoolArray
    owner: IntArray

    def follow_contacts(self, contact: IntArray) -> IntArray:
        """Customers of contacts that are named by their own number."""
        number = np.maximum(contact, 0)
        customer: IntArray = np.where(
            self.is_known[number], self.survivor[number], BY_CONTACT + contact
        )
        return customer

    def follow_numbers(self, contact_id: pd.Series) -> IntArray:
        """Customers of CRM numbers; a number that no snapshot shows is a stranger."""
        number = contact_id.to_numpy()
        first, step = CONTACT_NUMBERS
        is_stranger = number >= STRANGER_NUMBERS
        contact = np.where(is_stranger, 0, (number - first) // step)
        return np.where(is_stranger, BY_CONTACT + number, self.follow_contacts(contact))

    def follow_address(self, email: IntArray) -> IntArray:
        """Customers of address codes, -1 where nobody has it."""
        owner = np.where(email < 0, -1, self.owner[np.maximum(email, 0)])
        return np.where(owner < 0, -1, self.survivor[owner])


def meet_people(plan: Plan) -> People:
    contacts = plan.world.contacts
    is_merged = contacts["merged_night"].to_numpy() != NEVER
    count = len(contacts)
    email = contacts["email"].to_numpy().copy()
    changes = plan.world.changes.loc[plan.world.changes["field"] == "email"]
    email[changes["contact"]] = changes["value"]
    owner = np.full(2 * count, -1)
    # Backwards, so that the lowest number stays.
    shown = np.flatnonzero(plan.world.is_shown)[::-1]
    owner[email[shown]] = shown
    return People(
        survivor=contacts["survivor"].to_numpy(),
        is_known=plan.world.is_shown | is_merged,
        owner=owner,
    )


def match_visitors(plan: Plan, people: People, activities: pd.DataFrame) -> IntArray:
    """Customers of activities: contacts, or visitors whom nobody knows."""
    contact = activities["contact"].to_numpy()
    visitor = number_visitors(activities["record_id"], len(plan.world.contacts))
    return np.where(contact >= 0, people.follow_contacts(contact), BY_VISITOR + visitor)


def match_requesters(plan: Plan, people: People, tickets: pd.DataFrame) -> IntArray:
    """Customers of tickets: by the CRM number of their user, else by its address."""
    users = plan.support.user_rows.drop_duplicates("user_id", keep="last")
    users = users.set_index("user_id").reindex(tickets["user_id"])
    contact = users["contact"].to_numpy().astype(np.int64)
    number = np.maximum(contact, 0)
    by_number = users["has_external_id"].to_numpy(dtype=bool) & people.is_known[number]
    address = plan.world.contacts["email"].to_numpy()[number]
    by_address = people.follow_address(np.where(contact < 0, -1, address))
    stranger = BY_USER + tickets["user_id"].to_numpy()
    return np.select(
        [by_number, by_address >= 0], [people.survivor[number], by_address], stranger
    )


def match_respondents(plan: Plan, people: People, responses: pd.DataFrame) -> IntArray:
    """Customers of responses; without number and address, each is its own."""
    contacts = plan.world.contacts
    contact = responses["contact"].to_numpy()
    reference = responses["reference"].to_numpy()
    reference_id = responses["reference_id"].to_numpy()
    is_own = reference_id == contacts["record_id"].to_numpy()[contact]
    # A survivor lists the numbers that it took in, of contacts never shown too; the
    # numbers that these had taken in before are told by nobody.
    is_told = plan.world.is_shown[contact] | (people.is_known[contact] & is_own)
    by_number = (reference == BY_NUMBER) & is_told
    email = np.where(shows_email(responses), responses["email"].to_numpy(), -1)
    by_address = people.follow_address(email)
    is_nobody = (reference_id < 0) & (email < 0)
    stranger = np.where(
        is_nobody,
        BY_ANSWER + responses["response"].to_numpy(),
        BY_ADDRESS + (reference_id + 1) * LONGEST_ADDRESS + email + 1,
    )
    return np.select(
        [by_number, by_address >= 0],
        [people.survivor[np.maximum(contact, 0)], by_address],
        stranger,
    )


def shows_email(responses: pd.DataFrame) -> BoolArray:
    """Whether the response carries the address at all."""
    shown: BoolArray = (responses["email"].to_numpy() >= 0) & (
        (responses["reference"].to_numpy() == BY_EMAIL)
        | (responses["email_style"].to_numpy() < 8)
    )
    return shown
