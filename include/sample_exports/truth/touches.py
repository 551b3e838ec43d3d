"""Every touch of every customer, and the things that answers may be about.

In: a plan. Out: frames of numbers: customer, time, touchpoint, product.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import TICKET_CHANNEL_TOUCHPOINTS
from include.sample_exports.company.touchpoints import ACTIVITY_KINDS, CODE_OF
from include.sample_exports.plan.local_days import (
    DAY,
    NEVER,
    IntArray,
    LocalDays,
    start_of,
)
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.tickets import DELETED
from include.sample_exports.truth.customers import (
    People,
    match_requesters,
    match_visitors,
)

SALES_TOUCHPOINTS = (
    "order_web",
    "order_app",
    "order_store",
    "order_phone",
    "order_whatsapp",
)
DELIVERY_TOUCHPOINTS = ("parcel_delivered", "store_pickup")
TOUCH_COLUMNS = ["customer", "at", "touchpoint", "product", "ticket_id"]


@dataclass(frozen=True)
class Contacts:
    """What happened between the company and its customers, as delivered by the end.

    orders, deliveries, returns, tickets : the last version of each, with `customer`,
        `touchpoint` and `product` (-1 unknown); deliveries with `promised_until`, the
        UTC second with which the promised day is over
    touches : one row per touch: TOUCH_COLUMNS; ticket_id -1 where it is no ticket
    """

    orders: pd.DataFrame
    deliveries: pd.DataFrame
    returns: pd.DataFrame
    tickets: pd.DataFrame
    touches: pd.DataFrame


def keep_latest(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """The row of each key that was delivered last."""
    return rows.drop_duplicates(key, keep="last").reset_index(drop=True)


def keep_latest_tickets(plan: Plan) -> pd.DataFrame:
    """The version of each ticket that was updated last, among those delivered."""
    rows = plan.support.ticket_rows.sort_values(["at", "night"], kind="stable")
    return plan.support.complete(keep_latest(rows, "ticket"))


def code_touchpoints(names: tuple[str, ...]) -> IntArray:
    return np.array([CODE_OF[name] for name in names])


def _end_promised_days(days: LocalDays, promised_at: pd.Series) -> IntArray:
    """When promised days are over: a promise is a date as the export writes it, of UTC,
    and who waits takes it for a day of theirs."""
    zone, epoch = ZoneInfo(days.time_zone), date(1970, 1, 1)
    ends = [
        start_of(epoch + timedelta(days=day + 1), zone)
        for day in (promised_at // DAY).tolist()
    ]
    return np.array(ends, dtype=np.int64)


def find_contacts(plan: Plan, people: People) -> Contacts:
    journeys = plan.journeys
    orders = keep_latest(journeys.order_rows, "record_id")
    orders = orders.assign(
        customer=people.follow_numbers(orders["contact_id"]),
        touchpoint=code_touchpoints(SALES_TOUCHPOINTS)[orders["channel"]],
        product=orders["line"],
        at=orders["ordered_at"],
    )
    line = orders.set_index("record_id")["line"]

    def complete(rows: pd.DataFrame, touchpoint: IntArray) -> pd.DataFrame:
        product = line.reindex(rows["order_id"]).fillna(-1).to_numpy().astype(np.int64)
        return rows.assign(
            customer=people.follow_numbers(rows["contact_id"]),
            touchpoint=touchpoint,
            product=product,
        )

    deliveries = keep_latest(journeys.delivery_rows, "record_id")
    arrival = code_touchpoints(DELIVERY_TOUCHPOINTS)[deliveries["method"]]
    deliveries = complete(deliveries, arrival).assign(
        at=deliveries["delivered_at"],
        promised_until=_end_promised_days(plan.days, deliveries["promised_at"]),
    )
    returns = keep_latest(journeys.return_rows, "record_id")
    sent_back = np.full(len(returns), CODE_OF["product_return"])
    returns = complete(returns, sent_back)
    tickets = keep_latest_tickets(plan)
    tickets = tickets.assign(
        customer=match_requesters(plan, people, tickets),
        touchpoint=code_touchpoints(TICKET_CHANNEL_TOUCHPOINTS)[tickets["channel"]],
        product=-1,
        at=tickets["created_at"],
    )
    activities = journeys.activity_rows.drop_duplicates("record_id", keep="last")
    kinds = code_touchpoints(tuple(kind.touchpoint for kind in ACTIVITY_KINDS))
    activities = activities.assign(
        customer=match_visitors(plan, people, activities),
        touchpoint=kinds[activities["kind"]],
        product=-1,
    )
    arrived = deliveries.loc[deliveries["delivered_at"] < NEVER]
    kept = tickets.loc[tickets["status"] != DELETED]
    touches = pd.concat(
        [
            rows.reindex(columns=TOUCH_COLUMNS, fill_value=-1)
            for rows in (activities, orders, arrived, returns, kept)
        ],
        ignore_index=True,
    )
    return Contacts(
        orders=orders,
        deliveries=deliveries,
        returns=returns,
        tickets=tickets,
        touches=touches,
    )
