"""Published tables to draw a scorecard from: simulated answers, counted and tested.

The tables have the columns that the models' contracts name, so that the page cannot
read a column that is not published.
"""

import math
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import psycopg
import yaml
from psycopg import sql

from include.settings import PROJECT_FOLDER

MODELS = PROJECT_FOLDER / "dbt_project/models/marts/experience"
TABLES = ("experience_scores", "score_movers", "mart_journey_funnel")
AS_OF = date(2026, 11, 20)
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
REPORTABLE = 30
TARGETS = {
    ("nps", "relational", "total", "(all)"): 40.0,
    ("csat", "transactional", "total", "(all)"): 80.0,
    ("csat", "transactional", "journey_stage", "delivery"): 85.0,
}
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
    """Create everything that the page reads, as of `last`."""
    for table in TABLES:
        create_table(connection, table)
    answers = list(_simulate(first, last, random.Random(seed)))
    for metric in ("nps", "csat", "ces"):
        own = [answer for answer in answers if answer.metric == metric]
        insert_rows(connection, "experience_scores", list(_count_scores(own, last)))
    week = last - timedelta(days=last.weekday() + 7)
    insert_rows(connection, "score_movers", list(_list_movers(week)))
    insert_rows(connection, "mart_journey_funnel", list(_list_cohorts(first, last)))
    publish_status(connection, last)


def create_table(connection: psycopg.Connection, table: str) -> None:
    """Create one empty table of marts with the columns of its contract."""
    connection.execute("create schema if not exists marts")
    connection.execute(f"create table marts.{table} ({', '.join(read_columns(table))})")


@cache
def read_columns(table: str) -> tuple[str, ...]:
    """Read names and types; once, because the unit tests beside them are long."""
    contract = yaml.load((MODELS / f"{table}.yml").read_text("utf-8"), yaml.CSafeLoader)
    (model,) = (model for model in contract["models"] if model["name"] == table)
    return tuple(
        f"{column['name']} {column['data_type']}" for column in model["columns"]
    )


def insert_rows(
    connection: psycopg.Connection, table: str, rows: Sequence[Mapping[str, object]]
) -> None:
    """Insert rows that all have the same columns."""
    names = list(rows[0])
    query = sql.SQL("insert into marts.{} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(map(sql.Placeholder, names)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(query, rows)


def make_score(
    period_start: date,
    responses: int | None,
    score: float | None,
    status: str = "reportable",
    **columns: object,
) -> dict[str, object]:
    """A row of experience_scores: a month of the transactional NPS, unless told."""
    interval = (None, None) if score is None else (score - 5, score + 5)
    return {
        "score_period_key": f"{period_start}",
        "metric": "nps",
        "survey_kind": "transactional",
        "is_confidential": False,
        "period_grain": "month",
        "period_label": f"{period_start:%Y-%m}",
        "breakdown": "total",
        "breakdown_value": "(all)",
        "is_complete_period": True,
        "period_start": period_start,
        "period_end": period_start + timedelta(days=27),
        "promoters": responses,
        "passives": 0,
        "detractors": 0,
        "responses": responses,
        "score": score,
        "score_low_95": interval[0],
        "score_high_95": interval[1],
        "sample_status": status,
    } | columns


def plant_scores(connection: psycopg.Connection, *rows: dict[str, object]) -> None:
    """Create experience_scores out of these rows alone."""
    create_table(connection, "experience_scores")
    for row in rows:
        insert_rows(connection, "experience_scores", [row])


def make_mover(
    metric: str,
    survey_kind: str,
    week: date,
    group: tuple[str, str],
    rate: float,
    mix: float,
    rank: int | None = 1,
) -> dict[str, object]:
    """A row of score_movers."""
    dimension, value = group
    return {
        "mover_key": f"{metric}|{survey_kind}|week:{week}|{dimension}|{value}",
        "metric": metric,
        "survey_kind": survey_kind,
        "period_grain": "week",
        "dimension": dimension,
        "breakdown_value": value,
        "responses_before": 40,
        "responses_after": 44,
        "rate_points": rate,
        "mix_points": mix,
        "contribution_points": rate + mix,
        "contribution_rank": rank,
        "period_start": week,
    }


def make_cohort(
    stage: str,
    order: int,
    day: date,
    as_of: date,
    counts: tuple[int, int, int | None, int | None],
) -> dict[str, object]:
    """A row of mart_journey_funnel; counts: visits, entered, converted, direct."""
    visits, entered, converted, direct = counts
    matures_on = day + timedelta(days=60)
    return {
        "journey_funnel_key": f"{day}|{stage}",
        "journey_stage": stage,
        "stage_order": order,
        "visits": visits,
        "journeys_entered": entered,
        "converted_journeys": converted,
        "direct_journeys": direct,
        "is_mature": matures_on <= as_of,
        "cohort_date": day,
        "matures_on": matures_on,
        "as_of_date": min(matures_on, as_of),
    }


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
        " published_at timestamptz, rolled_back_at timestamptz)"
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
    p_values = {
        group: _p_value(scores, past)
        for group, scores in groups.items()
        if (past := groups.get(_step_back(group)))
        and min(len(scores), len(past)) >= REPORTABLE
    }
    adjusted = _adjust(p_values)
    metric = answers[0].metric
    for group, scores in groups.items():
        kind, grain, start, breakdown, value = group
        length = timedelta(days=7 if grain == "week" else 31)
        following = start + length
        if grain == "month":
            following = following.replace(day=1)
        end = following - timedelta(days=1)
        past = groups.get(_step_back(group))
        target = TARGETS.get((metric, kind, breakdown, value))
        for name in (metric, "easy_share") if metric == "ces" else (metric,):
            now = _score(name, scores)
            yield {
                "score_period_key": f"{name}|{'|'.join(map(str, group))}",
                "period_key": f"{grain}:{start}",
                "metric": name,
                "survey_kind": kind,
                "is_confidential": False,
                "period_grain": grain,
                "period_label": f"{start:%Y-%m}"
                if grain == "month"
                else f"{start:%G-W%V}",
                "breakdown": breakdown,
                "breakdown_value": value,
                "sample_status": _sample_status(len(scores)),
                "is_complete_period": end <= as_of,
                "period_start": start,
                "period_end": end,
                "responses": len(scores),
                **now,
                "score_change": (
                    now["score"] - _score(name, past)["score"] if past else None
                ),
                "p_value": p_values.get(group),
                "p_value_adjusted": adjusted.get(group),
                "is_significant_change": (
                    adjusted[group] < 0.05 if group in adjusted else None
                ),
                "change_method": "customer_clustered" if group in adjusted else None,
                "target": target,
                "gap_to_target": now["score"] - target if target else None,
                "weighted_score": (
                    now["score"] - 0.7 if kind == "relational" else None
                ),
            }


def _step_back(
    group: tuple[str, str, date, str, str],
) -> tuple[str, str, date, str, str]:
    kind, grain, start, breakdown, value = group
    before = (
        start - timedelta(days=7)
        if grain == "week"
        else (start - timedelta(days=1)).replace(day=1)
    )
    return kind, grain, before, breakdown, value


def _adjust(
    p_values: Mapping[tuple[str, str, date, str, str], float],
) -> dict[tuple[str, str, date, str, str], float]:
    """Adjust as Benjamini and Hochberg do, within period and breakdown."""
    families = defaultdict(list)
    for group, p_value in p_values.items():
        families[group[:4]].append((p_value, group))
    adjusted = {}
    for family in families.values():
        lowest = 1.0
        for rank, (p_value, group) in reversed(list(enumerate(sorted(family), 1))):
            lowest = min(lowest, p_value * len(family) / rank)
            adjusted[group] = lowest
    return adjusted


def _list_movers(week: date) -> Iterator[dict[str, object]]:
    for metric, kind in (
        ("nps", "relational"),
        ("nps", "transactional"),
        ("csat", "transactional"),
        ("ces", "transactional"),
    ):
        for dimension, values in (
            ("journey_stage", ("support", "purchase", "(unknown)")),
            ("experience_channel", ("web", "(unknown)")),
            ("country", ("BR", "ES")),
            ("segment", ("consumer", "small business")),
        ):
            for rank, value in enumerate(values, 1):
                yield make_mover(
                    metric, kind, week, (dimension, value), 2.4 / rank, -0.5, rank
                )


def _list_cohorts(first: date, last: date) -> Iterator[dict[str, object]]:
    for number in range((last - first).days + 1):
        for order, stage in enumerate(
            ("discovery", "recognition", "consideration", "purchase"), 1
        ):
            went_on = (40, 25) if order < 4 else (None, None)
            counts = (130, 100 - 10 * order, *went_on)
            yield make_cohort(
                stage, order, first + timedelta(days=number), last, counts
            )


def _score(metric: str, scores: Sequence[int]) -> dict[str, Any]:
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
            "score": 100 * (promoters - detractors) / n,
            "score_low_95": max(-100, 100 * (p - d - half)),
            "score_high_95": min(100, 100 * (p - d + half)),
        }
    none = {"promoters": None, "passives": None, "detractors": None}
    if metric == "ces":
        mean = sum(scores) / n
        variance = sum((score - mean) ** 2 for score in scores) / max(n - 1, 1)
        half = Z * math.sqrt(variance / n)
        low, high = max(1, mean - half), min(7, mean + half)
        return none | {"score": mean, "score_low_95": low, "score_high_95": high}
    hits = sum(score >= (4 if metric == "csat" else 5) for score in scores)
    low, high = _wilson(hits, n)
    return none | {"score": 100 * hits / n, "score_low_95": low, "score_high_95": high}


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
    return "indicative" if responses < REPORTABLE else "reportable"


def read_text(page: str) -> str:
    """The words of a page, without markup and style."""
    page = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", page).replace("\xa0", " ").replace("&nbsp;", " ")
    return re.sub(r"\s+", " ", text)
