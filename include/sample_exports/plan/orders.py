"""What customers buy, receive and send back.

In: the world. Out: orders and deliveries, and the rows of the feeds orders, deliveries
and returns. Times are UTC seconds.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import (
    COUNTRIES,
    CURRENCIES,
    CURRENCY_PER_EURO,
    PRODUCT_LINE_PRICES,
    PRODUCT_LINE_WEIGHTS,
    RETURN_REASONS,
    STORES,
)
from include.sample_exports.company.touchpoints import HOUR_WEIGHTS
from include.sample_exports.company.weeks import ONLINE_WEEK
from include.sample_exports.plan.deltas import keep_told
from include.sample_exports.plan.draws import (
    draw_by_group,
    draw_days,
    draw_lag,
    draw_seconds,
    draw_weighted,
    expect_per_day,
)
from include.sample_exports.plan.local_days import DAY, HOUR, MINUTE, NEVER, LocalDays
from include.sample_exports.plan.world import STRANGER_NUMBERS, World, draw_contacts

ORDERS_PER_CUSTOMER = 0.05  # a night
# Sales channel (web, app, store, phone, WhatsApp) by country.
SALES_CHANNEL_WEIGHTS = (
    (0.34, 0.24, 0.16, 0.05, 0.21),
    (0.45, 0.22, 0.24, 0.06, 0.03),
    (0.48, 0.2, 0.2, 0.1, 0.02),
    (0.5, 0.2, 0.22, 0.05, 0.03),
    (0.6, 0.3, 0.0, 0.1, 0.0),
    (0.4, 0.2, 0.15, 0.05, 0.2),
)
STORE_SALE = 2  # position of store among the sales channels
SHIPPED, DELIVERED, FAILED = range(3)


def place_orders(
    rng: np.random.Generator, customers: int, days: LocalDays, world: World
) -> pd.DataFrame:
    expected = expect_per_day(
        days, ORDERS_PER_CUSTOMER * customers, ONLINE_WEEK, growth=0.15
    )
    day = draw_days(rng, expected, at_least=3)
    count = len(day)
    at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS["evening"], count))
    contact = draw_contacts(rng, world, at, customers_only=True)
    # The featured contacts have a past in every system.
    contact[:3] = world.featured
    market = world.contacts["market"].to_numpy()[contact]
    channel = draw_by_group(rng, SALES_CHANNEL_WEIGHTS, market)
    stores = np.array([len(stores) for stores in STORES])
    line = draw_weighted(rng, PRODUCT_LINE_WEIGHTS, count)
    currency = np.array([CURRENCIES.index(c.currency) for c in COUNTRIES])[market]
    price = (
        np.array(PRODUCT_LINE_PRICES)[line]
        * np.array(CURRENCY_PER_EURO)[currency]
        * rng.lognormal(0, 0.5, count)
    )
    total = np.round(price * 100).astype(np.int64)
    strangers = max(1, round(0.002 * count))
    is_stranger = np.zeros(count, dtype=bool)
    is_stranger[rng.permutation(np.arange(3, count))[:strangers]] = True
    number = 880_000_000 + 3 * np.arange(count)
    paid_at = at + np.where(
        rng.random(count) < 0.8,
        rng.integers(20, 10 * MINUTE, count),
        rng.integers(10 * MINUTE, 2 * DAY, count),
    )
    is_cancelled = rng.random(count) < 0.04
    cancelled_at = paid_at + rng.integers(HOUR, 2 * DAY, count)
    return pd.DataFrame(
        {
            "record_id": number,
            "contact": np.where(is_stranger, -1, contact),
            "contact_id": np.where(
                is_stranger,
                STRANGER_NUMBERS + np.arange(count),
                world.contacts["record_id"].to_numpy()[contact],
            ),
            "market": market,
            "channel": channel,
            "store": np.where(
                channel == STORE_SALE,
                rng.integers(0, 1_000, count) % stores[market],
                -1,
            ),
            "line": line,
            "total": total,
            "net": np.round(total * 0.79).astype(np.int64),
            "currency": currency,
            "at": at,
            "paid_at": paid_at,
            "cancelled_at": np.where(is_cancelled, cancelled_at, NEVER),
        }
    )


def tell_orders(
    rng: np.random.Generator, days: LocalDays, orders: pd.DataFrame
) -> pd.DataFrame:
    """Order rows: again each night on which the order changed."""
    told = ["record_id", "contact_id", "channel", "store", "market", "line"]
    rows = orders[[*told, "total", "net", "currency"]].assign(ordered_at=orders["at"])
    versions = [
        rows.assign(at=orders[column], status=status)
        for status, column in enumerate(("at", "paid_at", "cancelled_at"))
    ]
    return keep_told(pd.concat(versions), days, "record_id")


def ship_orders(
    rng: np.random.Generator, days: LocalDays, orders: pd.DataFrame
) -> pd.DataFrame:
    """Deliveries of the orders that are neither taken home nor cancelled."""
    is_shipped = (orders["channel"] != STORE_SALE) & (orders["cancelled_at"] == NEVER)
    order = np.flatnonzero(is_shipped)
    count = len(order)
    market = orders["market"].to_numpy()[order]
    shipped_at = orders["paid_at"].to_numpy()[order] + draw_lag(rng, 0.9 * DAY, count)
    # Brazil is large, and its courier the weak spot that the scores should show.
    mean_days = np.array([3.2, 1.8, 2.1, 1.7, 2.4, 2.8])[market]
    transit = (rng.gamma(4.0, 0.25, count) * mean_days * DAY).astype(np.int64)
    delivered_at = shipped_at + np.maximum(transit, 3 * HOUR)
    promised_at = shipped_at + (mean_days * 1.25 * DAY).astype(np.int64)
    is_pickup = rng.random(count) < 0.18
    return pd.DataFrame(
        {
            "record_id": 910_000_000 + 3 * np.arange(count),
            "order": order,
            "order_id": orders["record_id"].to_numpy()[order],
            "contact": orders["contact"].to_numpy()[order],
            "contact_id": orders["contact_id"].to_numpy()[order],
            "market": market,
            "method": is_pickup.astype(np.int64),
            "carrier": np.where(
                is_pickup, 4, np.minimum(market, 3) * (rng.random(count) > 0.1)
            ),
            "shipped_at": shipped_at,
            "promised_at": promised_at,
            "delivered_at": delivered_at,
            "is_failed": rng.random(count) < 0.02,
            "days_late": np.clip((delivered_at - promised_at) / DAY, -3, 6),
        }
    )


def tell_deliveries(days: LocalDays, deliveries: pd.DataFrame) -> pd.DataFrame:
    """Delivery rows: shipped one night, delivered (or failed) on a later one."""
    told = ["record_id", "order_id", "contact_id", "method", "carrier"]
    rows = deliveries[[*told, "shipped_at", "promised_at"]]
    shipped = rows.assign(
        at=deliveries["shipped_at"], status=SHIPPED, delivered_at=NEVER
    )
    ended = rows.assign(
        at=deliveries["delivered_at"],
        status=np.where(deliveries["is_failed"], FAILED, DELIVERED),
        delivered_at=np.where(
            deliveries["is_failed"], NEVER, deliveries["delivered_at"]
        ),
    )
    return keep_told(pd.concat([shipped, ended]), days, "record_id")


def return_goods(
    rng: np.random.Generator,
    days: LocalDays,
    orders: pd.DataFrame,
    deliveries: pd.DataFrame,
) -> pd.DataFrame:
    """Return rows: some deliveries, late ones more often, and the first in any case."""
    chance = np.where(deliveries["days_late"] > 1, 0.1, 0.05)
    arrived_at = np.where(deliveries["is_failed"], NEVER, deliveries["delivered_at"])
    is_first = arrived_at == arrived_at.min()
    is_returned = (rng.random(len(deliveries)) < chance) & (arrived_at < NEVER)
    chosen = deliveries.loc[is_returned | is_first]
    count = len(chosen)
    order = chosen["order"].to_numpy()
    wait = rng.integers(HOUR, 14 * DAY, count)
    wait[is_first[chosen.index]] = HOUR
    asked_at = chosen["delivered_at"].to_numpy() + wait
    rows = pd.DataFrame(
        {
            "record_id": 950_000_000 + 3 * np.arange(count),
            "order_id": chosen["order_id"].to_numpy(),
            "contact_id": chosen["contact_id"].to_numpy(),
            "reason": rng.integers(0, len(RETURN_REASONS), count),
            "refund": orders["total"].to_numpy()[order],
            "currency": orders["currency"].to_numpy()[order],
            "at": asked_at,
        }
    )
    return keep_told(rows, days, "record_id")
