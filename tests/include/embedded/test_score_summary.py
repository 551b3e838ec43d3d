"""What `make run` prints: the published totals, and whether they are as planned."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include.embedded.sample_truth import compare_with_truth
from include.embedded.score_summary import (
    describe_movers,
    describe_totals,
    read_movers,
    read_totals,
)

COLUMNS = {
    "nps": "promoters integer, passives integer, detractors integer",
    "csat": "top_box integer",
    "ces": "score_sum integer",
}
# The columns of the score tables in the order of the fixture below.
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "nps": [
        (
            "month",
            "2026-09-01",
            "2026-09",
            True,
            "total",
            "(all)",
            5,
            3,
            2,
            10,
            30,
            1,
            5,
        ),
        (
            "month",
            "2026-10-01",
            "2026-10",
            True,
            "total",
            "(all)",
            6,
            3,
            1,
            10,
            50,
            9,
            77,
        ),
        (
            "month",
            "2026-10-01",
            "2026-10",
            True,
            "country",
            "ES",
            6,
            3,
            1,
            10,
            50,
            9,
            77,
        ),
        (
            "month",
            "2026-11-01",
            "2026-11",
            False,
            "total",
            "(all)",
            1,
            0,
            0,
            1,
            100,
            None,
            None,
        ),
        (
            "quarter",
            "2026-10-01",
            "2026-Q4",
            False,
            "total",
            "(all)",
            7,
            3,
            1,
            11,
            54.545,
            14,
            80,
        ),
    ],
    "csat": [
        ("month", "2026-10-01", "2026-10", True, "total", "(all)", 8, 10, 80, 49, 94.3),
    ],
    "ces": [],
}


@pytest.fixture
def connection(database_url: str) -> Any:
    """Score tables with few rows, as a publish leaves them."""
    with psycopg.connect(database_url) as connection:
        connection.execute("create schema marts")
        for metric, counts in COLUMNS.items():
            connection.execute(
                f"create table marts.{metric}_scores (period_grain text, period_start"
                " date, period_label text, is_complete_period boolean, breakdown text,"
                f" breakdown_value text, {counts}, responses integer, {metric} numeric,"
                f" {metric}_low_95 numeric, {metric}_high_95 numeric, survey_kind text"
                " default 'relational')"
            )
            for row in ROWS[metric]:
                marks = ", ".join(["%s"] * len(row))
                connection.execute(
                    f"insert into marts.{metric}_scores values ({marks})", row
                )
        yield connection


@pytest.fixture
def truth_file(tmp_path: Path) -> Path:
    file = tmp_path / "truth.json"
    label = {"survey_kind": "relational", "month": "2026-10"}
    counts = {"promoters": 6, "passives": 3, "detractors": 1, "responses": 10}
    september = {"promoters": 5, "passives": 3, "detractors": 2, "responses": 10}
    total = {"breakdown": "total", "value": "(all)"}
    november = {"promoters": 1, "passives": 0, "detractors": 0, "responses": 1}
    truth = {
        "nps": [
            {**label, "month": "2026-09", **total, **september, "nps": 30.0},
            {**label, **total, **counts, "nps": 50.00004},
            {**label, "breakdown": "country", "value": "ES", **counts, "nps": 50.0},
            {**label, "month": "2026-11", **total, **november, "nps": 100.0},
        ],
        "csat": [{**label, **total, "top_box": 8, "responses": 10, "csat": 80.0}],
        "ces": [],
    }
    file.write_text(json.dumps(truth))
    return file


def test_the_last_complete_month_and_the_latest_quarter_are_shown(
    connection: psycopg.Connection,
) -> None:
    lines = describe_totals(read_totals(connection))
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "NPS relational 2026-10 50.0 9.0 to 77.0 10",
        "NPS relational 2026-Q4 so far 54.5 14.0 to 80.0 11",
        "CSAT relational 2026-10 80.0 49.0 to 94.3 10",
    ]


def test_a_score_without_an_interval_says_so(connection: psycopg.Connection) -> None:
    connection.execute("update marts.csat_scores set csat_low_95 = null")
    lines = describe_totals(read_totals(connection))
    assert "80.0   too few answers" in lines[-1]


def test_what_moved_a_score_most_in_its_last_complete_week_is_shown(
    connection: psycopg.Connection,
) -> None:
    assert read_movers(connection) == []
    connection.execute(
        "create table marts.score_movers (metric text, survey_kind text, period_grain"
        " text, period_label text, dimension text, breakdown_value text, score_change"
        " numeric, contribution_points numeric, contribution_rank bigint, period_start"
        " date)"
    )
    for start, label, is_complete in (
        ("2026-11-02", "2026-W45", True),
        ("2026-11-09", "2026-W46", True),
        ("2026-11-16", "2026-W47", False),
    ):
        connection.execute(
            "insert into marts.nps_scores values ('week', %s, %s, %s, 'total', '(all)',"
            " 6, 3, 1, 10, 50, 9, 77)",
            (start, label, is_complete),
        )
        for stage, points, rank in (("delivery", 2.44, 1), ("use", -0.5, 2)):
            connection.execute(
                "insert into marts.score_movers values ('nps', 'relational', 'week',"
                " %s, 'journey_stage', %s, 1.94, %s, %s, %s)",
                (label, stage, points, rank, start),
            )
    lines = describe_movers(read_movers(connection))
    assert [" ".join(line.split()) for line in lines] == [
        "NPS relational 2026-W46 +1.9 most of it: delivery, +2.4"
    ]


def test_before_the_first_publish_there_is_nothing_to_show(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        assert read_totals(connection) == []


def test_scores_that_are_the_planned_ones_agree(
    connection: psycopg.Connection, truth_file: Path
) -> None:
    comparison = compare_with_truth(connection, truth_file)
    assert comparison.figures == 4 * 5 + 3
    assert comparison.differences == []


@pytest.mark.parametrize(
    ("damage", "difference"),
    [
        (
            "update marts.nps_scores set promoters = 7 where breakdown = 'country'",
            "nps relational 2026-10 country ES promoters is 7 in marts and 6 in "
            "truth.json.",
        ),
        (
            "update marts.csat_scores set csat = 80.001",
            "csat relational 2026-10 total (all) csat is 80.001 in marts and 80 in "
            "truth.json.",
        ),
        (
            "delete from marts.csat_scores",
            "csat relational 2026-10 total (all) csat is missing in marts and 80 in "
            "truth.json.",
        ),
        (
            "insert into marts.ces_scores values ('month', '2026-10-01', '2026-10',"
            " true, 'total', '(all)', 50, 10, 5, 4, 6)",
            "ces relational 2026-10 total (all) ces is 5 in marts and missing in "
            "truth.json.",
        ),
    ],
)
def test_every_difference_from_the_plan_is_found(
    connection: psycopg.Connection, truth_file: Path, damage: str, difference: str
) -> None:
    connection.execute(damage)
    differences = compare_with_truth(connection, truth_file).differences
    assert differences[0] == difference
