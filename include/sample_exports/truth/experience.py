"""Channels within a stage, and what goes along with the recommendation.

In: the answers that count, and the responses that they are of. Out: rows of truth.json.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.surveys import DRIVERS, SURVEYS
from include.sample_exports.company.touchpoints import UNKNOWN
from include.sample_exports.truth.scores import Record


def count_channels(counted: pd.DataFrame) -> list[Record]:
    """CSAT answers by month, stage and channel, where both are known."""
    asked = counted.loc[
        (counted["metric"] == "csat")
        & (counted["survey_kind"] == "transactional")
        & (counted["journey_stage"] != UNKNOWN)
        & (counted["experience_channel"] != UNKNOWN)
    ]
    asked = asked.assign(top_box=asked["score"] >= 4, responses=1)
    keys = ["month", "journey_stage", "experience_channel"]
    sums = asked.groupby(keys, sort=True)[["top_box", "responses"]].sum()
    return [
        {
            **dict(zip(keys, key, strict=True)),
            "top_box": int(row[0]),
            "responses": int(row[1]),
        }
        for key, row in zip(sums.index, sums.to_numpy().tolist(), strict=True)
    ]


def describe_drivers(counted: pd.DataFrame, responses: pd.DataFrame) -> list[Record]:
    """Answers by month that have all drivers, and how each goes along with the NPS."""
    with_drivers = [survey.survey_id for survey in SURVEYS if survey.has_drivers]
    asked = counted.loc[
        (counted["metric"] == "nps") & counted["survey_id"].isin(with_drivers),
        ["response", "survey_id", "month", "score"],
    ]
    asked = asked.merge(responses[["response", *DRIVERS]], on="response")
    rows: list[Record] = []
    for (month, survey), group in asked.groupby(["month", "survey_id"], sort=True):
        complete = group.loc[(group[list(DRIVERS)] >= 0).all(axis=1)]
        correlations: dict[str, float | None] = {}
        for driver in DRIVERS:
            pair = complete[["score", driver]].to_numpy(dtype=float)
            varies = len(pair) > 1 and (pair != pair[0]).any(axis=0).all()
            correlations[driver] = (
                round(float(np.corrcoef(pair, rowvar=False)[0, 1]), 6)
                if varies
                else None
            )
        rows.append(
            {
                "month": month,
                "survey_id": survey,
                "responses": len(complete),
                "incomplete": len(group) - len(complete),
                "correlations": correlations,
            }
        )
    return rows
