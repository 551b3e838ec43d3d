"""What was bought before the first night, told by it: a shop that moves in with a past.

In: a plan with its faults. Out: the same plan with orders, deliveries and returns of
those who became customers some months before, in which a late parcel costs the next
order more often than not. No other row of the plan changes. Times are UTC seconds.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import (
    COUNTRIES,
    CURRENCIES,
    CURRENCY_PER_EURO,
    PRODUCT_LINE_PRICES,
    PRODUCT_LINE_WEIGHTS,
)
from include.sample_exports.plan.draws import Stream, draw_weighted, open_stream
from include.sample_exports.plan.local_days import DAY, HOUR, MINUTE
from include.sample_exports.plan.orders import DELIVERED
from include.sample_exports.plan.plan import Plan

EARLIEST, LATEST = 300, 115  # days before the first night
# Goods from stock, and made to order: days from the order to the promised day.
LEAD_DAYS = (3, 100)
DAYS_LATE = (4, 9)
BUYS_AGAIN = (0.75, 0.15)  # after a parcel on time, after a late one
FIRST_ORDER, FIRST_DELIVERY = 870_000_000, 900_000_000
PAID = 1
WEB = 0


def move_in_earlier_orders(plan: Plan) -> None:
    """Put the past before the rows of the first night, in place."""
    rng = open_stream(plan.parameters.seed, Stream.EARLIER_ORDERS)
    start = int(plan.days.starts[0])
    contacts = plan.world.contacts
    became_at = contacts["became_customer_at"].to_numpy()
    steady = plan.world.steady
    is_buyer = (became_at[steady] >= start - EARLIEST * DAY) & (
        became_at[steady] < start - LATEST * DAY
    )
    # An address that two contacts share says of neither when they bought first.
    buyers = steady[is_buyer & (contacts["email"].to_numpy()[steady] == steady)]
    count = len(buyers)
    is_late = rng.random(count) < 0.5
    lead = np.array(LEAD_DAYS)[rng.integers(0, len(LEAD_DAYS), count)]
    # They became customers with this order.
    ordered_at = became_at[buyers]
    promised_at = ordered_at + lead * DAY
    late = rng.integers(DAYS_LATE[0] * DAY, DAYS_LATE[1] * DAY, count)
    early = rng.integers(DAY, 2 * DAY, count)
    delivered_at = np.where(is_late, promised_at + late, promised_at - early)
    buys_again = rng.random(count) < np.where(is_late, BUYS_AGAIN[1], BUYS_AGAIN[0])
    again_at = delivered_at + rng.integers(10 * DAY, 80 * DAY, count)
    again = np.flatnonzero(buys_again & (again_at < start - DAY))
    orders = _write_orders(
        rng,
        plan,
        np.concatenate([buyers, buyers[again]]),
        np.concatenate([ordered_at, again_at[again]]),
    )
    deliveries = pd.DataFrame(
        {
            "record_id": FIRST_DELIVERY + 3 * np.arange(count),
            "order_id": orders["record_id"].to_numpy()[:count],
            "contact_id": orders["contact_id"].to_numpy()[:count],
            "method": 0,
            "carrier": np.minimum(contacts["market"].to_numpy()[buyers], 3),
            "shipped_at": ordered_at + (delivered_at - ordered_at) // 2,
            "promised_at": promised_at,
            "at": start + MINUTE,
            "status": DELIVERED,
            "delivered_at": delivered_at,
            "night": 0,
        }
    )
    journeys = plan.journeys
    journeys.order_rows = _put_first(orders, journeys.order_rows)
    journeys.delivery_rows = _put_first(deliveries, journeys.delivery_rows)
    plan.planted["earlier_orders"] = len(orders)


def _write_orders(
    rng: np.random.Generator, plan: Plan, contact: np.ndarray, at: np.ndarray
) -> pd.DataFrame:
    count = len(contact)
    market = plan.world.contacts["market"].to_numpy()[contact]
    line = draw_weighted(rng, PRODUCT_LINE_WEIGHTS, count)
    currency = np.array([CURRENCIES.index(one.currency) for one in COUNTRIES])[market]
    # Nobody fixed a rate for the currency of one in fifty.
    currency[::50] = len(CURRENCIES) - 1
    price = (
        np.array(PRODUCT_LINE_PRICES)[line]
        * np.array(CURRENCY_PER_EURO)[currency]
        * rng.lognormal(0, 0.5, count)
    )
    total = np.round(price * 100).astype(np.int64)
    return pd.DataFrame(
        {
            "record_id": FIRST_ORDER + 3 * np.arange(count),
            "contact_id": plan.world.contacts["record_id"].to_numpy()[contact],
            "channel": WEB,
            "store": -1,
            "market": market,
            "line": line,
            "total": total,
            "net": np.round(total * 0.79).astype(np.int64),
            "currency": currency,
            "ordered_at": at,
            "at": int(plan.days.starts[0]) + HOUR,
            "status": PAID,
            "night": 0,
        }
    )


def _put_first(earlier: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Earlier rows before all others, in the columns of those."""
    return pd.concat([earlier[list(rows.columns)], rows], ignore_index=True)
