"""Who exists: contacts and companies, and who of them may act at a moment.

Contacts and companies are rows numbered from 0 (their code); contacts are numbered in
the order in which they were created.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import LIFECYCLE_STAGES
from include.sample_exports.plan.draws import draw_weighted
from include.sample_exports.plan.local_days import (
    NEVER,
    BoolArray,
    FloatArray,
    IntArray,
)

CONTACT_NUMBERS = (71_000_000, 13)  # first HubSpot number, step
STRANGER_NUMBERS = 99_000_000  # of contacts that no snapshot shows
CUSTOMER = LIFECYCLE_STAGES.index("customer")
EVANGELIST = LIFECYCLE_STAGES.index("evangelist")


@dataclass(frozen=True)
class World:
    """Contacts and companies.

    contacts : one row per contact. Codes into the catalogue (country -1 = blank), and
        record_id; created_at, became_customer_at (UTC seconds or NEVER);
        first_night, last_night (first and last snapshot that shows it), gone_at (UTC
        seconds from which it acts no more, or NEVER); survivor (own code, or that of
        the contact it was merged into), merged_night (or NEVER); earlier_merged_id
        (number merged into it before the first night, or 0); email (code of the
        address: see `changes`)
    changes : one row per change: contact, night, at (UTC seconds), field, value
    companies : one row per company
    company_changes : company, night, at, employees
    propensity : (contacts,), how busy each contact is
    pair : survivor and victim of the merge that is sure to have a past on both sides
    mover : contact whose segment changes midway, likewise
    steady : contacts that every snapshot shows
    """

    contacts: pd.DataFrame
    changes: pd.DataFrame
    companies: pd.DataFrame
    company_changes: pd.DataFrame
    propensity: FloatArray
    pair: tuple[int, int]
    mover: int
    steady: IntArray

    @property
    def featured(self) -> tuple[int, int, int]:
        """Survivor, victim, mover: the contacts that have a past in every system."""
        return (*self.pair, self.mover)

    @property
    def is_shown(self) -> BoolArray:
        """Contacts that stand in a snapshot: not those who left before the first."""
        shown: BoolArray = (
            self.contacts["first_night"] <= self.contacts["last_night"]
        ).to_numpy()
        return shown


def draw_contacts(
    rng: np.random.Generator, world: World, at: IntArray, customers_only: bool
) -> IntArray:
    """Draw a contact for each moment `at`, busy ones more often.

    Only contacts that are there then; `customers_only` leaves prospects out.
    """
    contacts = world.contacts
    weights = world.propensity
    if customers_only:
        is_customer = contacts["became_customer_at"].to_numpy() < NEVER
        weights = np.where(is_customer, weights, 0.0)
        since = contacts["became_customer_at"].to_numpy()
    else:
        since = contacts["created_at"].to_numpy()
    return settle(world, draw_weighted(rng, weights, len(at)), at, since)


def settle(world: World, contact: IntArray, at: IntArray, since: IntArray) -> IntArray:
    """Replace contacts that are not there (yet, or any more) at `at`.

    A merged contact is replaced by its survivor, others by a steady customer.
    since : (contacts,), UTC seconds from which each contact may act
    """
    gone_at = world.contacts["gone_at"].to_numpy()
    survivor = world.contacts["survivor"].to_numpy()
    settled = np.where(at >= gone_at[contact], survivor[contact], contact)
    is_absent = (at < since[settled]) | (at >= gone_at[settled])
    stand_in = world.steady[(settled * 31 + at) % len(world.steady)]
    return np.where(is_absent, stand_in, settled)
