"""What the CRM notes about contacts and visitors: visits, calls, messages, sessions.

In: the world, its orders and deliveries. Out: rows of the feed activities. Times are
UTC seconds.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.touchpoints import (
    ACTIVITY_KINDS,
    HOUR_WEIGHTS,
    KIND_OF,
)
from include.sample_exports.company.weeks import OFFICE_WEEK, ONLINE_WEEK, SHOP_WEEK
from include.sample_exports.export.render import mix_bits
from include.sample_exports.plan.draws import (
    draw_days,
    draw_seconds,
    expect_per_day,
    pick,
)
from include.sample_exports.plan.local_days import DAY, MINUTE, IntArray, LocalDays
from include.sample_exports.plan.world import World, draw_contacts


def record_activities(
    rng: np.random.Generator,
    customers: int,
    days: LocalDays,
    world: World,
    orders: pd.DataFrame,
    deliveries: pd.DataFrame,
) -> pd.DataFrame:
    """Activity rows, each told on its own night (faults may delay it)."""
    kinds, moments, contacts = [], [], []
    for code, kind in enumerate(ACTIVITY_KINDS):
        if kind.is_follow_up:
            continue
        week = {"shop": SHOP_WEEK, "office": OFFICE_WEEK}.get(kind.hours, ONLINE_WEEK)
        mean = kind.per_customer * customers
        unknown = 1 if kind.type == "KIOSK" else 0
        day = draw_days(rng, expect_per_day(days, mean, week, 0.1), at_least=unknown)
        at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS[kind.hours], len(day)))
        contact = draw_contacts(rng, world, at, customers_only=kind.anonymous == 0)
        is_anonymous = rng.random(len(day)) < kind.anonymous
        kinds.append(np.full(len(day), code, dtype=np.int64))
        moments.append(at)
        contacts.append(np.where(is_anonymous, -1, contact))
    for event, at, contact in _surround_orders(rng, days, orders, deliveries):
        kinds.append(np.full(len(at), KIND_OF[event], dtype=np.int64))
        moments.append(at)
        contacts.append(contact)
    rows = pd.DataFrame(
        {
            "kind": np.concatenate(kinds),
            "at": np.concatenate(moments),
            "contact": np.concatenate(contacts),
        }
    )
    is_within = (rows["at"] >= days.starts[0]) & (rows["at"] < days.end)
    rows = pd.DataFrame(rows.loc[is_within])
    rows = rows.sort_values(["at", "kind", "contact"], kind="stable", ignore_index=True)
    # Page, store, employee and visitor follow from the number (see the export).
    rows["record_id"] = 400_000_000 + 2 * np.arange(len(rows))
    return rows.assign(night=days.day_of(rows["at"].to_numpy()))


def draw_chances(record_id: pd.Series) -> IntArray:
    """A number out of the number of each activity, for what needs no draw."""
    return (mix_bits(record_id.to_numpy()) >> np.uint64(2)).astype(np.int64)


def number_visitors(record_id: pd.Series, contacts: int) -> IntArray:
    """The visitor of each activity, should nobody know who it was."""
    return draw_chances(record_id) % (2 * contacts)


def do_two_things_at_once(
    rng: np.random.Generator, world: World, rows: pd.DataFrame
) -> pd.DataFrame:
    """Add price pages seen in the very second in which the app was opened.

    Nobody can say what a person who is asked afterwards has in mind.
    """
    contact = rows["contact"].to_numpy()
    is_free = np.isin(contact, world.steady) & (
        world.contacts["opt_out"].to_numpy()[contact] == 0
    )
    sessions = np.flatnonzero(is_free & (rows["kind"] == KIND_OF["app_session"]))
    chosen = pick(rng, sessions, max(6, len(sessions) // 400))
    again = rows.iloc[chosen].assign(
        kind=KIND_OF["price_page_viewed"],
        record_id=int(rows["record_id"].max()) + 2 + 2 * np.arange(len(chosen)),
    )
    both = pd.concat([rows, again], ignore_index=True)
    return both.sort_values("night", kind="stable", ignore_index=True)


def _surround_orders(
    rng: np.random.Generator,
    days: LocalDays,
    orders: pd.DataFrame,
    deliveries: pd.DataFrame,
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The visits that lead to a web order and the notices that follow a parcel.

    Returns (event, at, contact) for each kind.
    """
    is_web = (orders["channel"] == 0) & (orders["contact"] >= 0)
    web_at = orders.loc[is_web, "at"].to_numpy()
    web_contact = orders.loc[is_web, "contact"].to_numpy()
    notified = deliveries.loc[deliveries["contact"] >= 0]
    return [
        (
            "checkout_viewed",
            web_at - rng.integers(30, 20 * MINUTE, len(web_at)),
            web_contact,
        ),
        (
            "product_page_viewed",
            web_at - rng.integers(20 * MINUTE, 4 * DAY, len(web_at)),
            web_contact,
        ),
        (
            "delivery_notice_sent",
            notified["shipped_at"].to_numpy() + 5 * MINUTE,
            notified["contact"].to_numpy(),
        ),
    ]
