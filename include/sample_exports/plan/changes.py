"""What changes about contacts and companies from night to night.

In: contacts and companies. Out: one row per change, in order of time.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import COUNTRIES, SEGMENT_WEIGHTS
from include.sample_exports.plan.draws import pick
from include.sample_exports.plan.local_days import DAY, HOUR, NEVER, IntArray, LocalDays
from include.sample_exports.plan.world import CUSTOMER


def change_contacts(
    rng: np.random.Generator,
    contacts: pd.DataFrame,
    days: LocalDays,
    featured: IntArray,
) -> pd.DataFrame:
    """What changes about contacts while they are shown, in order of time."""
    count = len(contacts)
    others = np.setdiff1d(np.arange(count), featured)
    segment = contacts["segment"].to_numpy()
    segments = len(SEGMENT_WEIGHTS)

    def change(field: str, per_60_nights: float, among: IntArray) -> pd.DataFrame:
        expected = round(per_60_nights * count * days.count / 60)
        chosen = pick(rng, among, max(1, expected))
        night = rng.integers(1, days.count, len(chosen))
        at = days.at(night, rng.integers(0, DAY, len(chosen)))
        return pd.DataFrame(
            {"contact": chosen, "night": night, "at": at, "field": field, "value": 1}
        )

    moved = change("segment", 0.015, others)
    moved["value"] = (
        segment[moved["contact"]] + rng.integers(1, segments, len(moved))
    ) % segments
    mover = change("segment", 0, featured[2:])
    mover["night"] = days.count // 2
    mover["at"] = days.starts[days.count // 2] + 10 * HOUR
    mover["value"] = (segment[featured[2]] + 1) % segments
    abroad = change("country", 0.006, others)
    abroad["value"] = rng.integers(0, len(COUNTRIES), len(abroad))
    is_shared = contacts["email"].duplicated(keep=False).to_numpy()
    readdressed = change("email", 0.004, others[~is_shared[others]])
    # Codes from `count` on are second addresses.
    readdressed["value"] = count + readdressed["contact"]
    changes = pd.concat(
        [
            moved,
            mover,
            abroad,
            readdressed,
            change("unsubscribed", 0.015, others),
            change("opt_out", 0.01, others),
            _become_customers(contacts, days),
            _take_in(contacts, days),
        ],
        ignore_index=True,
    )
    contact = changes["contact"].to_numpy()
    is_shown = (changes["night"] > contacts["first_night"].to_numpy()[contact]) & (
        changes["night"] <= contacts["last_night"].to_numpy()[contact]
    )
    shown: pd.DataFrame = changes.loc[is_shown]
    return shown.sort_values(
        ["night", "at", "contact", "field"], kind="stable", ignore_index=True
    )


def _become_customers(contacts: pd.DataFrame, days: LocalDays) -> pd.DataFrame:
    """Lifecycle changes of those whose first purchase falls into the nights."""
    became = contacts["became_customer_at"].to_numpy()
    chosen = np.flatnonzero((became >= days.starts[0]) & (became < days.end))
    return pd.DataFrame(
        {
            "contact": chosen,
            "night": days.day_of(became[chosen]),
            "at": became[chosen],
            "field": "lifecycle",
            "value": CUSTOMER,
        }
    )


def _take_in(contacts: pd.DataFrame, days: LocalDays) -> pd.DataFrame:
    """The change of each survivor: the code of the contact that it takes in."""
    victims = np.flatnonzero(contacts["merged_night"].to_numpy() != NEVER)
    night = contacts["merged_night"].to_numpy()[victims]
    return pd.DataFrame(
        {
            "contact": contacts["survivor"].to_numpy()[victims],
            "night": night,
            "at": days.starts[night] + 9 * HOUR,
            "field": "merged",
            "value": victims,
        }
    )


def change_companies(
    rng: np.random.Generator, count: int, days: LocalDays
) -> pd.DataFrame:
    chosen = pick(rng, np.arange(count), max(1, count // 20))
    night = rng.integers(1, days.count, len(chosen))
    changes = pd.DataFrame(
        {
            "company": chosen,
            "night": night,
            "at": days.at(night, rng.integers(0, DAY, len(chosen))),
            "employees": rng.integers(2, 900, len(chosen)),
        }
    )
    return changes.sort_values(["night", "company"], kind="stable", ignore_index=True)
