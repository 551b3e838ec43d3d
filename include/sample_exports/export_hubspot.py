"""HubSpot's CSV files out of the plan.

In: plan and landing. Out: <landing>/hubspot/<feed>/<batch date>/<feed>.csv.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from include.sample_exports import catalogue
from include.sample_exports.landing_writer import LandingWriter, Lines, split_nights
from include.sample_exports.local_days import NEVER, IntArray
from include.sample_exports.plan import Plan
from include.sample_exports.render import (
    Text,
    fill_pattern,
    join,
    join_csv,
    mix_bits,
    quote_csv,
    take,
    write_booleans,
    write_dates,
    write_integers,
    write_money,
    write_times,
    write_vendor_ids,
)
from include.sample_exports.touchpoints import ACTIVITY_KINDS
from include.sample_exports.world import World

HEADERS: dict[str, tuple[str, ...]] = {
    "contacts": (
        "Record ID",
        "First Name",
        "Last Name",
        "Email",
        "Phone Number",
        "Document Number",
        "Country/Region",
        "City",
        "Preferred Language",
        "Lifecycle Stage",
        "Customer Segment",
        "Preferred Channel",
        "Associated Company ID",
        "Original Source",
        "Create Date",
        "Became a Customer Date",
        "Unsubscribed from all email",
        "Survey Opt-out",
        "Merged object IDs",
        "Last Modified Date",
    ),
    "companies": (
        "Record ID",
        "Company name",
        "Company Domain Name",
        "Industry",
        "Country/Region",
        "Number of Employees",
        "Create Date",
        "Last Modified Date",
    ),
    "deals": (
        "Record ID",
        "Deal Name",
        "Pipeline",
        "Deal Stage",
        "Amount",
        "Currency",
        "Associated Contact ID",
        "Create Date",
        "Close Date",
        "Last Modified Date",
    ),
    "deal_stage_history": (
        "Deal ID",
        "Deal Stage",
        "Date Entered",
        "Date Exited",
        "Source",
    ),
    "orders": (
        "Record ID",
        "Order Name",
        "Associated Contact ID",
        "Order Status",
        "Sales Channel",
        "Store",
        "Product Line",
        "Total Amount",
        "Net Amount",
        "Currency",
        "Order Date",
        "Last Modified Date",
    ),
    "deliveries": (
        "Record ID",
        "Order ID",
        "Associated Contact ID",
        "Delivery Method",
        "Carrier",
        "Shipped Date",
        "Promised Date",
        "Delivered Date",
        "Delivery Status",
        "Last Modified Date",
    ),
    "returns": (
        "Record ID",
        "Order ID",
        "Associated Contact ID",
        "Reason",
        "Refund Amount",
        "Currency",
        "Return Date",
        "Last Modified Date",
    ),
    "activities": (
        "Record ID",
        "Activity Type",
        "Event",
        "Direction",
        "Activity Date",
        "Associated Contact ID",
        "Visitor ID",
        "Subject",
        "Page URL",
        "Store",
        "Assigned To",
        "Last Modified Date",
    ),
}
SITE = "https://www.shop.example"
UNREADABLE_RECORD = 399_999_999
ALL_STORES = tuple(store for stores in catalogue.STORES for store in stores)
FIRST_STORE = np.cumsum([0, *(len(stores) for stores in catalogue.STORES)])[:-1]
ALL_FIRST_NAMES = [name for names in catalogue.FIRST_NAMES for name in names]
ALL_LAST_NAMES = [name for names in catalogue.LAST_NAMES for name in names]
STORE_COUNTS = np.array([len(stores) for stores in catalogue.STORES])


def write_hubspot(plan: Plan, landing: LandingWriter) -> None:
    """Write all HubSpot feeds."""
    _write_contacts(plan, landing)
    _write_companies(plan, landing)
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
    return plan.days.count // 2


def _write_delta(
    plan: Plan,
    landing: LandingWriter,
    feed: str,
    rows: pd.DataFrame,
    render: Callable[[pd.DataFrame], Text],
) -> None:
    for block, ranges in split_nights(rows, plan.days.count):
        lines = Lines(render(block))
        for night, first, end in ranges:
            chunks: list[bytes | memoryview] = [_header(feed), lines.cut(first, end)]
            if feed == "activities" and night == find_unreadable_night(plan):
                middle = (first + end) // 2
                chunks[1:] = [
                    lines.cut(first, middle),
                    _break_row(plan, night),
                    lines.cut(middle, end),
                ]
            _write_file(plan, landing, feed, night, chunks)


def _write_file(
    plan: Plan,
    landing: LandingWriter,
    feed: str,
    night: int,
    chunks: Sequence[bytes | memoryview],
) -> None:
    day = plan.days.dates[night].isoformat()
    landing.write(f"hubspot/{feed}/{day}/{feed}.csv", chunks)


def _header(feed: str) -> bytes:
    return (",".join(HEADERS[feed]) + "\n").encode()


def _break_row(plan: Plan, night: int) -> bytes:
    """The one unreadable row: a comma in the subject that nobody quoted."""
    at = np.array([plan.days.starts[night] + 43_200])
    time = write_times(at)[0].as_py()
    kind = ACTIVITY_KINDS[0]
    fields = [str(UNREADABLE_RECORD), kind.type, kind.event, kind.direction, time]
    fields += ["", "vis-broken", "Dicas, truques", f"{SITE}/blog/dicas", "", "", time]
    return (",".join(fields) + "\n").encode()


# ---------------------------------------------------------------------- snapshots


def _write_contacts(plan: Plan, landing: LandingWriter) -> None:
    """The whole contact list, every night; only changed lines are rendered again."""
    contacts = plan.world.contacts
    state = contacts[
        ["country", "segment", "lifecycle", "unsubscribed", "opt_out", "email"]
    ].assign(modified_at=contacts["created_at"])
    lines = np.empty(len(contacts), dtype=object)
    everybody = np.arange(len(contacts))
    merged: dict[int, list[int]] = {}
    for contact in np.flatnonzero(contacts["earlier_merged_id"]):
        merged[int(contact)] = [int(contacts["earlier_merged_id"][contact])]
    lines[:] = _render_contacts(plan.world, state, everybody, merged)
    changes = plan.world.changes
    first_night = contacts["first_night"].to_numpy()
    last_night = contacts["last_night"].to_numpy()
    borders = np.searchsorted(changes["night"], np.arange(plan.days.count + 1))
    for night in range(plan.days.count):
        tonight = changes.iloc[borders[night] : borders[night + 1]]
        if len(tonight):
            _apply_changes(plan.world, state, tonight, merged)
            touched = np.unique(tonight["contact"].to_numpy())
            lines[touched] = _render_contacts(plan.world, state, touched, merged)
        is_shown = (first_night <= night) & (night <= last_night)
        content = b"".join(lines[is_shown])
        _write_file(plan, landing, "contacts", night, [_header("contacts"), content])


def _apply_changes(
    world: World,
    state: pd.DataFrame,
    changes: pd.DataFrame,
    merged: dict[int, list[int]],
) -> None:
    """Bring the state up to the end of a night."""
    for field, group in changes.groupby("field", sort=True):
        if field == "merged":
            numbers = world.contacts["record_id"].to_numpy()
            for survivor, victim in zip(group["contact"], group["value"], strict=True):
                merged.setdefault(int(survivor), []).append(int(numbers[victim]))
        else:
            state.loc[group["contact"], field] = group["value"].to_numpy()
    latest = changes.drop_duplicates("contact", keep="last")
    state.loc[latest["contact"], "modified_at"] = latest["at"].to_numpy()


def render_addresses(world: World, email: IntArray) -> Text:
    """E-mail addresses of address codes: the first or second one of a contact."""
    email = np.asarray(email)
    count = len(world.contacts)
    owner = email % count
    first_name, last_name = _name_codes(world, owner)
    is_second = np.where(email < 0, -1, email >= count).astype(np.int64)
    return join(
        take([_spell_plainly(name) for name in ALL_FIRST_NAMES], first_name),
        ".",
        take([_spell_plainly(name) for name in ALL_LAST_NAMES], last_name),
        write_integers(owner + 1),
        take(("", "b"), is_second),
        "@",
        take(catalogue.MAIL_DOMAINS, world.contacts["language"].to_numpy()[owner]),
    )


def render_names(world: World, contact: IntArray) -> tuple[Text, Text]:
    """First and last names of contacts; null where the contact is negative."""
    contact = np.asarray(contact)
    first_name, last_name = _name_codes(world, contact)
    return (
        take(ALL_FIRST_NAMES, np.where(contact < 0, -1, first_name)),
        take(ALL_LAST_NAMES, np.where(contact < 0, -1, last_name)),
    )


def _name_codes(world: World, contact: IntArray) -> tuple[IntArray, IntArray]:
    language = world.contacts["language"].to_numpy()[contact]
    codes = []
    for column, lists in (
        ("first_name", catalogue.FIRST_NAMES),
        ("last_name", catalogue.LAST_NAMES),
    ):
        sizes = np.array([len(names) for names in lists])
        first = np.cumsum(sizes) - sizes
        drawn = world.contacts[column].to_numpy()[contact]
        codes.append(first[language] + drawn % sizes[language])
    return codes[0], codes[1]


def _spell_plainly(name: str) -> str:
    """A name as it stands in an e-mail address: "Ștefan" -> "stefan"."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub("[^a-z]", "", bare.lower())


def _render_contacts(
    world: World,
    state: pd.DataFrame,
    chosen: IntArray,
    merged: dict[int, list[int]],
) -> list[bytes]:
    """CSV lines of some contacts in their present state."""
    contacts = world.contacts.iloc[chosen]
    now = state.iloc[chosen]
    market = contacts["market"].to_numpy()
    countries = catalogue.COUNTRIES
    cities = [city for country in countries for city in country.cities]
    first_city = np.cumsum([0, *(len(country.cities) for country in countries)])[:-1]
    city_count = np.array([len(country.cities) for country in countries])
    city = first_city[market] + contacts["city"].to_numpy() % city_count[market]
    company = contacts["company"].to_numpy()
    company_id = np.where(
        company < 0, -1, world.companies["record_id"].to_numpy()[company]
    )
    first_name, last_name = render_names(world, chosen)
    taken_in = np.zeros(len(contacts), dtype=np.int64)
    lists = [""]
    for place, contact in enumerate(chosen):
        if contact in merged:
            taken_in[place] = len(lists)
            lists.append(";".join(str(number) for number in merged[contact]))
    text = join_csv(
        [
            write_integers(contacts["record_id"]),
            quote_csv(first_name),
            quote_csv(last_name),
            _write_as_typed(render_addresses(world, now["email"].to_numpy()), chosen),
            fill_pattern([c.phone for c in countries], market, contacts["phone"]),
            fill_pattern([c.document for c in countries], market, contacts["document"]),
            take([country.name for country in countries], now["country"]),
            quote_csv(take(cities, city)),
            take(catalogue.LANGUAGES, contacts["language"]),
            take(catalogue.LIFECYCLE_STAGES, now["lifecycle"]),
            take(catalogue.SEGMENTS, now["segment"]),
            take(catalogue.PREFERRED_CHANNELS, contacts["preferred_channel"]),
            write_integers(company_id, blank=-1),
            take(catalogue.ORIGINAL_SOURCES, contacts["source"]),
            write_times(contacts["created_at"]),
            write_times(_hide_later(contacts, now)),
            write_booleans(now["unsubscribed"]),
            write_booleans(now["opt_out"]),
            take(lists, taken_in),
            write_times(now["modified_at"]),
        ]
    )
    return [line.encode() for line in text.to_pylist()]


def _write_as_typed(address: Text, contact: IntArray) -> Text:
    """Every fortieth contact typed the address in capitals."""
    in_capitals = pa.array(contact % 40 == 11)
    return pc.if_else(in_capitals, pc.utf8_upper(address), address)


def _hide_later(contacts: pd.DataFrame, now: pd.DataFrame) -> IntArray:
    """Became a Customer Date: blank until the lifecycle stage says customer."""
    is_customer = now["lifecycle"] >= catalogue.LIFECYCLE_STAGES.index("customer")
    return np.where(is_customer, contacts["became_customer_at"], NEVER)


def _write_companies(plan: Plan, landing: LandingWriter) -> None:
    companies = plan.world.companies
    changes = plan.world.company_changes
    state = companies.assign(modified_at=companies["created_at"])
    for night in range(plan.days.count):
        tonight = changes.loc[changes["night"] == night]
        state.loc[tonight["company"], "employees"] = tonight["employees"].to_numpy()
        state.loc[tonight["company"], "modified_at"] = tonight["at"].to_numpy()
        if night == 0 or len(tonight):
            content = Lines(_render_companies(state)).cut(0, len(state))
        _write_file(plan, landing, "companies", night, [_header("companies"), content])


def render_company_names(companies: pd.DataFrame) -> Text:
    """Names of companies, with their legal form."""
    kinds = [kind for kinds in catalogue.COMPANY_KINDS for kind in kinds]
    return join(
        take(catalogue.COMPANY_STEMS, companies["stem"]),
        " ",
        write_integers(companies.index.to_numpy() % 89 + 11),
        " ",
        take(kinds, companies["kind"]),
    )


def _render_companies(companies: pd.DataFrame) -> Text:
    return join_csv(
        [
            write_integers(companies["record_id"]),
            quote_csv(render_company_names(companies)),
            join("company", write_integers(companies.index.to_numpy()), ".example"),
            take(catalogue.INDUSTRIES, companies["industry"]),
            take(
                [country.name for country in catalogue.COUNTRIES], companies["country"]
            ),
            write_integers(companies["employees"]),
            write_times(companies["created_at"]),
            write_times(companies["modified_at"]),
        ]
    )


# ------------------------------------------------------------------------- deltas


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
            quote_csv(take(ALL_STORES, store)),
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
    chance = (mix_bits(rows["record_id"].to_numpy()) >> np.uint64(2)).astype(np.int64)
    detail = chance % 10_007
    market = np.where(
        is_known,
        world.contacts["market"].to_numpy()[contact],
        chance % len(catalogue.COUNTRIES),
    )
    visitor = np.where(is_known, -1, chance % (2 * len(world.contacts)))
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
            quote_csv(take(ALL_STORES, np.where(is_store, store, -1))),
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
