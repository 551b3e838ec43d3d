"""What customers say in public: reviews on other people's sites.

In: the world, its orders and deliveries. Out: the rows of the feed reviews, with
`night`. Times are UTC seconds.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import STORES
from include.sample_exports.company.comments import (
    MOODS,
    TOPICS,
    read_bodies,
    read_closings,
    read_openings,
)
from include.sample_exports.company.touchpoints import HOUR_WEIGHTS
from include.sample_exports.company.weeks import ONLINE_WEEK
from include.sample_exports.plan.deltas import keep_told
from include.sample_exports.plan.draws import (
    draw_days,
    draw_lag,
    draw_seconds,
    draw_weighted,
    expect_per_day,
    pick,
)
from include.sample_exports.plan.journeys import Journeys
from include.sample_exports.plan.local_days import DAY, HOUR, NEVER, IntArray, LocalDays
from include.sample_exports.plan.world import World, draw_contacts

REVIEW_SITES = ("Google", "Reclame Aqui", "Trustpilot", "App Store")
SITE_WEIGHTS = (0.5, 0.2, 0.2, 0.1)
SITE_EFFECT = np.array([0.2, -1.1, 0.0, -0.2])
REVIEWS_PER_CUSTOMER = 0.004  # a night
ABOUT_AN_ORDER = 0.7
REPLIED = 0.45


def write_reviews(
    rng: np.random.Generator,
    customers: int,
    days: LocalDays,
    world: World,
    journeys: Journeys,
) -> pd.DataFrame:
    """Review rows: most about an order, some replied to, a few rated anew."""
    reviews = pd.concat(
        [
            _review_orders(rng, customers, days, journeys),
            _review_the_company(rng, customers, days, world),
        ],
        ignore_index=True,
    )
    reviews = reviews.sort_values("published_at", kind="stable", ignore_index=True)
    count = len(reviews)
    site = draw_weighted(rng, SITE_WEIGHTS, count)
    felt = 4.1 + reviews["effect"].to_numpy() + SITE_EFFECT[site]
    rating = np.clip(np.rint(felt + rng.normal(0, 1.1, count)), 1, 5).astype(np.int64)
    published_at = reviews["published_at"].to_numpy()
    is_replied = rng.random(count) < REPLIED
    is_replied[:1] = True
    replied_at = published_at + draw_lag(rng, 1.5 * DAY, count, at_least=HOUR)
    replied_at[:1] = published_at[:1] + 30 * HOUR
    contact = reviews["contact"].to_numpy()
    language = world.contacts["language"].to_numpy()[contact]
    told = reviews.drop(columns="effect").assign(
        review=np.arange(count), site=site, rating=rating, language=language
    )
    told = told.assign(**_choose_words(rng, told))
    published = told.assign(at=published_at, replied_at=NEVER)
    replied = told.assign(at=replied_at, replied_at=replied_at).loc[is_replied]
    # Who was answered sometimes thinks better of it.
    again = replied.loc[rng.random(len(replied)) < 0.15]
    again = again.assign(
        at=again["at"] + rng.integers(2 * HOUR, 3 * DAY, len(again)),
        rating=np.minimum(again["rating"] + 1, 5),
    )
    return keep_told(pd.concat([published, replied, again]), days, "review")


def _review_orders(
    rng: np.random.Generator, customers: int, days: LocalDays, journeys: Journeys
) -> pd.DataFrame:
    """Reviews of delivered orders, the worse the later the parcel came."""
    deliveries = journeys.deliveries
    is_known = (deliveries["contact"] >= 0) & ~deliveries["is_failed"]
    candidates = np.flatnonzero(is_known)
    wanted = round(ABOUT_AN_ORDER * REVIEWS_PER_CUSTOMER * customers * days.count)
    # The first parcel is reviewed in any case.
    arrived_at = deliveries["delivered_at"].to_numpy()
    first = int(candidates[arrived_at[candidates].argmin()])
    chosen = np.union1d(pick(rng, candidates, wanted), [first])
    about = deliveries.iloc[chosen]
    orders = journeys.orders.iloc[about["order"].to_numpy()]
    wait = rng.integers(2 * HOUR, 8 * DAY, len(about))
    wait[chosen == first] = 2 * HOUR
    late = np.maximum(about["days_late"].to_numpy(), 0)
    return _keep_within(
        days,
        pd.DataFrame(
            {
                "contact": about["contact"].to_numpy(),
                "order_id": orders["record_id"].to_numpy(),
                "store": -1,
                "published_at": about["delivered_at"].to_numpy() + wait,
                "effect": 0.2 - 0.8 * late,
            }
        ),
    )


def _review_the_company(
    rng: np.random.Generator, customers: int, days: LocalDays, world: World
) -> pd.DataFrame:
    """Reviews without an order number, some of them of a store."""
    mean = (1 - ABOUT_AN_ORDER) * REVIEWS_PER_CUSTOMER * customers
    day = draw_days(rng, expect_per_day(days, mean, ONLINE_WEEK))
    if not len(day):
        day = np.array([0])
    at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS["evening"], len(day)))
    contact = draw_contacts(rng, world, at, customers_only=True)
    market = world.contacts["market"].to_numpy()[contact]
    counts = np.array([len(stores) for stores in STORES])
    store = (np.cumsum(counts) - counts)[market] + at % counts[market]
    return pd.DataFrame(
        {
            "contact": contact,
            "order_id": -1,
            "store": np.where(rng.random(len(at)) < 0.4, store, -1),
            "published_at": at,
            "effect": -0.2,
        }
    )


def _keep_within(days: LocalDays, reviews: pd.DataFrame) -> pd.DataFrame:
    at = reviews["published_at"]
    kept: pd.DataFrame = reviews.loc[(at >= days.starts[0]) & (at < days.end)]
    return kept


def _choose_words(
    rng: np.random.Generator, reviews: pd.DataFrame
) -> dict[str, IntArray]:
    """Title and text by language and rating; every sixth review is stars alone."""
    count = len(reviews)
    language = reviews["language"].to_numpy()
    rating = reviews["rating"].to_numpy()
    mood = (rating >= 3).astype(np.int64) + (rating >= 4)
    names = np.where(reviews["order_id"] >= 0, "delivery", "general")
    names = np.where(reviews["store"] >= 0, "store", names)
    topic = np.array([TOPICS.index(name) for name in names], dtype=np.int64)
    is_silent = rng.random(count) < 1 / 6
    chosen = {}
    for column, choices, group in (
        ("opening", read_openings(), language * len(MOODS) + mood),
        ("body", read_bodies(), (language * len(TOPICS) + topic) * 2 + (rating >= 4)),
        ("closing", read_closings(), language),
    ):
        first, size = np.array(choices.first), np.array(choices.size)
        code = first[group] + rng.integers(0, 1 << 30, count) % size[group]
        chosen[column] = np.where(is_silent, -1, code)
    return chosen
