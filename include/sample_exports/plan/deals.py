"""Sales to companies: deals and the stages that they go through.

In: the world. Out: rows of the feeds deals and deal_stage_history. Times are UTC
seconds.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import (
    COUNTRIES,
    CURRENCIES,
    CURRENCY_PER_EURO,
    DEAL_SOURCES,
)
from include.sample_exports.company.touchpoints import HOUR_WEIGHTS
from include.sample_exports.company.weeks import OFFICE_WEEK
from include.sample_exports.plan.deltas import keep_told
from include.sample_exports.plan.draws import draw_days, draw_seconds, expect_per_day
from include.sample_exports.plan.local_days import DAY, HOUR, NEVER, LocalDays
from include.sample_exports.plan.world import World, draw_contacts

DEALS_PER_CUSTOMER = 0.004
WON, LOST = 4, 5


def pursue_deals(
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
