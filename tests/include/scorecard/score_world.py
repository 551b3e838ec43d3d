"""Published score tables to draw a scorecard from: simulated answers, counted."""

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

COMMON_COLUMNS = """
    score_period_key text, period_key text, survey_kind text, period_grain text,
    period_label text, breakdown text, breakdown_value text, sample_status text,
    is_complete_period boolean, period_start date, period_end date,
    responses bigint, p_value float8
"""
METRIC_COLUMNS = {
    "nps": ["promoters", "passives", "detractors"],
    "csat": ["top_box"],
    "ces": ["easy", "score_sum", "score_sum_squares"],
}
Z = 1.959964

# metric, kind, stage, channel, answers a day, mean, and its drift over a year
STREAMS = (
    ("nps", "relational", "(unknown)", "(unknown)", 2.2, 8.15, 0.35),
    ("nps", "transactional", "purchase", "web", 4.0, 8.4, 0.2),
    ("nps", "transactional", "purchase", "app", 2.5, 8.7, 0.3),
    ("nps", "transactional", "purchase", "store", 1.2, 8.9, 0.0),
    ("nps", "transactional", "purchase", "WhatsApp", 0.4, 8.1, 0.0),
    ("nps", "transactional", "purchase", "phone", 0.1, 7.4, -0.3),
    ("nps", "transactional", "loyalty", "(unknown)", 1.3, 9.1, 0.0),
    ("csat", "transactional", "delivery", "courier", 5.0, 3.9, -0.5),
    ("csat", "transactional", "delivery", "store", 1.5, 4.5, 0.1),
    ("csat", "transactional", "support", "chat", 1.6, 4.0, 0.2),
    ("csat", "transactional", "support", "e-mail", 1.4, 3.5, 0.0),
    ("csat", "transactional", "support", "WhatsApp", 1.0, 4.2, 0.3),
    ("csat", "transactional", "support", "phone", 0.5, 3.7, 0.0),
    ("csat", "transactional", "consideration", "web", 0.9, 4.1, 0.1),
    ("csat", "transactional", "consideration", "store", 0.5, 4.6, 0.0),
    ("csat", "transactional", "discovery", "blog", 0.12, 4.2, 0.0),
    ("csat", "transactional", "purchase", "web", 0.7, 3.8, 0.1),
    ("csat", "transactional", "(unknown)", "(unknown)", 0.4, 4.0, 0.0),
    ("ces", "transactional", "support", "chat", 1.6, 5.4, 0.3),
    ("ces", "transactional", "support", "e-mail", 1.4, 4.7, 0.0),
    ("ces", "transactional", "support", "WhatsApp", 1.0, 5.6, 0.2),
    ("ces", "transactional", "use", "(unknown)", 1.8, 5.8, 0.1),
)
SCALES = {"nps": (0, 10, 2.1), "csat": (1, 5, 1.1), "ces": (1, 7, 1.5)}
COUNTRIES = ("BR",) * 12 + ("ES",) * 5 + ("RO",) * 3 + ("PT", "(unknown)")
SEGMENTS = ("consumer",) * 14 + ("small business",) * 5 + ("enterprise",)


@dataclass(frozen=True)
class Answer:
    metric: str
    survey_kind: str
    day: date
    cuts: tuple[tuple[str, str], ...]
    score: int


def publish_scores(
    connection: psycopg.Connection, first: date, last: date, seed: int = 7
) -> None:
    """Create the score tables and data_status in marts, as of `last`."""
    answers = list(_simulate(first, last, random.Random(seed)))
    connection.execute("create schema if not exists marts")
    for metric, columns in METRIC_COLUMNS.items():
        create_score_table(connection, metric)
        rows = list(_count_scores([a for a in answers if a.metric == metric], last))
        names = list(rows[0])
        with connection.cursor() as cursor:
            cursor.executemany(
                f"insert into marts.{metric}_scores ({', '.join(names)}) values"
                f" ({', '.join(f'%({name})s' for name in names)})",
                rows,
            )
        assert set(columns) <= set(names)
    publish_status(connection, last)


def create_score_table(connection: psycopg.Connection, metric: str) -> None:
    """Create one empty score table with the columns of the published one."""
    columns = [COMMON_COLUMNS]
    columns += [f"{name} bigint" for name in METRIC_COLUMNS[metric]]
    score_columns = [
        metric,
        f"{metric}_low_95",
        f"{metric}_high_95",
        f"{metric}_change_points",
    ]
    if metric == "ces":
        score_columns += ["easy_share", "easy_share_low_95", "easy_share_high_95"]
    columns += [f"{name} float8" for name in score_columns]
    connection.execute("create schema if not exists marts")
    connection.execute(f"create table marts.{metric}_scores ({', '.join(columns)})")


def publish_status(
    connection: psycopg.Connection,
    as_of: date,
    late: date | None = None,
    failure: str | None = None,
) -> None:
    """Create data_status: all sources at `as_of`, the surveys at `late` if given."""
    connection.execute("create schema if not exists marts")
    connection.execute(
        "create table marts.data_status (source text, role text, as_of_date date,"
        " latest_batch_date date, rows_loaded bigint, rows_rejected bigint,"
        " rows_quarantined bigint, unmatched_identities bigint, unmapped_events bigint,"
        " held_loads bigint, failed_feeds bigint, last_failure text, last_gate text,"
        " published_at timestamptz)"
    )
    for source, role in (
        ("hubspot", "crm"),
        ("qualtrics", "survey"),
        ("zendesk", "ticket"),
    ):
        is_late = late is not None and source == "qualtrics"
        connection.execute(
            "insert into marts.data_status values (%s, %s, %s, %s, 120000, %s, 0, 42,"
            " 3, %s, %s, %s, 'marts', '2026-11-21 05:12+00')",
            [
                source,
                role,
                late if is_late else as_of,
                as_of,
                1 if source == "hubspot" else 0,
                1 if is_late else 0,
                1 if is_late and failure else 0,
                failure if is_late else None,
            ],
        )


def _simulate(first: date, last: date, chance: random.Random) -> Iterator[Answer]:
    days = (last - first).days + 1
    for metric, kind, stage, channel, per_day, mean, drift in STREAMS:
        low, high, spread = SCALES[metric]
        for number in range(days):
            day = first + timedelta(days=number)
            weekday = 0.6 if day.weekday() >= 5 else 1.15
            expected = per_day * weekday
            count = int(expected) + (chance.random() < expected % 1)
            for _ in range(count):
                wave = 0.25 * math.sin(number / 40)
                centre = mean + drift * number / 365 + wave * spread / 2
                score = round(min(max(chance.gauss(centre, spread), low), high))
                cuts = (
                    ("total", "(all)"),
                    ("journey_stage", stage),
                    ("experience_channel", channel),
                    ("country", chance.choice(COUNTRIES)),
                    ("segment", chance.choice(SEGMENTS)),
                )
                yield Answer(metric, kind, day, cuts, score)


def _count_scores(
    answers: Sequence[Answer], as_of: date
) -> Iterator[dict[str, object]]:
    groups: dict[tuple[str, str, date, str, str], list[int]] = defaultdict(list)
    for answer in answers:
        for grain, start in (
            ("week", answer.day - timedelta(days=answer.day.weekday())),
            ("month", answer.day.replace(day=1)),
        ):
            for cut in answer.cuts:
                groups[answer.survey_kind, grain, start, *cut].append(answer.score)
    metric = answers[0].metric
    for (kind, grain, start, breakdown, value), scores in groups.items():
        before = (
            start - timedelta(days=7)
            if grain == "week"
            else (start - timedelta(days=1)).replace(day=1)
        )
        after = (
            start + timedelta(days=7)
            if grain == "week"
            else (start + timedelta(days=31)).replace(day=1)
        )
        end = after - timedelta(days=1)
        now = _score(metric, scores)
        past = groups.get((kind, grain, before, breakdown, value))
        yield {
            "score_period_key": f"{kind}|{grain}:{start}|{breakdown}|{value}",
            "period_key": f"{grain}:{start}",
            "survey_kind": kind,
            "period_grain": grain,
            "period_label": f"{start:%Y-%m}" if grain == "month" else f"{start:%G-W%V}",
            "breakdown": breakdown,
            "breakdown_value": value,
            "sample_status": _sample_status(len(scores)),
            "is_complete_period": end <= as_of,
            "period_start": start,
            "period_end": end,
            "responses": len(scores),
            **now,
            f"{metric}_change_points": (
                now[metric] - _score(metric, past)[metric] if past else None
            ),
            "p_value": _p_value(scores, past) if past else None,
        }


def _score(metric: str, scores: Sequence[int]) -> dict[str, float]:
    n = len(scores)
    if metric == "nps":
        promoters = sum(score >= 9 for score in scores)
        detractors = sum(score <= 6 for score in scores)
        p, d = (promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)
        half = Z * math.sqrt((p + d - (p - d) ** 2) / (n + 3))
        return {
            "promoters": promoters,
            "passives": n - promoters - detractors,
            "detractors": detractors,
            "nps": 100 * (promoters - detractors) / n,
            "nps_low_95": max(-100, 100 * (p - d - half)),
            "nps_high_95": min(100, 100 * (p - d + half)),
        }
    if metric == "csat":
        top_box = sum(score >= 4 for score in scores)
        low, high = _wilson(top_box, n)
        return {
            "top_box": top_box,
            "csat": 100 * top_box / n,
            "csat_low_95": low,
            "csat_high_95": high,
        }
    easy = sum(score >= 5 for score in scores)
    mean = sum(scores) / n
    variance = sum((score - mean) ** 2 for score in scores) / max(n - 1, 1)
    half = Z * math.sqrt(variance / n)
    low, high = _wilson(easy, n)
    return {
        "easy": easy,
        "score_sum": sum(scores),
        "score_sum_squares": sum(score**2 for score in scores),
        "ces": mean,
        "ces_low_95": max(1, mean - half),
        "ces_high_95": min(7, mean + half),
        "easy_share": 100 * easy / n,
        "easy_share_low_95": low,
        "easy_share_high_95": high,
    }


def _wilson(hits: int, n: int) -> tuple[float, float]:
    centre = hits + Z**2 / 2
    half = Z * math.sqrt(hits * (n - hits) / n + Z**2 / 4)
    return 100 * (centre - half) / (n + Z**2), 100 * (centre + half) / (n + Z**2)


def _p_value(now: Sequence[int], past: Sequence[int]) -> float:
    def moments(scores: Sequence[int]) -> tuple[float, float]:
        mean = sum(scores) / len(scores)
        squares = sum((score - mean) ** 2 for score in scores)
        return mean, (squares + 1) / len(scores) / len(scores)

    (mean_now, error_now), (mean_past, error_past) = moments(now), moments(past)
    z = (mean_now - mean_past) / math.sqrt(error_now + error_past)
    return math.erfc(abs(z) / math.sqrt(2))


def _sample_status(responses: int) -> str:
    if responses < 5:
        return "suppressed"
    return "indicative" if responses < 30 else "reportable"
