"""NPS, CSAT and CES by month and breakdown.

In: the answers that count. Out: the rows of truth.json.
"""

from collections.abc import Iterator

import pandas as pd

from include.sample_exports.company.surveys import METRICS
from include.sample_exports.truth.answers import REASONS

ALL = "(all)"
Record = dict[str, object]  # one object of truth.json


def _break_down(
    counted: pd.DataFrame, parts: dict[str, str]
) -> Iterator[tuple[Record, dict[str, int]]]:
    """Sums of the columns `parts` by survey kind, month and every breakdown.

    parts : name of the sum -> column that is summed
    """
    breakdowns = {
        "total": None,
        "journey_stage": "journey_stage",
        "experience_channel": "experience_channel",
        "segment": "segment",
        "country": "country",
        "survey": "survey_id",
        "touchpoint": "touchpoint",
        "environment": "environment",
        "owner_area": "owner_area",
        "product": "product",
        "language": "language",
    }
    for breakdown, column in breakdowns.items():
        value = counted[column] if column else pd.Series(ALL, counted.index)
        keys = [counted["survey_kind"], counted["month"], value.rename("value")]
        groups = counted.groupby(keys, sort=True)
        sums = groups[list(parts.values())].sum()
        respondents = groups["customer"].nunique()
        for (kind, month, key), values, people in zip(
            sums.index, sums.to_numpy().tolist(), respondents.tolist(), strict=True
        ):
            head: Record = {
                "survey_kind": kind,
                "month": month,
                "breakdown": breakdown,
                "value": key,
            }
            whole = dict(zip(parts, (int(one) for one in values), strict=True))
            yield head, {**whole, "respondents": int(people)}


def score_nps(counted: pd.DataFrame) -> Iterator[Record]:
    score = counted["score"]
    counted = counted.assign(
        promoters=score >= 9, detractors=score <= 6, responses=1
    ).assign(passives=(score >= 7) & (score <= 8))
    names = ("promoters", "passives", "detractors", "responses")
    for head, sums in _break_down(counted, {name: name for name in names}):
        nps = 100 * (sums["promoters"] - sums["detractors"]) / sums["responses"]
        yield {**head, **sums, "nps": round(nps, 4)}


def score_csat(counted: pd.DataFrame) -> Iterator[Record]:
    counted = counted.assign(top_box=counted["score"] >= 4, responses=1)
    for head, sums in _break_down(
        counted, {"top_box": "top_box", "responses": "responses"}
    ):
        csat = 100 * sums["top_box"] / sums["responses"]
        yield {**head, **sums, "csat": round(csat, 4)}


def score_ces(counted: pd.DataFrame) -> Iterator[Record]:
    score = counted["score"]
    counted = counted.assign(
        score_sum=score, score_sum_squares=score**2, easy=score >= 5, responses=1
    )
    names = ("score_sum", "score_sum_squares", "easy", "responses")
    for head, sums in _break_down(counted, {name: name for name in names}):
        ces = sums["score_sum"] / sums["responses"]
        easy_share = 100 * sums["easy"] / sums["responses"]
        yield {**head, **sums, "ces": round(ces, 4), "easy_share": round(easy_share, 4)}


def count_excluded(answers: pd.DataFrame) -> dict[str, dict[str, int]]:
    counts = answers.groupby(["metric", "reason"]).size()
    return {
        metric: {reason: int(counts.get((metric, reason), 0)) for reason in REASONS}
        for metric in METRICS
    }
