"""Which answers count, and who gave them.

In: a plan and the delivered responses. Out: one row per response and scored question,
with the reason why it does not count, the segment and the country.
"""

import numpy as np
import pandas as pd

from include.sample_exports.catalogue import COUNTRIES, SEGMENTS
from include.sample_exports.local_days import DAY, NEVER, BoolArray, IntArray
from include.sample_exports.plan import Plan
from include.sample_exports.surveys import (
    BY_EMAIL,
    BY_NUMBER,
    METRICS,
    NOBODY,
    PREVIEW,
    SCALES,
    SPAM,
    SURVEYS,
    TEST,
)
from include.sample_exports.touchpoints import UNKNOWN

REASONS = (
    "test",
    "preview",
    "spam",
    "unfinished",
    "skipped",
    "score_out_of_scale",
    "repeated_answer",
)
ANSWER_COLUMNS = (
    "response",
    "survey",
    "contact",
    "reference",
    "reference_id",
    "email",
    "email_style",
    "invitation",
    "object_id",
    "parameter",
    "status",
    "is_finished",
    "recorded_at",
)


def list_answers(plan: Plan, responses: pd.DataFrame) -> pd.DataFrame:
    """One row per response and scored question, with the reason why not counted."""
    frames = []
    for metric in METRICS:
        is_asked = np.array([metric in survey.metrics for survey in SURVEYS])
        asked = responses.loc[
            is_asked[responses["survey"].to_numpy()], [*ANSWER_COLUMNS, metric]
        ]
        scored = asked.rename(columns={metric: "score"}).assign(metric=metric)
        frames.append(scored.assign(reason=_exclude(scored, SCALES[metric])))
    answers: pd.DataFrame = pd.concat(frames, ignore_index=True)
    answers["day"] = plan.days.day_of(answers["recorded_at"].to_numpy())
    answers["month"] = np.array(plan.days.months())[answers["day"]]
    answers["survey_kind"] = np.array([one.kind for one in SURVEYS])[answers["survey"]]
    answers["survey_id"] = np.array([one.survey_id for one in SURVEYS])[
        answers["survey"]
    ]
    return answers


def _exclude(answers: pd.DataFrame, scale: tuple[int, int]) -> np.ndarray:
    """The first reason that applies to each answer of one metric, or ""."""
    score = answers["score"].to_numpy()
    status = answers["status"].to_numpy()
    reasons = np.select(
        [
            status == TEST,
            status == PREVIEW,
            status == SPAM,
            ~answers["is_finished"].to_numpy(),
            score < 0,
            (score < scale[0]) | (score > scale[1]),
        ],
        REASONS[:6],
        "",
    ).astype(object)
    is_repeated = _find_repeated(answers.loc[reasons == ""])
    reasons[np.flatnonzero(reasons == "")[is_repeated]] = "repeated_answer"
    return reasons


def _find_repeated(answers: pd.DataFrame) -> BoolArray:
    """All answers of an invitation but the last within 24 hours of its first."""
    invitation = answers["invitation"].to_numpy()
    recorded_at = answers["recorded_at"].to_numpy()
    groups = answers.groupby("invitation")["recorded_at"]
    is_in_time = recorded_at <= groups.transform("min").to_numpy() + DAY
    kept_at = (
        answers.loc[is_in_time].groupby("invitation")["recorded_at"].max()
        if len(answers)
        else pd.Series(dtype=np.int64)
    )
    is_kept = recorded_at == kept_at.reindex(invitation).to_numpy()
    repeated: BoolArray = (invitation >= 0) & ~is_kept
    return repeated


def _match_customers(plan: Plan, answers: pd.DataFrame) -> IntArray:
    """The surviving contact behind each answer, -1 for nobody or somebody unmatched."""
    contacts = plan.world.contacts
    contact = answers["contact"].to_numpy()
    reference = answers["reference"].to_numpy()
    owner = _own_addresses(plan)
    by_email = owner[np.maximum(answers["email"].to_numpy(), 0)]
    shows_email = _shows_email(answers)
    is_own_number = answers["reference_id"] == contacts["record_id"].to_numpy()[contact]
    is_merged = contacts["merged_night"].to_numpy()[contact] != NEVER
    # A survivor lists the numbers that it took in, of contacts never shown too.
    is_known = plan.world.is_shown[contact] | (is_merged & is_own_number.to_numpy())
    is_found = (reference == BY_NUMBER) & is_known
    matched = np.where(
        is_found,
        contact,
        np.where((reference != NOBODY) & shows_email, by_email, -1),
    )
    survivor = contacts["survivor"].to_numpy()
    return np.where(matched < 0, -1, survivor[matched])


def _shows_email(answers: pd.DataFrame) -> BoolArray:
    """Whether the response carries the address at all."""
    shown: BoolArray = (answers["email"].to_numpy() >= 0) & (
        (answers["reference"].to_numpy() == BY_EMAIL)
        | (answers["email_style"].to_numpy() < 8)
    )
    return shown


def _own_addresses(plan: Plan) -> IntArray:
    """The first contact whose latest snapshot shows each address code, or -1."""
    count = len(plan.world.contacts)
    email = plan.world.contacts["email"].to_numpy().copy()
    changes = plan.world.changes.loc[plan.world.changes["field"] == "email"]
    email[changes["contact"]] = changes["value"]
    owner = np.full(2 * count, -1)
    # Backwards, so that the lowest number stays.
    shown = np.flatnonzero(plan.world.is_shown)[::-1]
    owner[email[shown]] = shown
    return owner


def describe_customers(plan: Plan, answers: pd.DataFrame) -> None:
    """Segment and country of each answer, as of the day it was given."""
    matched = _match_customers(plan, answers)
    contacts = plan.world.contacts
    # Before its first and after its last snapshot, the nearest one holds.
    day = np.clip(
        answers["day"].to_numpy(),
        contacts["first_night"].to_numpy()[matched],
        contacts["last_night"].to_numpy()[matched],
    )
    segment = _look_up(plan, "segment", matched, day)
    country = _look_up(plan, "country", matched, day)
    segments = np.array([*SEGMENTS, UNKNOWN])
    countries = np.array([*(country.code for country in COUNTRIES), UNKNOWN])
    answers["segment"] = segments[np.where(matched < 0, -1, segment)]
    answers["country"] = countries[np.where(matched < 0, -1, country)]


def _look_up(plan: Plan, field: str, contact: IntArray, day: IntArray) -> IntArray:
    """The value of a contact's field at the end of a day."""
    changes = plan.world.changes
    changes = changes.loc[changes["field"] == field]
    changes = changes.sort_values(["contact", "night", "at"], kind="stable")
    span = plan.days.count + 1
    keys = changes["contact"].to_numpy() * span + changes["night"].to_numpy()
    place = np.searchsorted(keys, contact * span + day, side="right") - 1
    found = changes["contact"].to_numpy()[place] if len(changes) else contact * 0 - 1
    is_changed = (place >= 0) & (found == contact)
    first = plan.world.contacts[field].to_numpy()[contact]
    if not len(changes):
        return first
    return np.where(is_changed, changes["value"].to_numpy()[place], first)
