"""How the company meets its customers: contacts and companies on the first night.

In: parameters and local days. Out: `World`.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import (
    COMPANY_KINDS,
    COMPANY_STEMS,
    COUNTRIES,
    INDUSTRIES,
    ORIGINAL_SOURCE_WEIGHTS,
    PREFERRED_CHANNEL_WEIGHTS,
    SEGMENT_WEIGHTS,
)
from include.sample_exports.parameters import SampleParameters
from include.sample_exports.plan.changes import change_companies, change_contacts
from include.sample_exports.plan.draws import (
    Stream,
    draw_by_group,
    draw_weighted,
    open_stream,
    pick,
)
from include.sample_exports.plan.local_days import DAY, NEVER, IntArray, LocalDays
from include.sample_exports.plan.world import (
    CONTACT_NUMBERS,
    CUSTOMER,
    EVANGELIST,
    World,
)

COMPANY_NUMBERS = (31_000_000, 7)
# Numbers of contacts that were merged before the first night: no snapshot shows them as
# records, only as merged.
EARLIER_MERGED_NUMBERS = 60_000_000


def build_world(parameters: SampleParameters, days: LocalDays) -> World:
    """People the company."""
    rng = open_stream(parameters.seed, Stream.WORLD)
    companies = _found_companies(rng, parameters.customers, days)
    contacts = _meet_contacts(rng, parameters.customers, days, companies)
    settled = np.flatnonzero(contacts["created_at"] < days.starts[0])
    featured = rng.permutation(settled)[:3]
    _feature(contacts, featured)
    others = np.setdiff1d(settled, featured)
    survivors, victims = _merge_contacts(rng, contacts, days, featured, others)
    others = np.setdiff1d(others, np.concatenate([survivors, victims]))
    gone = _remove_contacts(rng, contacts, days, others)
    others = np.setdiff1d(others, gone)
    _share_addresses(rng, contacts, others)
    contacts["gone_at"] = np.where(
        contacts["last_night"] < days.count - 1,
        days.starts[contacts["last_night"] + 1],
        NEVER,
    )
    is_customer = contacts["became_customer_at"].to_numpy() < days.starts[0]
    return World(
        contacts=contacts,
        changes=change_contacts(rng, contacts, days, featured),
        companies=companies,
        company_changes=change_companies(rng, len(companies), days),
        propensity=rng.gamma(0.9, 1.0, len(contacts)) + 0.05,
        pair=(int(featured[0]), int(featured[1])),
        mover=int(featured[2]),
        steady=others[is_customer[others]],
    )


def _feature(contacts: pd.DataFrame, featured: IntArray) -> None:
    """Make customers who may be asked out of the featured contacts."""
    created_at = contacts["created_at"].to_numpy()
    contacts.loc[featured, "became_customer_at"] = created_at[featured] + DAY
    contacts.loc[featured, "lifecycle"] = CUSTOMER
    contacts.loc[featured, ["unsubscribed", "opt_out"]] = 0


def _found_companies(
    rng: np.random.Generator, customers: int, days: LocalDays
) -> pd.DataFrame:
    count = max(8, customers // 12)
    start = int(days.starts[0])
    country = draw_weighted(rng, [market.share for market in COUNTRIES], count)
    language = draw_by_group(rng, [market.languages for market in COUNTRIES], country)
    return pd.DataFrame(
        {
            "record_id": COMPANY_NUMBERS[0] + COMPANY_NUMBERS[1] * np.arange(count),
            "stem": rng.integers(0, len(COMPANY_STEMS), count),
            "kind": language * len(COMPANY_KINDS[0])
            + rng.integers(0, len(COMPANY_KINDS[0]), count),
            "industry": rng.integers(0, len(INDUSTRIES), count),
            "country": country,
            "language": language,
            "employees": np.maximum(rng.lognormal(3.4, 1.3, count), 2).astype(np.int64),
            "created_at": np.sort(start - rng.integers(DAY, 1_500 * DAY, count)),
        }
    )


def _meet_contacts(
    rng: np.random.Generator, count: int, days: LocalDays, companies: pd.DataFrame
) -> pd.DataFrame:
    """Contacts in order of creation; about one in twelve appears during the nights."""
    start = int(days.starts[0])
    late = max(1, count // 12)
    before = np.sort(start - rng.integers(2 * DAY, 1_200 * DAY, count - late))
    during = days.at(
        # From the second day on, so that "before its first snapshot" can occur.
        np.sort(rng.integers(1, days.count, late)),
        rng.integers(0, DAY, late),
    )
    created_at = np.concatenate([before, np.sort(during)])
    segment = draw_weighted(rng, SEGMENT_WEIGHTS, count)
    company = np.where(segment > 0, rng.integers(0, len(companies), count), -1)
    country = draw_weighted(rng, [market.share for market in COUNTRIES], count)
    country = np.where(company >= 0, companies["country"].to_numpy()[company], country)
    language = draw_by_group(rng, [market.languages for market in COUNTRIES], country)
    is_prospect = rng.random(count) < np.where(created_at < start, 0.15, 0.6)
    became = created_at + rng.integers(0, 40 * DAY, count)
    became = np.where(is_prospect | (became >= days.end), NEVER, became)
    lifecycle = np.where(
        became < start,
        np.where(rng.random(count) < 0.06, EVANGELIST, CUSTOMER),
        rng.integers(0, CUSTOMER, count),
    )
    contacts = pd.DataFrame(
        {
            "record_id": CONTACT_NUMBERS[0] + CONTACT_NUMBERS[1] * np.arange(count),
            "first_name": rng.integers(0, 1_000, count),
            "last_name": rng.integers(0, 1_000, count),
            "language": language,
            # The market stays; what the CRM says may be blank or change.
            "market": country,
            "country": np.where(rng.random(count) < 0.006, -1, country),
            "city": rng.integers(0, 1_000, count),
            "segment": segment,
            "lifecycle": lifecycle,
            "preferred_channel": draw_weighted(rng, PREFERRED_CHANNEL_WEIGHTS, count),
            "company": company,
            "source": draw_weighted(rng, ORIGINAL_SOURCE_WEIGHTS, count),
            "phone": rng.integers(0, 10**9, count),
            "document": rng.integers(0, 10**9, count),
            "created_at": created_at,
            "became_customer_at": became,
            "unsubscribed": (rng.random(count) < 0.05).astype(np.int64),
            "opt_out": (rng.random(count) < 0.04).astype(np.int64),
            "email": np.arange(count),
            "first_night": np.maximum(days.day_of(created_at), 0),
            "last_night": days.count - 1,
            "survivor": np.arange(count),
            "merged_night": NEVER,
            "earlier_merged_id": 0,
        }
    )
    earlier = pick(rng, np.flatnonzero(created_at < start), max(1, count // 700))
    contacts.loc[earlier, "earlier_merged_id"] = EARLIER_MERGED_NUMBERS + earlier
    return contacts


def _merge_contacts(
    rng: np.random.Generator,
    contacts: pd.DataFrame,
    days: LocalDays,
    featured: IntArray,
    others: IntArray,
) -> tuple[IntArray, IntArray]:
    """Merge pairs midway: the victim leaves the snapshot, the survivor lists it.

    The first two featured contacts are the first pair. Returns survivors and victims.
    """
    pairs = max(1, len(contacts) // 500)
    drawn = rng.permutation(others)[: 2 * (pairs - 1)]
    survivors = np.concatenate([featured[:1], drawn[0::2]])
    victims = np.concatenate([featured[1:2], drawn[1::2]])
    nights = rng.integers(days.count // 2, days.count - 1, pairs)
    nights[0] = days.count * 2 // 3
    contacts.loc[victims, "survivor"] = survivors
    contacts.loc[victims, "merged_night"] = nights
    contacts.loc[victims, "last_night"] = nights - 1
    return survivors, victims


def _remove_contacts(
    rng: np.random.Generator, contacts: pd.DataFrame, days: LocalDays, others: IntArray
) -> IntArray:
    """Let a few contacts leave the snapshot for good. Returns them."""
    gone = pick(rng, others, max(1, len(contacts) // 600))
    contacts.loc[gone, "last_night"] = rng.integers(
        days.count // 3, days.count - 2, len(gone)
    )
    return gone


def _share_addresses(
    rng: np.random.Generator, contacts: pd.DataFrame, others: IntArray
) -> None:
    """Let some couples share one e-mail address: an address is not a person."""
    couples = max(1, len(contacts) // 250)
    drawn = rng.permutation(others)[: 2 * couples]
    first, second = np.sort([drawn[0::2], drawn[1::2]], axis=0)
    contacts.loc[second, "email"] = first
