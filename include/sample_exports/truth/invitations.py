"""What became of the invitations, by day of sending and survey.

In: a plan and who is who. Out: rows of truth.json.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.surveys import SURVEYS
from include.sample_exports.plan.local_days import DAY, NEVER
from include.sample_exports.plan.plan import Plan
from include.sample_exports.truth.customers import People
from include.sample_exports.truth.scores import Record

MATURES_AFTER = 28  # days
REST = {"relational": 180, "transactional": 90}  # days between invitations


def count_response_funnel(plan: Plan, people: People) -> list[Record]:
    """One row per cohort and survey; confidential surveys are left out."""
    rows = plan.listening.invitations
    end = plan.days.end
    happened = {
        column: rows[column].where(rows[column] < end, NEVER)
        for column in (
            *("delivered_at", "bounced_at", "failed_at"),
            *("opened_at", "started_at", "completed_at"),
        )
    }
    is_delivered = (happened["bounced_at"] == NEVER) & (happened["failed_at"] == NEVER)
    finished_at = happened["completed_at"]
    in_time = finished_at < rows["sent_at"] + MATURES_AFTER * DAY
    is_finished = is_delivered & (finished_at < NEVER)
    survey = rows["survey"].to_numpy()
    table = pd.DataFrame(
        {
            "survey_id": np.array([one.survey_id for one in SURVEYS])[survey],
            "survey_kind": np.array([one.kind for one in SURVEYS])[survey],
            "is_confidential": np.array([one.is_confidential for one in SURVEYS])[
                survey
            ],
            "customer": people.follow_contacts(rows["contact"].to_numpy()),
            "sent_at": rows["sent_at"].to_numpy(),
            "day": rows["day"].to_numpy(),
            "invited": 1,
            "delivered": is_delivered.astype(int),
            "delivery_assumed": (
                is_delivered
                & (happened["delivered_at"] == NEVER)
                & (happened["opened_at"] == NEVER)
            ).astype(int),
            "opened": (is_delivered & (happened["opened_at"] < NEVER)).astype(int),
            "started": (is_delivered & (happened["started_at"] < NEVER)).astype(int),
            "finished": (is_finished & in_time).astype(int),
            "finished_late": (is_finished & ~in_time).astype(int),
        }
    )
    table["fatigue_breaches"] = _find_breaches(table)
    measures = [
        *("invited", "delivered", "delivery_assumed", "opened", "started"),
        *("finished", "finished_late", "fatigue_breaches"),
    ]
    open_table = table.loc[~table["is_confidential"]]
    sums = open_table.groupby(["day", "survey_id"], sort=True)[measures].sum()
    return [
        {
            "sent_date": plan.days.dates[day].isoformat(),
            "survey_id": survey_id,
            "is_mature": bool(day + MATURES_AFTER < plan.days.count),
            **dict(zip(measures, (int(one) for one in values), strict=True)),
        }
        for (day, survey_id), values in zip(
            sums.index, sums.to_numpy().tolist(), strict=True
        )
    ]


def _find_breaches(table: pd.DataFrame) -> pd.Series:
    """1 where a delivered invitation came too soon after the one before.

    Confidential ones are counted by themselves: a public breach would tell of them.
    """
    breaches = pd.Series(0, table.index)
    last: dict[tuple[int, str, bool], int] = {}
    delivered = table.loc[table["delivered"] == 1].sort_values("sent_at", kind="stable")
    for row, customer, kind, is_confidential, day in zip(
        delivered.index,
        delivered["customer"].tolist(),
        delivered["survey_kind"],
        delivered["is_confidential"].tolist(),
        delivered["day"].tolist(),
        strict=True,
    ):
        before = last.get((customer, kind, is_confidential))
        if before is not None and day - before < REST[kind]:
            breaches[row] = 1
        last[customer, kind, is_confidential] = day
    return breaches
