"""Who is called back after a bad answer.

In: a plan with its faults. Out: the same plan with calls, personal mails and automatic
thanks after answers to the recommendation question, as further rows of activities. All
other rows stay as they are.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.surveys import NORMAL
from include.sample_exports.company.touchpoints import KIND_OF
from include.sample_exports.plan.draws import Stream, draw_lag, open_stream
from include.sample_exports.plan.local_days import HOUR, MINUTE
from include.sample_exports.plan.plan import Plan

CALLED = 0.25  # share of the bad answers that somebody calls about
MAILED = 0.1  # or writes about
THANKED = 0.25  # share that a machine thanks for within minutes
MEAN_WAIT = 40 * HOUR


def follow_up(plan: Plan) -> None:
    """Call or write to some of those who gave 0 to 6, in place."""
    rng = open_stream(plan.parameters.seed, Stream.FOLLOW_UPS)
    answers = plan.listening.response_rows.drop_duplicates("response", keep="last")
    is_bad = (
        (answers["status"] == NORMAL)
        & answers["is_finished"]
        & (answers["contact"] >= 0)
        & answers["nps"].between(0, 6)
    )
    answers = answers.loc[is_bad].sort_values("response")
    count = len(answers)
    luck = rng.random(count)
    kind = np.select(
        [luck < CALLED, luck < CALLED + MAILED],
        [KIND_OF["follow_up_call"], KIND_OF["follow_up_mail_sent"]],
        -1,
    )
    wait = draw_lag(rng, MEAN_WAIT, count, at_least=10 * MINUTE)
    thanks = rng.random(count) < THANKED
    recorded_at = answers["recorded_at"].to_numpy()
    contact = answers["contact"].to_numpy()
    rows = pd.DataFrame(
        {
            "kind": np.concatenate(
                [kind, np.full(count, KIND_OF["survey_thanks_sent"])]
            ),
            "at": np.concatenate([recorded_at + wait, recorded_at + 2 * MINUTE]),
            "contact": np.concatenate([contact, contact]),
            "is_done": np.concatenate([kind >= 0, thanks]),
        }
    )
    rows = rows.loc[rows["is_done"] & (rows["at"] < plan.days.end)].drop(
        columns="is_done"
    )
    activities = plan.journeys.activity_rows
    rows = rows.assign(
        record_id=int(activities["record_id"].max()) + 2 + 2 * np.arange(len(rows)),
        night=plan.days.day_of(rows["at"].to_numpy()),
    )
    both = pd.concat([activities, rows], ignore_index=True)
    plan.journeys.activity_rows = both.sort_values(
        "night", kind="stable", ignore_index=True
    )
