"""What customers bought, who was lost, and what a late parcel cost.

In: a plan and what happened in it. Out: rows of truth.json. Each question is asked of
the orders themselves, month by month and contact by contact.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import CURRENCIES, ORDER_STATUSES
from include.sample_exports.plan.local_days import DAY, NEVER, start_of
from include.sample_exports.plan.plan import Plan
from include.sample_exports.truth.scores import Record
from include.sample_exports.truth.touches import Contacts

ACTIVE = 180 * DAY
WINDOW = 90 * DAY


def keep_sold(contacts: Contacts) -> pd.DataFrame:
    """Orders that are not cancelled, in order of time, with what was paid back."""
    orders = contacts.orders
    sold = orders.loc[orders["status"] != ORDER_STATUSES.index("cancelled")]
    refunds = contacts.returns.groupby("order_id")["refund"].sum()
    refund = refunds.reindex(sold["record_id"]).fillna(0).to_numpy()
    total = sold["total"].to_numpy()
    returned = sold["net"] * np.minimum(refund, total) / np.maximum(total, 1)
    sold = sold.assign(returned=returned)
    return sold.sort_values(["ordered_at", "record_id"], ignore_index=True)


def sum_values(contacts: Contacts) -> list[Record]:
    """Net amounts and what came back of them, in cents of each currency."""
    sums = keep_sold(contacts).groupby("currency")
    return [
        {
            "currency": CURRENCIES[int(str(code))],
            "orders": len(rows),
            "net_cents": int(rows["net"].sum()),
            "returned_net_cents": round(float(rows["returned"].sum())),
        }
        for code, rows in sums
    ]


def list_purchases(contacts: Contacts) -> dict[int, list[int]]:
    """When each customer bought, in order."""
    purchases: dict[int, list[int]] = defaultdict(list)
    sold = keep_sold(contacts)
    for customer, at in zip(
        sold["customer"].tolist(), sold["ordered_at"].tolist(), strict=True
    ):
        purchases[customer].append(at)
    return purchases


def count_churn(plan: Plan, contacts: Contacts) -> list[Record]:
    """Customers active at each month's two ends, and those lost in between."""
    purchases = list_purchases(contacts)
    zone = ZoneInfo(plan.days.time_zone)
    month = datetime.fromtimestamp(min(one[0] for one in purchases.values()), zone)
    first, last = date(month.year, month.month, 1), plan.days.dates[-1]
    rows: list[Record] = []
    while first <= last:
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        ends = [
            {one for one, bought in purchases.items() if is_active(bought, at)}
            for at in (start_of(first, zone), start_of(following, zone))
        ]
        rows.append(
            {
                "month": f"{first:%Y-%m}",
                "active_at_start": len(ends[0]),
                "lost": len(ends[0] - ends[1]),
                "active_at_end": len(ends[1]),
            }
        )
        first = following
    return rows


def is_active(bought: list[int], at: int) -> bool:
    """Whether a purchase lies in the 180 days up to a moment."""
    place = bisect_right(bought, at)
    return place > 0 and bought[place - 1] > at - ACTIVE


def count_repeats(plan: Plan, contacts: Contacts) -> list[Record]:
    """First purchases by local month, and those with a second within 90 days."""
    became_at = plan.world.contacts["became_customer_at"].to_numpy()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for customer, bought in list_purchases(contacts).items():
        since = int(became_at[customer]) if customer < len(became_at) else NEVER
        dates = plan.days.count_dates(np.array([bought[0], min(since, bought[0])]))
        # Whoever was a customer on an earlier day has bought before.
        if dates[1] < dates[0]:
            continue
        month = plan.days.name_months(np.array(bought[:1]))[0]
        counts[month]["first_purchases"] += 1
        counts[month]["repeated"] += len(bought) > 1 and bought[1] <= bought[0] + WINDOW
    return [
        {
            "month": month,
            "first_purchases": one["first_purchases"],
            "repeated": one["repeated"],
        }
        for month, one in sorted(counts.items())
    ]


def count_outcomes(plan: Plan, contacts: Contacts) -> list[Record]:
    """Parcels that came to active customers, on time or late, and what followed."""
    purchases = list_purchases(contacts)
    rows = contacts.deliveries
    rows = rows.loc[rows["delivered_at"] < NEVER]
    arrived = plan.days.count_dates(rows["delivered_at"].to_numpy())
    is_late = rows["delivered_at"] >= rows["promised_until"]
    counts = {name: Counter[str]() for name in ("on_time", "late")}
    for customer, at, day, late in zip(
        rows["customer"].tolist(),
        rows["delivered_at"].tolist(),
        arrived.tolist(),
        is_late.tolist(),
        strict=True,
    ):
        bought = purchases.get(customer, [])
        if not is_active(bought, at):
            continue
        count = counts["late" if late else "on_time"]
        count["contacts"] += 1
        if day + WINDOW // DAY < plan.days.count:
            again = bisect_right(bought, at + WINDOW) > bisect_right(bought, at)
            count["mature"] += 1
            count["bought_again"] += again
            count["lost"] += not is_active(bought, at + WINDOW)
    names = ("contacts", "mature", "bought_again", "lost")
    return [
        {"delivery": delivery, **{name: count[name] for name in names}}
        for delivery, count in counts.items()
    ]
