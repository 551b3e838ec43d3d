"""Which answers count, and who gave them.

In: a plan and the delivered responses. Out: one row per response and scored question,
with the reason why it does not count, the segment and the country.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import COUNTRIES, SEGMENTS, USER_LANGUAGES
from include.sample_exports.company.surveys import (
    METRICS,
    PREVIEW,
    SCALES,
    SPAM,
    SURVEYS,
    TEST,
)
from include.sample_exports.company.touchpoints import UNKNOWN
from include.sample_exports.plan.local_days import DAY, BoolArray, IntArray
from include.sample_exports.plan.plan import Plan
from include.sample_exports.truth.attribution import TRAITS
from include.sample_exports.truth.customers import UNMATCHED

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
    "invitation",
    "status",
    "is_finished",
    "recorded_at",
    "language",
    "customer",
    "attribution_method",
    "is_identity_conflict",
    "stage_at_invitation",
    "product",
    *TRAITS,
)


def list_answers(plan: Plan, responses: pd.DataFrame) -> pd.DataFrame:
    """One row per response and scored question, with the reason why not counted.

    responses : with `customer` and what they are about (see truth_attribution)
    """
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
    answers["language"] = np.array([name.lower() for name in USER_LANGUAGES])[
        answers["language"]
    ]
    answers["is_confidential"] = np.array([one.is_confidential for one in SURVEYS])[
        answers["survey"]
    ]
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


def describe_customers(plan: Plan, answers: pd.DataFrame) -> None:
    """Segment and country of each answer, as of the day it was given."""
    contacts = plan.world.contacts
    customer = answers["customer"].to_numpy()
    matched = np.where(customer < UNMATCHED, customer, -1)
    # Before its first and after its last snapshot, the nearest one holds.
    day = np.clip(
        answers["day"].to_numpy(),
        contacts["first_night"].to_numpy()[matched],
        contacts["last_night"].to_numpy()[matched],
    )
    segment = look_up(plan, "segment", matched, day)
    country = look_up(plan, "country", matched, day)
    segments = np.array([*SEGMENTS, UNKNOWN])
    countries = np.array([*(country.code for country in COUNTRIES), UNKNOWN])
    answers["segment"] = segments[np.where(matched < 0, -1, segment)]
    answers["country"] = countries[np.where(matched < 0, -1, country)]


def look_up(plan: Plan, field: str, contact: IntArray, day: IntArray) -> IntArray:
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
