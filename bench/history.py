"""The exports of the history benchmark: a year in one export, then single nights.

In: a number of customers. Out: two landing zones of the same company with the same
customers: `full`, whose first export holds a whole year, and `tenth`, whose first
export holds the last tenth of that year. The nights after it are the same, byte for
byte, so that a night can be built on either past.

The customers of the sample generator are busy: two months of them fill a year of calmer
ones. So the world is made with all customers, and what happens in it as if there were
fewer: 200,000 of them do 5 million things, open a million tickets and give a million
answers in the year.
"""

from dataclasses import fields, replace
from pathlib import Path

import pandas as pd

from include.sample_exports import SampleParameters
from include.sample_exports.export.hubspot import write_hubspot
from include.sample_exports.export.landing_writer import LandingWriter
from include.sample_exports.export.qualtrics import write_qualtrics
from include.sample_exports.export.zendesk import write_zendesk
from include.sample_exports.plan.faults import plant_faults
from include.sample_exports.plan.first_export import deliver_first_nights_together
from include.sample_exports.plan.founding import build_world
from include.sample_exports.plan.journeys import build_journeys
from include.sample_exports.plan.listening import build_listening
from include.sample_exports.plan.local_days import count_local_days
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.tickets import build_support

HISTORY_NIGHTS = 365
TENTH_NIGHTS = 36
# Customers that are as busy as those of the sample, of all customers.
BUSY_SHOPPING = 35 / 365
BUSY_ASKING_FOR_HELP = 109 / 365
BUSY_ANSWERING = 20 / 365
SEED = 20_261_121
# Who there is; everything else is what happened.
LISTS_OF_PEOPLE = ("user_rows", "organization_rows")


def describe_history(customers: int, nights: int) -> SampleParameters:
    """Return the sample's parameters: a year as the first export, then `nights`."""
    return SampleParameters(
        customers=customers,
        nights=HISTORY_NIGHTS + nights,
        seed=SEED,
        first_export_nights=HISTORY_NIGHTS,
    )


def write_history(parameters: SampleParameters, landing: Path) -> dict[str, int]:
    """Write both landing zones below `landing`; return what they hold."""
    counts: dict[str, int] = {"customers": parameters.customers}
    for name, nights in (("full", HISTORY_NIGHTS), ("tenth", TENTH_NIGHTS)):
        plan = _plan_company(parameters)
        _forget_nights_before(plan, HISTORY_NIGHTS - nights)
        deliver_first_nights_together(plan)
        writer = LandingWriter(str(landing / name))
        write_hubspot(plan, writer)
        write_qualtrics(plan, writer)
        write_zendesk(plan, writer)
        rows = sum(
            int((rows["night"] < HISTORY_NIGHTS).sum()) for _, rows in _list_feeds(plan)
        )
        counts[f"{name}_history_rows"] = rows
    return counts


def _plan_company(parameters: SampleParameters) -> Plan:
    days = count_local_days(
        parameters.first_night, parameters.nights, parameters.reporting_time_zone
    )
    world = build_world(parameters, days)
    journeys = build_journeys(_slow(parameters, BUSY_SHOPPING), days, world)
    support = build_support(_slow(parameters, BUSY_ASKING_FOR_HELP), days, world)
    listening = build_listening(
        _slow(parameters, BUSY_ANSWERING), days, world, journeys, support
    )
    plan = Plan(parameters, days, world, journeys, support, listening)
    plant_faults(plan)
    return plan


def _slow(parameters: SampleParameters, share: float) -> SampleParameters:
    """The parameters of what happens, when only a share of the customers is busy."""
    return replace(parameters, customers=max(100, round(parameters.customers * share)))


def _forget_nights_before(plan: Plan, night: int) -> None:
    """Leave out what the exports before a night told; customers stay."""
    for part in (plan.journeys, plan.support, plan.listening):
        for field in fields(part):
            rows = getattr(part, field.name)
            if field.name.endswith("_rows") and field.name not in LISTS_OF_PEOPLE:
                kept = rows.loc[rows["night"] >= night].reset_index(drop=True)
                setattr(part, field.name, kept)


def _list_feeds(plan: Plan) -> list[tuple[str, pd.DataFrame]]:
    return [
        (field.name, getattr(part, field.name))
        for part in (plan.journeys, plan.support, plan.listening)
        for field in fields(part)
        if field.name.endswith("_rows")
    ]
