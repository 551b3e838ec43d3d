"""HubSpot's CSV files out of the plan.

In: plan and landing. Out: <landing>/hubspot/<feed>/<batch date>/<feed>.csv.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain

import numpy as np
import pandas as pd

from include.sample_exports.company import catalogue
from include.sample_exports.company.touchpoints import ACTIVITY_KINDS
from include.sample_exports.export.hubspot_files import write_file, write_header
from include.sample_exports.export.hubspot_snapshots import (
    write_companies,
    write_contacts,
)
from include.sample_exports.export.landing_writer import (
    LandingWriter,
    Part,
    render_nights,
)
from include.sample_exports.export.render import (
    Text,
    join,
    join_csv,
    quote_csv,
    take,
    write_dates,
    write_integers,
    write_money,
    write_times,
    write_vendor_ids,
)
from include.sample_exports.plan.activities import draw_chances, number_visitors
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.world import World

SITE = "https://www.shop.example"
UNREADABLE_RECORD = 399_999_999
FIRST_STORE = np.cumsum([0, *(len(stores) for stores in catalogue.STORES)])[:-1]
STORE_COUNTS = np.array([len(stores) for stores in catalogue.STORES])


def write_hubspot(plan: Plan, landing: LandingWriter) -> None:
    """Write all HubSpot feeds."""
    write_contacts(plan, landing)
    write_companies(plan, landing)
    journeys = plan.journeys
    deltas: tuple[tuple[str, pd.DataFrame, Callable[[pd.DataFrame], Text]], ...] = (
        ("deals", journeys.deal_rows, _render_deals),
        ("deal_stage_history", journeys.deal_stage_rows, _render_deal_stages),
        ("orders", journeys.order_rows, _render_orders),
        ("deliveries", journeys.delivery_rows, _render_deliveries),
        ("returns", journeys.return_rows, _render_returns),
        ("activities", journeys.activity_rows, partial(_render_activities, plan.world)),
    )
    for feed, rows, render in deltas:
        _write_delta(plan, landing, feed, rows, render)


def find_unreadable_night(plan: Plan) -> int:
    """The night whose activities hold the one row with a field too many."""
    return max(plan.days.count // 2, plan.export_nights.start)


def _write_delta(
    plan: Plan,
    landing: LandingWriter,
    feed: str,
    rows: pd.DataFrame,
    render: Callable[[pd.DataFrame], Text],
) -> None:
    for night, parts in render_nights(rows, plan.export_nights, render):
        is_broken = feed == "activities" and night == find_unreadable_night(plan)
        cuts = _cut_around(parts, _break_row(plan, night)) if is_broken else _cut(parts)
        write_file(plan, landing, feed, night, chain([write_header(feed)], cuts))


def _cut(parts: Iterable[Part]) -> Iterator[bytes | memoryview]:
    return (part.cut() for part in parts)


def _cut_around(parts: Iterable[Part], line: bytes) -> Iterator[bytes | memoryview]:
    """The lines of all parts, with one more in the middle of the first part."""
    for number, part in enumerate(parts):
        if number == 0:
            middle = (part.first + part.end) // 2
            yield part.lines.cut(part.first, middle)
            yield line
            yield part.lines.cut(middle, part.end)
        else:
            yield part.cut()


def _break_row(plan: Plan, night: int) -> bytes:
    """The one unreadable row: a comma in the subject that nobody quoted."""
    at = np.array([plan.days.starts[night] + 43_200])
    time = write_times(at)[0].as_py()
    kind = ACTIVITY_KINDS[0]
    fields = [str(UNREADABLE_RECORD), kind.type, kind.event, kind.direction, time]
    fields += ["", "vis-broken", "Dicas, truques", f"{SITE}/blog/dicas", "", "", time]
    return (",".join(fields) + "\n").encode()


def _render_deals(rows: pd.DataFrame) -> Text:
    return join_csv(
        [
            write_integers(rows["deal_id"]),
            join("Deal ", write_integers(rows["deal_id"])),
            take(("default",), np.zeros(len(rows), dtype=np.int64)),
            take(catalogue.DEAL_STAGES, rows["stage"]),
            write_money(rows["amount"]),
            take(catalogue.CURRENCIES, rows["currency"]),
            write_integers(rows["contact_id"]),
            write_times(rows["created_at"]),
            write_times(rows["close_at"]),
            write_times(rows["at"]),
        ]
    )


def _render_deal_stages(rows: pd.DataFrame) -> Text:
    return join_csv(
        [
            write_integers(rows["deal_id"]),
            take(catalogue.DEAL_STAGES, rows["stage"]),
            write_times(rows["entered_at"]),
            write_times(rows["exited_at"]),
            take(catalogue.DEAL_SOURCES, rows["source"]),
        ]
    )


def _render_orders(rows: pd.DataFrame) -> Text:
    store = rows["store"].to_numpy()
    store = np.where(store < 0, -1, FIRST_STORE[rows["market"]] + store)
    return join_csv(
        [
            write_integers(rows["record_id"]),
            join("#", write_integers(rows["record_id"].to_numpy() % 10**7)),
            write_integers(rows["contact_id"]),
            take(catalogue.ORDER_STATUSES, rows["status"]),
            take(catalogue.SALES_CHANNELS, rows["channel"]),
            quote_csv(take(catalogue.ALL_STORES, store)),
            take(catalogue.PRODUCT_LINES, rows["line"]),
            write_money(rows["total"]),
            write_money(rows["net"]),
            take(catalogue.CURRENCIES, rows["currency"]),
            write_times(rows["ordered_at"]),
            write_times(rows["at"]),
        ]
    )


def _render_deliveries(rows: pd.DataFrame) -> Text:
    return join_csv(
        [
            write_integers(rows["record_id"]),
            write_integers(rows["order_id"]),
            write_integers(rows["contact_id"]),
            take(catalogue.DELIVERY_METHODS, rows["method"]),
            take(catalogue.CARRIERS, rows["carrier"]),
            write_times(rows["shipped_at"]),
            write_dates(rows["promised_at"]),
            write_times(rows["delivered_at"]),
            take(catalogue.DELIVERY_STATUSES, rows["status"]),
            write_times(rows["at"]),
        ]
    )


def _render_returns(rows: pd.DataFrame) -> Text:
    return join_csv(
        [
            write_integers(rows["record_id"]),
            write_integers(rows["order_id"]),
            write_integers(rows["contact_id"]),
            take(catalogue.RETURN_REASONS, rows["reason"]),
            write_money(rows["refund"]),
            take(catalogue.CURRENCIES, rows["currency"]),
            write_times(rows["at"]),
            write_times(rows["at"]),
        ]
    )


def _render_activities(world: World, rows: pd.DataFrame) -> Text:
    kind = rows["kind"].to_numpy()
    contact = rows["contact"].to_numpy()
    is_known = contact >= 0
    # What nobody counts is drawn out of the number of the activity.
    chance = draw_chances(rows["record_id"])
    detail = chance % 10_007
    market = np.where(
        is_known,
        world.contacts["market"].to_numpy()[contact],
        chance % len(catalogue.COUNTRIES),
    )
    visitor = number_visitors(rows["record_id"], len(world.contacts))
    visitor = np.where(is_known, -1, visitor)
    contact_id = world.contacts["record_id"].to_numpy()[contact]
    types = np.array([one.type for one in ACTIVITY_KINDS])[kind]
    is_page = np.isin(types, ["WEB_VISIT", "BLOG_VISIT"])
    is_store = np.isin(types, ["STORE_VISIT", "KIOSK"])
    is_personal = np.isin(types, ["CALL", "MEETING", "CHAT", "WHATS_APP"])
    is_letter = types == "EMAIL"
    path = [f"{SITE}/{_path_of(one.event)}" for one in ACTIVITY_KINDS]
    tails = (*catalogue.ARTICLES, *catalogue.PRODUCT_PAGES)
    blog = types == "BLOG_VISIT"
    tail = detail % 6 + np.where(blog, 0, len(catalogue.ARTICLES))
    store = FIRST_STORE[market] + detail % STORE_COUNTS[market]
    return join_csv(
        [
            write_integers(rows["record_id"]),
            take([one.type for one in ACTIVITY_KINDS], kind),
            take([one.event for one in ACTIVITY_KINDS], kind),
            take([one.direction for one in ACTIVITY_KINDS], kind),
            write_times(rows["at"]),
            write_integers(np.where(is_known, contact_id, -1), blank=-1),
            write_vendor_ids("vis-", visitor, 10),
            quote_csv(
                take(
                    catalogue.NEWSLETTER_SUBJECTS,
                    np.where(is_letter, np.array([0, 1, 2, 0, 3, 1])[market], -1),
                )
            ),
            join(
                take(path, np.where(is_page, kind, -1)),
                take(("/",), np.where(is_page, 0, -1)),
                take(tails, np.where(is_page, tail, -1)),
            ),
            quote_csv(take(catalogue.ALL_STORES, np.where(is_store, store, -1))),
            take(
                catalogue.EMPLOYEES,
                np.where(is_personal, detail % len(catalogue.EMPLOYEES), -1),
            ),
            write_times(rows["at"]),
        ]
    )


def _path_of(event: str) -> str:
    """The site's folder of a page event: price_page_viewed -> price."""
    for ending in ("_page_viewed", "_article_viewed", "_viewed", "_read"):
        event = event.removesuffix(ending)
    return event.replace("_", "-")
