"""What customers are asked and what they answer.

In: the world, its orders, deliveries and tickets. Out: rows of the Qualtrics feeds: the
invitations (distributions) and the responses, with `night`. Times are UTC seconds, a
blank score is -1.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.sample_exports.comments import (
    MOODS,
    TOPICS,
    Choices,
    read_bodies,
    read_closings,
    read_openings,
)
from include.sample_exports.draws import (
    Stream,
    draw_days,
    draw_lag,
    draw_seconds,
    draw_weighted,
    expect_per_day,
    open_stream,
)
from include.sample_exports.journeys import ONLINE_WEEK, SHOP_WEEK, Journeys, keep_told
from include.sample_exports.local_days import (
    HOUR,
    MINUTE,
    NEVER,
    FloatArray,
    IntArray,
    LocalDays,
)
from include.sample_exports.parameters import SampleParameters
from include.sample_exports.tickets import Support
from include.sample_exports.touchpoints import CODE_OF, HOUR_WEIGHTS
from include.sample_exports.world import World, draw_contacts


@dataclass(frozen=True)
class Survey:
    """One survey of the company.

    metrics : the scored questions
    object : what the embedded id is of: order, delivery, ticket or none
    response_rate : finished / delivered invitations
    """

    survey_id: str
    kind: str
    metrics: tuple[str, ...]
    topic: str
    stage: str = ""
    object: str = ""
    has_drivers: bool = False
    response_rate: float = 0.3
    quality: float = 0.0


SURVEYS = (
    Survey(
        "SV_NPS_RELATIONAL",
        "relational",
        ("nps",),
        "general",
        has_drivers=True,
        response_rate=0.38,
    ),
    Survey(
        "SV_NPS_PURCHASE",
        "transactional",
        ("nps",),
        "purchase",
        object="order",
        response_rate=0.36,
        quality=0.15,
    ),
    Survey(
        "SV_CSAT_DELIVERY",
        "transactional",
        ("csat",),
        "delivery",
        object="delivery",
        response_rate=0.4,
        quality=-0.05,
    ),
    Survey(
        "SV_CSAT_SUPPORT",
        "transactional",
        ("csat", "ces"),
        "support",
        object="ticket",
        response_rate=0.32,
        quality=-0.2,
    ),
    Survey("SV_CSAT_SITE", "transactional", ("csat",), "site"),
    Survey("SV_CSAT_STORE", "transactional", ("csat",), "store", quality=0.3),
    Survey(
        "SV_CES_USE",
        "transactional",
        ("ces",),
        "use",
        stage="use",
        response_rate=0.3,
        quality=0.05,
    ),
    Survey(
        "SV_NPS_LOYALTY",
        "transactional",
        ("nps",),
        "use",
        stage="loyalty",
        response_rate=0.42,
        quality=0.5,
    ),
)
SURVEY_OF = {survey.survey_id: code for code, survey in enumerate(SURVEYS)}
RELATIONAL, PURCHASE, DELIVERY, SUPPORT, SITE, STORE, USE, LOYALTY = range(len(SURVEYS))
METRICS = ("nps", "csat", "ces")
DRIVERS = ("Q_UTILITY", "Q_EASE", "Q_PLEASURE", "Q_SPEED", "Q_PRICE")
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}

INVITATION_CHANNELS = ("email", "sms", "whatsapp")
DISTRIBUTION_CHANNELS = (*INVITATION_CHANNELS, "qr", "anonymous", "test", "preview")
QR, ANONYMOUS, TEST_CHANNEL, PREVIEW_CHANNEL = 3, 4, 5, 6
DISTRIBUTION_STATUSES = (
    "Sent",
    "Delivered",
    "Bounced",
    "Opened",
    "Started",
    "Finished",
    "Failed",
)
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
RESPONSE_STATUSES = ("IP Address", "Survey Test", "Survey Preview", "Spam")
NORMAL, TEST, PREVIEW, SPAM = range(len(RESPONSE_STATUSES))

# How a response names its customer.
NOBODY, BY_NUMBER, BY_EMAIL, BY_STRANGE_NUMBER = range(4)

SITE_TOUCHPOINTS = (
    ("blog_article", 0.12),
    ("social_post", 0.05),
    ("landing_page", 0.18),
    ("product_page", 0.25),
    ("price_page", 0.15),
    ("checkout", 0.2),
    ("banner-7", 0.02),  # no touchpoint of the company
    ("", 0.03),
)
SITE_PARAMETERS = tuple(name for name, _ in SITE_TOUCHPOINTS)
STORE_PARAMETER = "store_visit"
LINK_PARAMETERS = (*SITE_PARAMETERS, STORE_PARAMETER)

SITE_PER_CUSTOMER = 0.017  # answers a night
STORE_PER_CUSTOMER = 0.007
USE_PER_CUSTOMER = 0.028  # invitations a night
LOYALTY_PER_CUSTOMER = 0.014

# What moves the scores, in standard deviations of satisfaction.
MARKET_EFFECT = np.array([-0.05, 0.05, -0.15, 0.15, 0.1, 0.2])
SEGMENT_EFFECT = np.array([0.0, -0.08, 0.12])
SALES_CHANNEL_EFFECT = np.array([0.0, 0.12, 0.25, -0.05, 0.2])
TICKET_CHANNEL_EFFECT = np.array([-0.1, -0.15, 0.1, 0.05, 0.25, 0.15, -0.45, 0.05, 0.0])
SITE_EFFECT = np.array([0.25, 0.1, 0.0, 0.1, -0.1, -0.4, 0.0, 0.0])
IMPROVEMENT = 0.25  # from the first night to the last


@dataclass
class Listening:
    """Invitations and answers.

    invitations : one row per invitation: survey, day, contact, channel and times
    distribution_rows, response_rows : one row per row of the feed, in order of night
    """

    invitations: pd.DataFrame
    distribution_rows: pd.DataFrame
    response_rows: pd.DataFrame


def build_listening(
    parameters: SampleParameters,
    days: LocalDays,
    world: World,
    journeys: Journeys,
    support: Support,
) -> Listening:
    """Ask the customers and let some of them answer."""
    rng = open_stream(parameters.seed, Stream.SURVEYS)
    invitations = pd.concat(
        [
            _invite_everybody(rng, days, world),
            _invite_about_orders(rng, days, world, journeys),
            _invite_about_deliveries(rng, days, world, journeys),
            _invite_about_tickets(rng, days, world, support),
            _invite_some(rng, parameters, days, world, USE, USE_PER_CUSTOMER),
            _invite_some(rng, parameters, days, world, LOYALTY, LOYALTY_PER_CUSTOMER),
        ],
        ignore_index=True,
    )
    invitations = _send(rng, days, world, invitations)
    answers = pd.concat(
        [
            _answer_invitations(invitations),
            _answer_on_site(rng, parameters, days),
            _answer_in_store(rng, parameters, days),
        ],
        ignore_index=True,
    )
    responses = _fill_in(rng, days, world, answers)
    return Listening(
        invitations=invitations,
        distribution_rows=_tell_distributions(days, invitations, responses),
        response_rows=responses,
    )


def _invite_everybody(
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
    day = np.where(day < days.count, day, days.count - 1).ravel()
    contact = np.tile(np.arange(count), rounds)
    at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS["morning"], len(day)))
    is_there = (at >= contacts["became_customer_at"].to_numpy()[contact]) & (
        at < contacts["gone_at"].to_numpy()[contact]
    )
    invitations = _invitation_frame(RELATIONAL, contact, at, world)
    is_featured = (day == 0) & np.isin(contact, featured)
    return invitations.assign(is_sure=is_featured).loc[is_there]


def _invite_about_orders(
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


def _invite_about_deliveries(
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


def _invite_about_tickets(
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


def _invite_some(
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


def _send(
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
    return sent.assign(
        invitation=np.arange(count),
        channel=channel,
        **{
            name: np.where(is_so, moment, NEVER)
            for name, (is_so, moment) in happened.items()
        },
    )


def _answer_invitations(invitations: pd.DataFrame) -> pd.DataFrame:
    """Started invitations as answers; those never finished are recorded as such."""
    started = invitations.loc[invitations["started_at"] < NEVER]
    is_finished = started["completed_at"] < NEVER
    return pd.DataFrame(
        {
            "survey": started["survey"],
            "contact": started["contact"],
            "invitation": started["invitation"],
            "distribution_channel": started["channel"],
            "object_id": started["object_id"],
            "effect": started["effect"],
            "parameter": -1,
            "is_finished": is_finished,
            "started_at": started["started_at"],
            "ended_at": np.where(
                is_finished, started["completed_at"], started["started_at"] + 35
            ),
        }
    )


def _answer_on_site(
    rng: np.random.Generator, parameters: SampleParameters, days: LocalDays
) -> pd.DataFrame:
    """Anonymous intercepts on the site."""
    expected = expect_per_day(
        days, SITE_PER_CUSTOMER * parameters.customers, ONLINE_WEEK
    )
    day = draw_days(rng, expected, at_least=1)
    at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS["evening"], len(day)))
    weights = [weight for _, weight in SITE_TOUCHPOINTS]
    parameter = draw_weighted(rng, weights, len(day))
    # One answer without and one with an unknown parameter are there in any case.
    parameter[:2] = (SITE_PARAMETERS.index(""), SITE_PARAMETERS.index("banner-7"))
    return _anonymous_frame(rng, SITE, ANONYMOUS, at, parameter).assign(
        effect=SITE_EFFECT[parameter]
    )


def _answer_in_store(
    rng: np.random.Generator, parameters: SampleParameters, days: LocalDays
) -> pd.DataFrame:
    """QR code at the exit of the stores."""
    expected = expect_per_day(
        days, STORE_PER_CUSTOMER * parameters.customers, SHOP_WEEK
    )
    day = draw_days(rng, expected, at_least=1)
    at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS["shop"], len(day)))
    parameter = np.full(len(day), LINK_PARAMETERS.index(STORE_PARAMETER))
    return _anonymous_frame(rng, STORE, QR, at, parameter)


def _anonymous_frame(
    rng: np.random.Generator,
    survey: int,
    channel: int,
    at: IntArray,
    parameter: IntArray,
) -> pd.DataFrame:
    count = len(at)
    is_finished = rng.random(count) > 0.04
    is_finished[0] = True
    return pd.DataFrame(
        {
            "survey": survey,
            "contact": -1,
            "invitation": -1,
            "distribution_channel": channel,
            "object_id": -1,
            "effect": 0.0,
            "parameter": parameter,
            "is_finished": is_finished,
            "started_at": at,
            "ended_at": at + 20 + rng.integers(0, 3 * MINUTE, count),
        }
    )


def _fill_in(
    rng: np.random.Generator, days: LocalDays, world: World, answers: pd.DataFrame
) -> pd.DataFrame:
    """Score and comment the answers; leave out those after the last night."""
    recorded_at = answers["ended_at"].to_numpy() + rng.integers(0, 3, len(answers))
    is_recorded = (recorded_at >= days.starts[0]) & (recorded_at < days.end)
    rows = answers.assign(recorded_at=recorded_at).loc[is_recorded]
    rows = pd.DataFrame(rows).sort_values(
        ["recorded_at", "survey", "invitation"], kind="stable"
    )
    rows = rows.reset_index(drop=True)
    count = len(rows)
    rows["response"] = np.arange(count)
    rows["night"] = days.day_of(rows["recorded_at"].to_numpy())
    rows["status"] = NORMAL
    _name_customers(rng, rows, world)
    contact = rows["contact"].to_numpy()
    is_known = contact >= 0
    market = np.where(
        is_known,
        world.contacts["market"].to_numpy()[contact],
        draw_weighted(rng, (0.6, 0.18, 0.12, 0.05, 0.03, 0.02), count),
    )
    rows["market"] = market
    anonymous_language = np.array([0, 1, 2, 0, 3, 1])[market]
    rows["language"] = np.where(
        is_known, world.contacts["language"].to_numpy()[contact], anonymous_language
    )
    satisfaction = _satisfy(rng, days, world, rows, market)
    _score(rng, rows, satisfaction)
    _comment(rng, rows)
    return rows.assign(place=rng.integers(0, 10**6, count))


def _name_customers(rng: np.random.Generator, rows: pd.DataFrame, world: World) -> None:
    """How each response names its customer: reference, reference_id, email."""
    count = len(rows)
    contact = rows["contact"].to_numpy()
    contacts = world.contacts
    luck = rng.random(count)
    reference = np.select(
        [contact < 0, luck < 0.9, luck < 0.98],
        [NOBODY, BY_NUMBER, BY_EMAIL],
        BY_STRANGE_NUMBER,
    )
    # The past of the featured contacts must be found by their numbers.
    reference[np.isin(contact, world.featured)] = BY_NUMBER
    number = contacts["record_id"].to_numpy()[contact]
    earlier = contacts["earlier_merged_id"].to_numpy()[contact]
    number = np.where((earlier > 0) & (luck < 0.45), earlier, number)
    strange = 55_000_000 + np.arange(count)
    rows["reference"] = reference
    rows["reference_id"] = np.select(
        [reference == BY_NUMBER, reference == BY_STRANGE_NUMBER],
        [number, strange],
        -1,
    )
    rows["email"] = np.where(
        reference == NOBODY, -1, _find_addresses(world, contact, rows["recorded_at"])
    )
    rows["email_style"] = rng.integers(0, 10, count)


def _find_addresses(world: World, contact: IntArray, at: pd.Series) -> IntArray:
    """The address (code) that each contact had at a moment."""
    changes = world.changes.loc[world.changes["field"] == "email"]
    changed_at = np.full(len(world.contacts), NEVER)
    changed_at[changes["contact"]] = changes["at"]
    later = np.arange(len(world.contacts)) + len(world.contacts)
    first = world.contacts["email"].to_numpy()
    return np.where(
        at.to_numpy() >= changed_at[contact], later[contact], first[contact]
    )


def _satisfy(
    rng: np.random.Generator,
    days: LocalDays,
    world: World,
    rows: pd.DataFrame,
    market: IntArray,
) -> FloatArray:
    """Satisfaction behind the scores, about normal with mean 0 and deviation 1."""
    count = len(rows)
    contact = rows["contact"].to_numpy()
    temper = rng.normal(0, 0.45, len(world.contacts))
    segment = world.contacts["segment"].to_numpy()[contact]
    quality = np.array([survey.quality for survey in SURVEYS])[rows["survey"]]
    progress = rows["night"].to_numpy() / max(days.count - 1, 1) - 0.5
    satisfaction: FloatArray = (
        quality
        + MARKET_EFFECT[market]
        + np.where(contact >= 0, SEGMENT_EFFECT[segment] + temper[contact], 0.0)
        + rows["effect"].to_numpy()
        + IMPROVEMENT * progress
        + rng.normal(0, 0.85, count)
    )
    return satisfaction


def _score(
    rng: np.random.Generator, rows: pd.DataFrame, satisfaction: FloatArray
) -> None:
    """Turn satisfaction into the scores of each survey's questions; -1 = not asked."""
    count = len(rows)

    def answer(
        mean: float, spread: float, scale: tuple[int, int], noise: float
    ) -> IntArray:
        felt = mean + spread * (satisfaction + rng.normal(0, noise, count))
        return np.clip(np.rint(felt), *scale).astype(np.int64)

    survey = rows["survey"].to_numpy()
    scores = {
        "nps": answer(8.0, 1.9, SCALES["nps"], 0.2),
        "csat": answer(4.0, 0.95, SCALES["csat"], 0.2),
        "ces": answer(5.3, 1.35, SCALES["ces"], 0.4),
    }
    for metric, score in scores.items():
        is_asked = np.array([metric in one.metrics for one in SURVEYS])[survey]
        rows[metric] = np.where(is_asked, score, -1)
    for number, driver in enumerate(DRIVERS):
        mean = (5.4, 5.2, 5.0, 4.9, 4.4)[number]
        score = answer(mean, 0.9, (1, 7), 0.9)
        is_blank = (survey != RELATIONAL) | (rng.random(count) < 0.05)
        rows[driver] = np.where(is_blank, -1, score)
    # Who gave up mostly did so before the score.
    gave_up = ~rows["is_finished"].to_numpy() & (rng.random(count) < 0.7)
    rows.loc[gave_up, list(METRICS)] = -1
    rows.loc[gave_up, list(DRIVERS)] = -1


def _comment(rng: np.random.Generator, rows: pd.DataFrame) -> None:
    """Choose the parts of each comment, -1 where there is none."""
    count = len(rows)
    language = rows["language"].to_numpy()
    level = np.select(
        [rows["nps"] >= 0, rows["csat"] >= 0, rows["ces"] >= 0],
        [rows["nps"] / 10, (rows["csat"] - 1) / 4, (rows["ces"] - 1) / 6],
        0.5,
    )
    mood = (level > 0.45).astype(np.int64) + (level > 0.72)
    is_good = np.where(mood == 1, rng.random(count) < 0.4, mood == 2).astype(np.int64)
    topics = np.array([TOPICS.index(survey.topic) for survey in SURVEYS])
    topic = topics[rows["survey"]]
    is_silent = rng.random(count) > np.where(mood == 0, 0.6, 0.35)
    is_silent |= ~rows["is_finished"].to_numpy()

    def choose(choices: Choices, group: IntArray) -> IntArray:
        first, size = np.array(choices.first), np.array(choices.size)
        chosen = first[group] + rng.integers(0, 1 << 30, count) % size[group]
        return np.where(is_silent, -1, chosen)

    rows["opening"] = choose(read_openings(), language * len(MOODS) + mood)
    rows["body"] = choose(read_bodies(), (language * len(TOPICS) + topic) * 2 + is_good)
    rows["closing"] = choose(read_closings(), language)


def _tell_distributions(
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


def find_parameter_touchpoints() -> IntArray:
    """The touchpoint code of each link parameter, -1 for blank or unknown ones."""
    return np.array([CODE_OF.get(name, -1) for name in LINK_PARAMETERS])
