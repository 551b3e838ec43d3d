"""Whom the surveys ask, and what becomes of the invitations.

In: the world, its orders, deliveries and tickets. Out: one row per invitation, and the
rows of the distribution history with `night`. Times are UTC seconds.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.surveys import (
    COMPLAINT,
    CONTACT,
    DELIVERY,
    DISTRIBUTION_STATUSES,
    PURCHASE,
    RELATIONAL,
    SUPPORT,
    SURVEYS,
)
from include.sample_exports.company.touchpoints import HOUR_WEIGHTS
from include.sample_exports.company.weeks import ONLINE_WEEK
from include.sample_exports.parameters import SampleParameters
from include.sample_exports.plan.deltas import keep_told
from include.sample_exports.plan.draws import (
    draw_days,
    draw_lag,
    draw_seconds,
    expect_per_day,
    pick,
)
from include.sample_exports.plan.journeys import Journeys
from include.sample_exports.plan.local_days import (
    DAY,
    HOUR,
    MINUTE,
    NEVER,
    FloatArray,
    IntArray,
    LocalDays,
)
from include.sample_exports.plan.tickets import Support
from include.sample_exports.plan.world import World, draw_contacts

# The column of an invitation that says when it reached each status, in order.
STATUS_TIMES = (
    ("Sent", "sent_at"),
    ("Delivered", "delivered_at"),
    ("Bounced", "bounced_at"),
    ("Failed", "failed_at"),
    ("Opened", "opened_at"),
    ("Started", "started_at"),
    ("Finished", "completed_at"),
)
USE_PER_CUSTOMER = 0.028  # invitations a night
LOYALTY_PER_CUSTOMER = 0.014
CONTACT_PER_CUSTOMER = 0.02
COMPLAINTS = 0.12  # share of the solved tickets that are asked about in confidence
SALES_CHANNEL_EFFECT = np.array([0.0, 0.12, 0.25, -0.05, 0.2])
# The web form falls behind the other ways to ask for support.
TICKET_CHANNEL_EFFECT = np.array([-0.1, -0.6, 0.1, 0.05, 0.25, 0.15, -0.45, 0.05, 0.0])


def invite_everybody(
    rng: np.random.Generator, days: LocalDays, world: World
) -> pd.DataFrame:
    """Relational survey: every customer once in 60 nights, on a working-day morning."""
    contacts = world.contacts
    count = len(contacts)
    rounds = int(np.ceil(days.count / 60))
    day = rng.integers(0, min(days.count, 60), (rounds, count))
    day += 60 * np.arange(rounds)[:, None]
    # The pair and the mover are asked on the first day: they have a past.
    featured = world.featured
    day[0, featured] = 0
    day = day.ravel()
    is_asked = day < days.count
    day = np.minimum(day, days.count - 1)
    contact = np.tile(np.arange(count), rounds)
    at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS["morning"], len(day)))
    is_there = (at >= contacts["became_customer_at"].to_numpy()[contact]) & (
        at < contacts["gone_at"].to_numpy()[contact]
    )
    invitations = _invitation_frame(RELATIONAL, contact, at, world)
    is_featured = (day == 0) & np.isin(contact, featured)
    return invitations.assign(is_sure=is_featured).loc[is_asked & is_there]


def invite_about_orders(
    rng: np.random.Generator, days: LocalDays, world: World, journeys: Journeys
) -> pd.DataFrame:
    orders = journeys.orders.loc[journeys.orders["contact"] >= 0]
    at = orders["at"].to_numpy() + rng.integers(10 * MINUTE, 3 * HOUR, len(orders))
    effect = SALES_CHANNEL_EFFECT[orders["channel"]]
    return _invitation_frame(
        PURCHASE,
        orders["contact"].to_numpy(),
        at,
        world,
        object_id=orders["record_id"].to_numpy(),
        effect=effect,
    )


def invite_about_deliveries(
    rng: np.random.Generator, days: LocalDays, world: World, journeys: Journeys
) -> pd.DataFrame:
    deliveries = journeys.deliveries
    is_asked = (deliveries["contact"] >= 0) & ~deliveries["is_failed"]
    asked = deliveries.loc[is_asked]
    late = asked["days_late"].to_numpy()
    return _invitation_frame(
        DELIVERY,
        asked["contact"].to_numpy(),
        asked["delivered_at"].to_numpy() + rng.integers(HOUR, 20 * HOUR, len(asked)),
        world,
        object_id=asked["record_id"].to_numpy(),
        effect=0.2 - 0.35 * np.maximum(late, 0) + 0.15 * asked["method"].to_numpy(),
    )


def invite_about_tickets(
    rng: np.random.Generator, days: LocalDays, world: World, support: Support
) -> pd.DataFrame:
    tickets = support.tickets
    is_asked = (tickets["contact"] >= 0) & (tickets["solved_at"] < NEVER)
    asked = tickets.loc[is_asked]
    hours = (asked["solved_at"] - asked["created_at"]).to_numpy() / HOUR
    effect = (
        TICKET_CHANNEL_EFFECT[asked["channel"]] + 0.3 - 0.012 * np.minimum(hours, 90)
    )
    invitations = _invitation_frame(
        SUPPORT,
        asked["contact"].to_numpy(),
        asked["solved_at"].to_numpy() + rng.integers(10 * MINUTE, 2 * HOUR, len(asked)),
        world,
        object_id=asked["ticket_id"].to_numpy(),
        effect=effect,
    )
    return invitations.assign(is_sure=asked["ticket"].to_numpy() < 3)


def invite_complainants(
    rng: np.random.Generator, world: World, support: Support
) -> pd.DataFrame:
    """Some of those whose ticket was solved, a day or two later, in confidence."""
    tickets = support.tickets
    is_asked = (
        (tickets["contact"] >= 0)
        & (tickets["solved_at"] < NEVER)
        & (rng.random(len(tickets)) < COMPLAINTS)
    )
    asked = tickets.loc[is_asked]
    at = asked["solved_at"].to_numpy() + rng.integers(DAY, 2 * DAY, len(asked))
    return _invitation_frame(
        COMPLAINT,
        asked["contact"].to_numpy(),
        at,
        world,
        object_id=asked["ticket_id"].to_numpy(),
    )


def invite_after_touches(
    rng: np.random.Generator,
    parameters: SampleParameters,
    days: LocalDays,
    world: World,
    activities: pd.DataFrame,
) -> pd.DataFrame:
    """After a touch of late; after two touches of one second; and just anybody."""
    known = activities.loc[activities["contact"] >= 0]
    is_second = known.duplicated(["contact", "at"], keep="first")
    alone = known.loc[~is_second]
    count = round(CONTACT_PER_CUSTOMER * parameters.customers * days.count)
    chosen = alone.iloc[pick(rng, np.arange(len(alone)), count * 3 // 4)]
    after = _invitation_frame(
        CONTACT,
        chosen["contact"].to_numpy(),
        chosen["at"].to_numpy() + rng.integers(HOUR, 6 * DAY, len(chosen)),
        world,
    )
    torn = known.loc[is_second]
    torn_at = torn["at"].to_numpy() + rng.integers(2 * MINUTE, 40 * MINUTE, len(torn))
    between = _invitation_frame(CONTACT, torn["contact"].to_numpy(), torn_at, world)
    day = draw_days(rng, np.full(days.count, count / 4 / days.count))
    at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS["morning"], len(day)))
    anybody = draw_contacts(rng, world, at, customers_only=True)
    return pd.concat(
        [
            after,
            between.assign(is_sure=np.arange(len(torn)) < 4),
            _invitation_frame(CONTACT, anybody, at, world),
        ],
        ignore_index=True,
    )


def invite_some(
    rng: np.random.Generator,
    parameters: SampleParameters,
    days: LocalDays,
    world: World,
    survey: int,
    per_customer: float,
) -> pd.DataFrame:
    """A random sample of customers each day, and the mover late in the nights."""
    expected = expect_per_day(days, per_customer * parameters.customers, ONLINE_WEEK)
    day = draw_days(rng, expected, at_least=2)
    at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS["morning"], len(day)))
    contact = draw_contacts(rng, world, at, customers_only=True)
    first_after_move = int(np.searchsorted(day, days.count // 2 + 1))
    contact[first_after_move] = world.mover
    is_sure = np.arange(len(day)) == first_after_move
    return _invitation_frame(survey, contact, at, world).assign(is_sure=is_sure)


def _invitation_frame(
    survey: int,
    contact: IntArray,
    at: IntArray,
    world: World,
    object_id: IntArray | None = None,
    effect: FloatArray | None = None,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "survey": survey,
            "contact": contact,
            "sent_at": at,
            "object_id": -1 if object_id is None else object_id,
            "effect": 0.0 if effect is None else effect,
            "is_sure": False,
        }
    )


def send(
    rng: np.random.Generator, days: LocalDays, world: World, invitations: pd.DataFrame
) -> pd.DataFrame:
    """Send the invitations and see what becomes of them.

    A mailing (distribution) is one survey on one day; a person is in it once. Adds day,
    channel, and the times delivered_at, bounced_at, failed_at, opened_at, started_at
    and completed_at (or NEVER).
    """
    contacts = world.contacts
    contact = invitations["contact"].to_numpy()
    sent_at = invitations["sent_at"].to_numpy()
    may_be_asked = contacts["opt_out"].to_numpy()[contact] == 0
    is_there = sent_at < contacts["gone_at"].to_numpy()[contact]
    is_sent = (sent_at < days.end) & may_be_asked & is_there
    sent = pd.DataFrame(invitations.loc[is_sent])
    sent = sent.assign(day=days.day_of(sent["sent_at"].to_numpy()))
    sent = sent.sort_values(["sent_at", "survey", "contact"], kind="stable")
    # Who surely answers keeps its place in the mailing.
    sent = sent.sort_values("is_sure", ascending=False, kind="stable")
    sent = sent.drop_duplicates(["survey", "day", "contact"]).sort_index()
    sent = sent.reset_index(drop=True)
    count = len(sent)
    is_sure = sent["is_sure"].to_numpy()
    at = sent["sent_at"].to_numpy()
    survey = sent["survey"].to_numpy()
    language = contacts["language"].to_numpy()[sent["contact"]]
    by_phone = rng.random(count) < np.where(language == 0, 0.45, 0.2)
    channel = np.where(
        by_phone & (survey != RELATIONAL), np.where(language == 0, 2, 1), 0
    )
    luck = np.where(is_sure, 0.5, rng.random(count))
    is_bounced = (luck < 0.02) & (channel == 0)
    is_failed = (luck < 0.03) & (channel > 0)
    is_delivered = ~(is_bounced | is_failed)
    rate = np.array([one.response_rate for one in SURVEYS])[survey]
    wish = np.where(is_sure, 0.0, rng.random(count))
    is_opened = is_delivered & (wish < np.minimum(rate * 2.1, 0.95))
    is_started = is_delivered & (wish < rate * 1.06)
    is_finished = is_delivered & (wish < rate)
    wait = np.where(is_sure, HOUR, draw_lag(rng, 20 * HOUR, count, at_least=2 * MINUTE))
    opened_at = at + wait
    started_at = opened_at + rng.integers(5, 20 * MINUTE, count)
    completed_at = started_at + 40 + rng.integers(0, 5 * MINUTE, count)
    happened = {
        "delivered_at": (is_delivered, at + rng.integers(1, 40, count)),
        "bounced_at": (is_bounced, at + rng.integers(1, 90, count)),
        "failed_at": (is_failed, at + rng.integers(1, 90, count)),
        "opened_at": (is_opened, opened_at),
        "started_at": (is_started, started_at),
        "completed_at": (is_finished, completed_at),
    }
    by_object = np.isin(survey, [PURCHASE, DELIVERY])
    return sent.assign(
        invitation=np.arange(count),
        # A short message has no room for ids: the invitation knows what sent it.
        is_triggered=by_object & (channel > 0),
        channel=channel,
        **{
            name: np.where(is_so, moment, NEVER)
            for name, (is_so, moment) in happened.items()
        },
    )


def tell_distributions(
    days: LocalDays, invitations: pd.DataFrame, responses: pd.DataFrame
) -> pd.DataFrame:
    """Rows of the distribution history: again each night on which a status advanced.

    Columns: invitation, status, at (of the status), response (or -1), night.
    """
    frames = []
    for status, column in STATUS_TIMES:
        at = invitations[column].to_numpy()
        invitation = np.flatnonzero(at < days.end)
        code = DISTRIBUTION_STATUSES.index(status)
        frames.append(
            pd.DataFrame(
                {"invitation": invitation, "status": code, "at": at[invitation]}
            )
        )
    rows = keep_told(pd.concat(frames, ignore_index=True), days, "invitation")
    response_of = np.full(len(invitations), -1)
    invited = responses.loc[responses["invitation"] >= 0]
    response_of[invited["invitation"]] = invited["response"]
    is_finished = rows["status"] == DISTRIBUTION_STATUSES.index("Finished")
    rows["response"] = np.where(is_finished, response_of[rows["invitation"]], -1)
    return rows
