"""HubSpot's snapshots out of the plan: contacts and companies.

In: plan and landing. Out: the whole list as it stood at the end of every night.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from include.sample_exports.company import catalogue
from include.sample_exports.export.hubspot_files import write_file, write_header
from include.sample_exports.export.landing_writer import LandingWriter, Lines
from include.sample_exports.export.people import (
    render_addresses,
    render_company_names,
    render_names,
)
from include.sample_exports.export.render import (
    Text,
    fill_pattern,
    join,
    join_csv,
    quote_csv,
    take,
    write_booleans,
    write_integers,
    write_times,
)
from include.sample_exports.plan.local_days import NEVER, IntArray
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.world import World


def write_contacts(plan: Plan, landing: LandingWriter) -> None:
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
        if night not in plan.export_nights:
            continue
        is_shown = (first_night <= night) & (night <= last_night)
        content = b"".join(lines[is_shown])
        write_file(
            plan, landing, "contacts", night, [write_header("contacts"), content]
        )


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


def write_companies(plan: Plan, landing: LandingWriter) -> None:
    companies = plan.world.companies
    changes = plan.world.company_changes
    state = companies.assign(modified_at=companies["created_at"])
    for night in range(plan.days.count):
        tonight = changes.loc[changes["night"] == night]
        state.loc[tonight["company"], "employees"] = tonight["employees"].to_numpy()
        state.loc[tonight["company"], "modified_at"] = tonight["at"].to_numpy()
        if night not in plan.export_nights:
            continue
        if night == plan.export_nights.start or len(tonight):
            content = Lines(_render_companies(state)).cut(0, len(state))
        write_file(
            plan, landing, "companies", night, [write_header("companies"), content]
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
