"""truth.json against a second, plain reading of the files that were written."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from include.sample_exports import SampleParameters, write_sample_exports
from tests.include.sample_exports.plain_reading import (
    Exports,
    read_exports,
    read_truth,
)

LISTS = {
    **dict.fromkeys(
        ("nps", "csat", "ces", "confidential"),
        ("survey_kind", "month", "breakdown", "value"),
    ),
    "touchpoints": ("month", "touchpoint"),
    "response_funnel": ("sent_date", "survey_id"),
    "deliveries_by_month": ("month", "delivery_method"),
    "attributions": (
        *("attribution_method", "survey_id", "metric", "journey_stage", "touchpoint"),
        *("experience_channel", "environment", "owner_area", "product"),
    ),
}
# What the plain reading does not know of.
UNREAD = ("stage_at_invitation",)


def index_rows(
    rows: Iterable[dict[str, Any]], keys: tuple[str, ...]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows of a list by their key; rows that differ in what is unread are added."""
    indexed: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        read = {name: value for name, value in row.items() if name not in UNREAD}
        if key in indexed:
            # A key that comes twice for no such reason is a mistake.
            assert read.keys() < row.keys(), key
            for name in read.keys() - set(keys):
                indexed[key][name] += read[name]
        else:
            indexed[key] = read
    return indexed


def assert_same_truth(planned: dict[str, Any], read: dict[str, Any]) -> None:
    for name, keys in LISTS.items():
        assert index_rows(planned[name], keys) == index_rows(read[name], keys), name
    for name in read.keys() - set(LISTS):
        assert planned[name] == read[name], name


def test_the_truth_equals_a_plain_reading_of_the_files(
    tiny_truth: dict[str, Any], tiny_exports: Exports
) -> None:
    assert_same_truth(tiny_truth, read_truth(tiny_exports))


@pytest.mark.parametrize(
    "parameters",
    [
        SampleParameters(customers=100, nights=7, seed=0),
        SampleParameters(customers=400, nights=25, seed=9),
        # The clocks go back within these nights.
        SampleParameters(
            customers=150, nights=40, seed=2, reporting_time_zone="Europe/Madrid"
        ),
    ],
    ids=lambda parameters: (
        f"{parameters.customers} customers, {parameters.nights} nights"
    ),
)
def test_other_sizes_seeds_and_zones_keep_to_the_truth(
    parameters: SampleParameters, tmp_path: Path
) -> None:
    planned = write_sample_exports(tmp_path, parameters)
    read = read_truth(read_exports(tmp_path, parameters.reporting_time_zone))
    assert_same_truth(planned, read)


def test_the_check_fails_when_the_files_say_something_else(
    tiny_truth: dict[str, Any], tiny: SampleParameters, tmp_path: Path
) -> None:
    """One score changed in one file must show."""
    write_sample_exports(tmp_path, tiny)
    for path in sorted(tmp_path.glob("qualtrics/responses/*/SV_NPS_PURCHASE__*.csv")):
        with path.open(encoding="utf-8", newline="") as text:
            rows = list(csv.reader(text))
        column = rows[0].index("Q_NPS")
        scored = [row for row in rows[3:] if row[column] in ("9", "10")]
        if scored:
            scored[0][column] = "0"
            with path.open("w", encoding="utf-8", newline="") as text:
                csv.writer(text, lineterminator="\n").writerows(rows)
            break
    read = read_truth(read_exports(tmp_path, tiny.reporting_time_zone))
    with pytest.raises(AssertionError, match="nps"):
        assert_same_truth(tiny_truth, read)


def test_truth_json_holds_what_the_function_returns(
    tiny_truth: dict[str, Any], tiny_landing: Path
) -> None:
    assert json.loads((tiny_landing / "truth.json").read_text()) == tiny_truth


def test_every_breakdown_adds_up_to_the_total(tiny_truth: dict[str, Any]) -> None:
    for metric in ("nps", "csat", "ces"):
        sums: dict[tuple[str, str], dict[str, int]] = {}
        for row in tiny_truth[metric]:
            of_month = sums.setdefault((row["survey_kind"], row["month"]), {})
            breakdown = row["breakdown"]
            of_month[breakdown] = of_month.get(breakdown, 0) + row["responses"]
        assert sums
        for by_breakdown in sums.values():
            assert len(by_breakdown) == 11
            assert len(set(by_breakdown.values())) == 1


def test_every_feed_has_rows(tiny_truth: dict[str, Any]) -> None:
    rows = tiny_truth["rows"]
    assert len(rows) == 16
    assert all(counts["loaded"] > 0 for counts in rows.values())
