"""The sample's truth, planned apart from the warehouse, against the published marts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.embedded.postgres import EmbeddedPostgres
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings
from tests.conftest import open_database, settings_of
from tests.nights import fetch, run

MEASURES = {
    "nps": ("promoters", "passives", "detractors", "responses"),
    "csat": ("top_box", "responses"),
    "ces": ("score_sum", "score_sum_squares", "easy", "responses"),
}


@pytest.fixture(scope="module")
def sample(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Settings, dict[str, Any]]]:
    """A published sample of 400 customers and 40 nights, and its truth."""
    folder: Path = tmp_path_factory.mktemp("sample")
    parameters = SampleParameters(customers=400, nights=40, seed=7)
    truth = write_sample_exports(folder / "landing", parameters)
    with open_database(postgres_server, template=built_template) as url:
        settings = settings_of(url, folder / "landing")
        assert settings.reporting_time_zone == truth["reporting_time_zone"]
        problems = run(
            settings, parameters.first_night, parameters.last_night, "sample"
        )
        assert problems == []
        yield settings, truth


@pytest.mark.parametrize("metric", sorted(MEASURES))
def test_monthly_scores_and_their_counts_are_the_truth(sample, metric):
    settings, truth = sample
    measures = MEASURES[metric]
    published = {
        row[:4]: ([int(count) for count in row[4:-1]], float(row[-1]))
        for row in fetch(
            settings,
            "select survey_kind, period_label, breakdown, breakdown_value,"
            f" {', '.join(measures)}, {metric}"
            f" from marts.{metric}_scores where period_grain = 'month'",
        )
    }
    planned = {
        (row["survey_kind"], row["month"], row["breakdown"], row["value"]): (
            [row[measure] for measure in measures],
            row[metric],
        )
        for row in truth[metric]
    }
    assert len(planned) > 20
    assert published.keys() == planned.keys()
    for key, (counts, score) in planned.items():
        assert published[key][0] == counts, key
        # The truth is rounded to four decimals.
        assert published[key][1] == pytest.approx(score, abs=6e-5), key


def test_every_answer_that_does_not_count_says_the_planned_reason(sample):
    settings, truth = sample
    published: dict[str, dict[str, int]] = {}
    for metric, reason, answers in fetch(
        settings,
        "select metric, exclusion_reason, count(*) from marts.fct_survey_responses"
        " where not is_counted and metric <> 'driver' group by 1, 2",
    ):
        published.setdefault(metric, {})[reason] = answers
    planned = {
        metric: {reason: answers for reason, answers in reasons.items() if answers}
        for metric, reasons in truth["excluded"].items()
    }
    assert published == planned
    assert sum(sum(reasons.values()) for reasons in planned.values()) > 20


def test_touchpoints_by_month_stage_and_channel_are_the_truth(sample):
    settings, truth = sample
    published = {
        row[:2]: row[2:]
        for row in fetch(
            settings,
            "select to_char(occurred_date, 'YYYY-MM'), touchpoint,"
            " coalesce(min(journey_stage), '(unknown)'),"
            " coalesce(min(channel), '(unknown)'), count(*)"
            " from marts.fct_touchpoints group by 1, 2",
        )
    }
    planned = {
        (row["month"], row["touchpoint"]): (
            row["journey_stage"],
            row["channel"],
            row["touches"],
        )
        for row in truth["touchpoints"]
    }
    assert published == planned
    assert any(touchpoint == "(unmapped)" for _, touchpoint in planned)


def test_tickets_by_status_are_the_truth(sample):
    settings, truth = sample
    published = dict(
        fetch(
            settings,
            "select ticket_status, count(*) from marts.fct_tickets group by 1",
        )
    )
    assert published == {
        status: tickets for status, tickets in truth["tickets"].items() if tickets
    }
    assert published["deleted"] > 0


def test_merged_contacts_are_one_customer(sample):
    settings, truth = sample
    ((customers,),) = fetch(
        settings,
        "select count(distinct customer_key) from marts.dim_customers where is_in_crm",
    )
    assert customers == truth["customers_known"]
    assert truth["merged_contacts"] > 0


def test_every_row_of_every_file_is_loaded_or_rejected(sample):
    settings, truth = sample
    loaded = {
        feed: {"in_files": int(in_files), "loaded": int(loaded)}
        for feed, in_files, loaded in fetch(
            settings,
            "select feed, sum(rows_in_file), sum(rows_loaded) from audit.loads"
            " where status = 'accepted' group by 1",
        )
    }
    planned = {
        feed: {"in_files": rows["in_files"], "loaded": rows["loaded"]}
        for feed, rows in truth["rows"].items()
    }
    assert loaded == planned
    rejects = dict(
        fetch(
            settings,
            "select feed, count(*) from audit.rejects join audit.loads using (load_id)"
            " group by 1",
        )
    )
    assert rejects == truth["rejects"]


def test_data_status_counts_what_was_left_out(sample):
    settings, truth = sample
    status = {
        source: (str(as_of), rejected, unmapped, failed)
        for source, as_of, rejected, unmapped, failed in fetch(
            settings,
            "select source, as_of_date, rows_rejected, unmapped_events, failed_feeds"
            " from marts.data_status",
        )
    }
    unmapped = sum(
        row["touches"]
        for row in truth["touchpoints"]
        if row["touchpoint"] == "(unmapped)"
    )
    last_night = truth["last_night"]
    assert status == {
        "hubspot": (last_night, 1, unmapped, 0),
        "qualtrics": (last_night, 0, 0, 0),
        "zendesk": (last_night, 0, 0, 0),
    }
