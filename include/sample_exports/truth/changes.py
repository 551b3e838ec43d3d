"""Whether a score has moved: the change to the month before, and what moved it.

In: the answers that count. Out: rows of truth.json. The test is the one of GOLDEN.md:
per customer, then the fallback for few, then Benjamini and Hochberg.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import chain

import pandas as pd

from include.sample_exports.truth.scores import ALL, Record

FEWEST = 30  # customers, or answers, below which nothing is sure
SIGNIFICANT = 0.05
# metric -> (question, points of a score)
POINTS: dict[str, tuple[str, Callable[[int], float]]] = {
    "nps": ("nps", lambda score: 100.0 * ((score >= 9) - (score <= 6))),
    "csat": ("csat", lambda score: 100.0 * (score >= 4)),
    "ces": ("ces", float),
    "easy_share": ("ces", lambda score: 100.0 * (score >= 5)),
}
Answers = list[tuple[int, float]]  # customer, points


def _gather(
    counted: pd.DataFrame, metric: str, column: str
) -> dict[tuple[str, str], dict[str, Answers]]:
    """(survey kind, value) -> month -> answers."""
    question, give_points = POINTS[metric]
    rows = counted.loc[counted["metric"] == question]
    value = rows[column] if column else pd.Series(ALL, rows.index)
    found: dict[tuple[str, str], dict[str, Answers]] = defaultdict(
        lambda: defaultdict(list)
    )
    for kind, one, month, customer, score in zip(
        rows["survey_kind"],
        value,
        rows["month"],
        rows["customer"].tolist(),
        rows["score"].tolist(),
        strict=True,
    ):
        found[kind, one][month].append((customer, give_points(score)))
    return found


def compare_months(counted: pd.DataFrame) -> list[Record]:
    """Every change of a monthly total and stage to the month before."""
    changes = []
    for metric in POINTS:
        for breakdown, column in (("total", ""), ("journey_stage", "journey_stage")):
            families: dict[tuple[str, str], list[Record]] = defaultdict(list)
            gathered = _gather(counted, metric, column)
            for (kind, value), months in gathered.items():
                for month, after in months.items():
                    before = months.get(_month_before(month), [])
                    if not before:
                        continue
                    change: Record = {
                        "metric": metric,
                        "survey_kind": kind,
                        "month": month,
                        "breakdown": breakdown,
                        "value": value,
                        "change": round(_mean(after) - _mean(before), 4),
                        **_test(metric, before, after),
                    }
                    families[kind, month].append(change)
            for family in families.values():
                _adjust(family)
                changes += family
    key = ("metric", "survey_kind", "breakdown", "value", "month")
    return sorted(changes, key=lambda change: [str(change[name]) for name in key])


def _month_before(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year - (number == 1)}-{(number - 2) % 12 + 1:02d}"


def _mean(answers: Answers) -> float:
    return math.fsum(points for _, points in answers) / len(answers)


def _p_value(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def _test(metric: str, before: Answers, after: Answers) -> Record:
    """The clustered test, or, with few customers, that of independent answers."""
    people = [{customer for customer, _ in wave} for wave in (before, after)]
    p_value: float | None
    variance = _cluster(before, after)
    if min(map(len, people)) >= FEWEST and variance > 1e-12:
        method = "customer_clustered"
        p_value = _p_value((_mean(after) - _mean(before)) / math.sqrt(variance))
    else:
        method = "independent_adjusted"
        scores = ([x for _, x in before], [x for _, x in after])
        if metric == "nps":
            p_value = _test_nps(*scores)
        elif metric == "ces":
            p_value = _test_means(*scores)
        else:
            p_value = _test_shares(*scores)
    is_reportable = min(len(before), len(after)) >= FEWEST
    return {
        "method": None if p_value is None else method,
        "p_value": p_value,
        "is_compared": is_reportable and p_value is not None,
    }


def _cluster(before: Answers, after: Answers) -> float:
    """Variance of the change, by what each customer adds to it."""
    shares: dict[int, float] = defaultdict(float)
    for wave, sign in ((before, -1.0), (after, 1.0)):
        mean = _mean(wave)
        for customer, points in wave:
            shares[customer] += sign * (points - mean) / len(wave)
    people = len(shares)
    if people < 2:
        return 0.0
    return people / (people - 1) * math.fsum(u * u for u in shares.values())


def _test_nps(before: list[float], after: list[float]) -> float:
    """Adjusted Wald: 3/4 more promoters and detractors, 3/2 more passives."""
    scores, variances = [], []
    for wave in (before, after):
        n = len(wave) + 3
        p = (sum(x > 0 for x in wave) + 0.75) / n
        d = (sum(x < 0 for x in wave) + 0.75) / n
        scores.append(p - d)
        variances.append((p + d - (p - d) ** 2) / n)
    return _p_value((scores[1] - scores[0]) / math.sqrt(sum(variances)))


def _test_shares(before: list[float], after: list[float]) -> float:
    """N - 1 test of two shares; p is 1 without variance."""
    n1, n2 = len(before), len(after)
    p1, p2 = (sum(x > 0 for x in wave) / len(wave) for wave in (before, after))
    pooled = (p1 * n1 + p2 * n2) / (n1 + n2)
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2)
    if variance < 1e-15:
        return 1.0
    shrink = math.sqrt((n1 + n2 - 1) / (n1 + n2))
    return _p_value((p2 - p1) * shrink / math.sqrt(variance))


def _test_means(before: list[float], after: list[float]) -> float | None:
    """Welch's test with the normal distribution."""
    variance = 0.0
    for wave in (before, after):
        if len(wave) < 2:
            return None
        mean = math.fsum(wave) / len(wave)
        spread = math.fsum((x - mean) ** 2 for x in wave) / (len(wave) - 1)
        variance += spread / len(wave)
    if variance < 1e-15:
        return None
    change = math.fsum(after) / len(after) - math.fsum(before) / len(before)
    return _p_value(change / math.sqrt(variance))


def _adjust(family: list[Record]) -> None:
    """Benjamini and Hochberg within a family, among the rows that are compared."""
    compared = [row for row in family if row.pop("is_compared")]
    compared.sort(key=lambda row: float(str(row["p_value"])))
    for row in family:
        row["p_value_adjusted"], row["is_significant"] = None, None
    smallest = 1.0
    for rank in range(len(compared), 0, -1):
        row = compared[rank - 1]
        smallest = min(smallest, float(str(row["p_value"])) * len(compared) / rank)
        row["p_value_adjusted"] = smallest
        row["is_significant"] = smallest < SIGNIFICANT
    for row in family:
        for name in ("p_value", "p_value_adjusted"):
            if row[name] is not None:
                row[name] = round(float(str(row[name])), 8)


def explain_changes(counted: pd.DataFrame, column: str) -> list[Record]:
    """What moved the monthly totals: rate and mix of every value of one breakdown."""
    return [
        row
        for metric in POINTS
        for row in _decompose(_gather(counted, metric, column), metric, column)
    ]


def _decompose(
    gathered: dict[tuple[str, str], dict[str, Answers]], metric: str, column: str
) -> Iterator[Record]:
    for kind in sorted({kind for kind, _ in gathered}):
        groups = {
            value: months for (one, value), months in gathered.items() if one == kind
        }
        for month in sorted({month for months in groups.values() for month in months}):
            waves = [
                {value: months.get(one, []) for value, months in groups.items()}
                for one in (_month_before(month), month)
            ]
            whole = [list(chain.from_iterable(wave.values())) for wave in waves]
            if not all(whole):
                continue
            middle = (_mean(whole[0]) + _mean(whole[1])) / 2
            for value in sorted(groups):
                pair = [wave[value] for wave in waves]
                if not any(pair):
                    continue
                shares = [
                    len(part) / len(all_)
                    for part, all_ in zip(pair, whole, strict=True)
                ]
                # Absent in one month: its score there is its score in the other.
                scores = [
                    _mean(part or other)
                    for part, other in zip(pair, pair[::-1], strict=True)
                ]
                rate = sum(shares) / 2 * (scores[1] - scores[0])
                mix = (shares[1] - shares[0]) * (sum(scores) / 2 - middle)
                yield {
                    "metric": metric,
                    "survey_kind": kind,
                    "month": month,
                    "breakdown": column,
                    "value": value,
                    "responses_before": len(pair[0]),
                    "responses_after": len(pair[1]),
                    "rate_points": round(rate, 4),
                    "mix_points": round(mix, 4),
                    "contribution_points": round(rate + mix, 4),
                }
