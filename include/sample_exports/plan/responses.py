"""What the customers answer.

In: the world and the invitations. Out: one row per row of the response exports, with
`night`. Times are UTC seconds, a blank score is -1.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.comments import (
    MOODS,
    TOPICS,
    Choices,
    read_bodies,
    read_closings,
    read_openings,
)
from include.sample_exports.company.surveys import (
    ANONYMOUS,
    BY_EMAIL,
    BY_NUMBER,
    BY_STRANGE_NUMBER,
    DRIVERS,
    LINK_PARAMETERS,
    METRICS,
    NOBODY,
    NORMAL,
    QR,
    RELATIONAL,
    SCALES,
    SITE,
    SITE_PARAMETERS,
    SITE_TOUCHPOINTS,
    STORE,
    STORE_PARAMETER,
    SURVEYS,
)
from include.sample_exports.company.touchpoints import HOUR_WEIGHTS
from include.sample_exports.company.weeks import ONLINE_WEEK, SHOP_WEEK
from include.sample_exports.parameters import SampleParameters
from include.sample_exports.plan.draws import (
    draw_days,
    draw_seconds,
    draw_weighted,
    expect_per_day,
)
from include.sample_exports.plan.local_days import (
    MINUTE,
    NEVER,
    FloatArray,
    IntArray,
    LocalDays,
)
from include.sample_exports.plan.world import World

SITE_PER_CUSTOMER = 0.017  # answers a night
STORE_PER_CUSTOMER = 0.007
STRANGE_NUMBERS = 10_000_000  # that no CRM ever gave
# What moves the scores, in standard deviations of satisfaction.
MARKET_EFFECT = np.array([-0.05, 0.05, -0.15, 0.15, 0.1, 0.2])
SEGMENT_EFFECT = np.array([0.0, -0.08, 0.12])
SITE_EFFECT = np.array([0.25, 0.1, 0.0, 0.1, -0.1, -0.4, 0.0, 0.0])
# How far each driver's answer strays from what is felt: utility matters most, the price
# least.
DRIVER_NOISE = (0.3, 0.9, 0.9, 0.9, 1.8)
IMPROVEMENT = 0.25  # from the first night to the last


def answer_invitations(invitations: pd.DataFrame) -> pd.DataFrame:
    """Started invitations as answers; those never finished are recorded as such."""
    started = invitations.loc[invitations["started_at"] < NEVER]
    is_finished = started["completed_at"] < NEVER
    return pd.DataFrame(
        {
            "survey": started["survey"],
            "contact": started["contact"],
            "invitation": started["invitation"],
            "distribution_channel": started["channel"],
            "object_id": np.where(started["is_triggered"], -1, started["object_id"]),
            "effect": started["effect"],
            "parameter": -1,
            "is_finished": is_finished,
            "started_at": started["started_at"],
            "ended_at": np.where(
                is_finished, started["completed_at"], started["started_at"] + 35
            ),
        }
    )


def answer_on_site(
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


def answer_in_store(
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


def fill_in(
    rng: np.random.Generator,
    days: LocalDays,
    world: World,
    answers: pd.DataFrame,
    first_response: int = 0,
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
    rows["response"] = first_response + np.arange(count)
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
    strange = STRANGE_NUMBERS + rows["response"].to_numpy()
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
        score = answer(mean, 0.9, (1, 7), DRIVER_NOISE[number])
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
