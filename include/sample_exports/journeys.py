"""What customers do with the company: activities, orders, deliveries, returns, deals.

In: the world. Out: one frame per feed, one row per row of the export, with `night` (the
night that delivers it) and codes; and the orders and deliveries themselves, which
surveys ask about. Times are UTC seconds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.sample_exports.catalogue import (
    COUNTRIES,
    CURRENCIES,
    CURRENCY_PER_EURO,
    DEAL_SOURCES,
    PRODUCT_LINE_PRICES,
    PRODUCT_LINE_WEIGHTS,
    RETURN_REASONS,
    STORES,
)
from include.sample_exports.draws import (
    Stream,
    draw_by_group,
    draw_days,
    draw_lag,
    draw_seconds,
    draw_weighted,
    expect_per_day,
    open_stream,
)
from include.sample_exports.local_days import DAY, HOUR, MINUTE, NEVER, LocalDays
from include.sample_exports.parameters import SampleParameters
from include.sample_exports.touchpoints import ACTIVITY_KINDS, HOUR_WEIGHTS, KIND_OF
from include.sample_exports.world import STRANGER_NUMBERS, World, draw_contacts

ORDERS_PER_CUSTOMER = 0.05  # a night
DEALS_PER_CUSTOMER = 0.004
ONLINE_WEEK = (1.08, 1.02, 1.0, 0.98, 1.05, 0.95, 0.92)
SHOP_WEEK = (0.8, 0.85, 0.9, 0.95, 1.2, 1.6, 0.7)
OFFICE_WEEK = (1.35, 1.25, 1.2, 1.15, 1.1, 0.5, 0.45)
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
PLACED, PAID, CANCELLED = range(3)
SHIPPED, DELIVERED, FAILED = range(3)
WON, LOST = 4, 5
KEY_SPAN = 2**44


@dataclass
class Journeys:
    """What happened, and the rows that tell of it.

    orders, deliveries : one row per order and delivery
    activity_rows, order_rows, delivery_rows, return_rows, deal_rows, deal_stage_rows :
        one row per row of the feed, in order of night
    """

    orders: pd.DataFrame
    deliveries: pd.DataFrame
    activity_rows: pd.DataFrame
    order_rows: pd.DataFrame
    delivery_rows: pd.DataFrame
    return_rows: pd.DataFrame
    deal_rows: pd.DataFrame
    deal_stage_rows: pd.DataFrame


def build_journeys(
    parameters: SampleParameters, days: LocalDays, world: World
) -> Journeys:
    """Let the customers live through the nights."""
    rng = open_stream(parameters.seed, Stream.ORDERS)
    orders = _place_orders(rng, parameters.customers, days, world)
    deliveries = _ship_orders(rng, days, orders)
    deal_rows, deal_stage_rows = _pursue_deals(
        open_stream(parameters.seed, Stream.DEALS), parameters.customers, days, world
    )
    return Journeys(
        orders=orders,
        deliveries=deliveries,
        activity_rows=_record_activities(
            open_stream(parameters.seed, Stream.ACTIVITIES),
            parameters.customers,
            days,
            world,
            orders,
            deliveries,
        ),
        order_rows=_tell_orders(rng, days, orders),
        delivery_rows=_tell_deliveries(days, deliveries),
        return_rows=_return_goods(rng, days, orders, deliveries),
        deal_rows=deal_rows,
        deal_stage_rows=deal_stage_rows,
    )


def keep_told(rows: pd.DataFrame, days: LocalDays, key: str) -> pd.DataFrame:
    """The rows that an export tells: per key and night the last version, in order.

    rows : `at` (time of the version) and `key` (a number from 0 to 2**44); versions of
        the same second in the order in which they count. Adds `night`. Versions after
        the last night are left out, as that export has not been made yet.
    """
    rows = rows.loc[rows["at"] < days.end].sort_values("at", kind="stable")
    rows["night"] = days.day_of(rows["at"].to_numpy())
    told = rows["night"] * KEY_SPAN + rows[key]
    return rows.loc[~told.duplicated(keep="last")].reset_index(drop=True)


def _place_orders(
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


def _tell_orders(
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


def _ship_orders(
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


def _tell_deliveries(days: LocalDays, deliveries: pd.DataFrame) -> pd.DataFrame:
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


def _return_goods(
    rng: np.random.Generator,
    days: LocalDays,
    orders: pd.DataFrame,
    deliveries: pd.DataFrame,
) -> pd.DataFrame:
    chance = np.where(deliveries["days_late"] > 1, 0.1, 0.05)
    is_returned = (rng.random(len(deliveries)) < chance) & ~deliveries["is_failed"]
    chosen = deliveries.loc[is_returned]
    count = len(chosen)
    order = chosen["order"].to_numpy()
    asked_at = chosen["delivered_at"].to_numpy() + rng.integers(HOUR, 14 * DAY, count)
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


def _pursue_deals(
    rng: np.random.Generator, customers: int, days: LocalDays, world: World
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Deals with their stages. Returns rows of deals and of the stage history."""
    expected = expect_per_day(days, DEALS_PER_CUSTOMER * customers, OFFICE_WEEK)
    day = draw_days(rng, expected, at_least=1)
    count = len(day)
    opened_at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS["office"], count))
    contact = draw_contacts(rng, world, opened_at, customers_only=False)
    market = world.contacts["market"].to_numpy()[contact]
    steps = rng.integers(1, 5, count)  # open stages that the deal goes through
    is_won = rng.random(count) < 0.25 + 0.12 * steps
    waits = np.maximum(rng.exponential(5 * DAY, (count, 4)), HOUR).astype(np.int64)
    entered = opened_at[:, None] + np.concatenate(
        [np.zeros((count, 1), dtype=np.int64), np.cumsum(waits, axis=1)], axis=1
    )
    deal, step = np.nonzero(np.arange(5)[None, :] <= steps[:, None])
    is_end = step == steps[deal]
    exited = np.where(
        is_end, NEVER, entered[deal, np.minimum(step + 1, entered.shape[1] - 1)]
    )
    visits = pd.DataFrame(
        {
            "deal": deal,
            "deal_id": 820_000_000 + 3 * deal,
            "stage": np.where(is_end, np.where(is_won[deal], WON, LOST), step),
            "entered_at": entered[deal, step],
            "exited_at": exited,
            "source": rng.integers(0, len(DEAL_SOURCES), len(deal)),
        }
    )
    visits["visit"] = np.arange(len(visits))
    currency = np.array([CURRENCIES.index(c.currency) for c in COUNTRIES])[market]
    amount = rng.lognormal(8.2, 0.9, count) * np.array(CURRENCY_PER_EURO)[currency]
    rows = visits[["deal", "deal_id", "stage"]].assign(
        at=visits["entered_at"],
        contact_id=world.contacts["record_id"].to_numpy()[contact[deal]],
        first_name=world.contacts["first_name"].to_numpy()[contact[deal]],
        amount=np.round(amount[deal] * 100).astype(np.int64),
        currency=currency[deal],
        created_at=opened_at[deal],
        close_at=entered[deal, steps[deal]],
    )
    entries = visits.assign(at=visits["entered_at"], exited_at=NEVER)
    exits = visits.assign(at=visits["exited_at"])
    history = pd.concat([entries, exits])
    return keep_told(rows, days, "deal"), keep_told(history, days, "visit")


def _record_activities(
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
