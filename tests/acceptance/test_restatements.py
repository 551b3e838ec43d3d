"""A correction of an old week: restated, rolled back, and caught up with."""

import csv
import dataclasses
from datetime import date
from pathlib import Path

import pytest

from include import night
from include.backfill.changes import compare_marts
from include.building.publish import publish, verify_published
from include.building.rollback import roll_back
from include.sample_exports import write_sample_exports
from include.settings import Settings, connect
from tests.conftest import PUBLISHED_SAMPLE
from tests.nights import execute, fetch, find_file, hash_marts, run

# In a week that was over long before the last night.
DAY = date(2026, 10, 28)
WEEK = "week:2026-10-26"
LAST = PUBLISHED_SAMPLE.last_night
# Written by hand from the answers, not from any score that is published.
SCORE_BY_HAND = """
    select count(*),
        round(100.0 * (count(*) filter (where score >= 9)
            - count(*) filter (where score <= 6)) / count(*), 6)
    from marts.fct_survey_responses
    where is_counted and metric = 'nps' and survey_kind = 'relational'
        and not is_confidential and answered_date between '2026-10-26' and '2026-11-01'
"""
FINAL = """
    select score_period_key, figures.figure, figures.value
    from marts.experience_scores
    cross join lateral (values
        ('responses', cast(responses as numeric)), ('score', score),
        ('weighted_score', weighted_score)
    ) as figures (figure, value)
    where is_complete_period and not is_confidential and figures.value is not null
"""


def correct_one_answer(settings: Settings) -> tuple[int, int]:
    """Deliver the day's relational answers again, one of them turned round; return its
    old score and its new one."""
    path = find_file(settings, "qualtrics.responses", DAY, "SV_NPS_RELATIONAL__*")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    id_column, score_column = (rows[0].index(name) for name in ("ResponseId", "Q_NPS"))
    counted = dict(
        fetch(
            settings,
            "select response_id, score from marts.fct_survey_responses"
            " where is_counted and metric = 'nps' and answered_date = %s",
            DAY,
        )
    )
    row = next(row for row in rows[3:] if row[id_column] in counted)
    old = int(counted[row[id_column]])
    new = 0 if old > 6 else 10  # To the other side of what opens a case.
    row[score_column] = str(new)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return old, new


def name_group(score: int) -> str:
    """The count of the daily mart that an answer is in."""
    return "promoters" if score >= 9 else "passives" if score >= 7 else "detractors"


def read_final(settings: Settings) -> dict[tuple[str, str], object]:
    return {(key, figure): value for key, figure, value in fetch(settings, FINAL)}


def test_a_corrected_export_is_restated_rolled_back_and_caught_up_with(
    published: Settings,
) -> None:
    write_sample_exports(Path(published.landing_url), PUBLISHED_SAMPLE)
    before, final_before = hash_marts(published), read_final(published)
    by_hand_before = fetch(published, SCORE_BY_HAND)
    assert fetch(published, "select count(*) from marts.restatements") == [(0,)]
    old_answer, new_answer = correct_one_answer(published)
    assert run(published, DAY, DAY, "correction", with_tests=False) == []
    after, final_after = hash_marts(published), read_final(published)
    (by_hand,), (by_hand_now,) = by_hand_before, fetch(published, SCORE_BY_HAND)
    assert by_hand[0] == by_hand_now[0]
    assert by_hand[1] != by_hand_now[1]

    # Of the scores, exactly what differs is noted, and from what to what.
    noted = fetch(
        published,
        "select row_key, figure, old_value, new_value from marts.restatements"
        " where model = 'experience_scores'",
    )
    assert {(key, figure): (old, new) for key, figure, old, new in noted} == {
        place: (final_before.get(place), final_after.get(place))
        for place in final_before | final_after
        if final_before.get(place) != final_after.get(place)
    }
    ((run_id, old, new, described, cause, load),) = fetch(
        published,
        "select run_id, old_value, new_value, described_as, cause, loads -> 1"
        " from marts.restatements where figure = 'score' and period_key = %s"
        " and row_key = 'nps|relational|' || period_key || '|total|(all)'",
        WEEK,
    )
    assert (run_id, old, new) == ("correction", by_hand[1], by_hand_now[1])
    assert described == (
        "metric nps, survey_kind relational, breakdown total, breakdown_value (all)"
    )
    assert cause == (
        f"corrected: qualtrics.responses of {DAY} (load {load['load_id']})"
    )
    assert load["change"] == "came"
    # The day's row moved one answer from one group to the other.
    assert fetch(
        published,
        "select period_key, figure, change from marts.restatements"
        " where model = 'mart_nps_daily' order by change",
    ) == [
        (f"day:{DAY}", name_group(old_answer), -1),
        (f"day:{DAY}", name_group(new_answer), 1),
    ]
    # And the case that an unhappy answer opens, or no longer opens, in week and month.
    assert {
        abs(change)
        for (change,) in fetch(
            published,
            "select coalesce(new_value, 0) - coalesce(old_value, 0)"
            " from marts.restatements where model = 'mart_closed_loop'"
            " and figure = 'cases'",
        )
    } == {1}
    assert fetch(
        published, "select distinct model from marts.restatements order by 1"
    ) == [("experience_scores",), ("mart_closed_loop",), ("mart_nps_daily",)]

    result = roll_back(published, "rollback")
    assert hash_marts(published) == before
    assert [run_id for _, run_id in result.undone] == ["correction"]
    assert fetch(
        published,
        "select distinct rolled_back_at is not null from marts.data_status",
    ) == [(True,)]
    assert (
        result.figures_restated
        == fetch(
            published, "select count(*) from marts.restatements where not is_rollback"
        )[0][0]
    )
    page = night.report(published, "rollback").read_text(encoding="utf-8")
    assert "Rolled back" in page

    # A night without news catches up.
    assert run(published, LAST, LAST, "the next night", with_tests=False) == []
    assert hash_marts(published) == after
    assert verify_published(published) == {}
    assert fetch(
        published, "select distinct rolled_back_at is null from marts.data_status"
    ) == [(True,)]
    assert fetch(
        published,
        "select count(*) from marts.restatements"
        " where run_id = 'the next night' and cause like 'corrected: qualtrics%%'",
    ) == [(result.figures_restated,)]


def publish_by_hand(settings: Settings) -> None:
    """Publish what a test has written into the warehouse, as if built and checked."""
    execute(
        settings,
        "insert into audit.builds (run_id, status, loads_touched, models_rebuilt,"
        " gated_at) values ('by hand', 'succeeded', 0, 0, now())",
    )
    publish(settings, "by hand")


@pytest.mark.parametrize(
    ("model", "closed_when", "closed_on"),
    [
        ("experience_scores", "is_complete_period", "period_end"),
        ("mart_response_funnel", "is_mature", "matures_on"),
        ("mart_journey_funnel", "is_mature", "matures_on"),
        (
            "mart_listening_coverage",
            "is_complete_month",
            "cast(month_start + interval '1 month' as date) - 1",
        ),
    ],
)
def test_what_is_final_was_final_in_the_version_that_is_shown(
    shared_published: Settings, model: str, closed_when: str, closed_on: str
) -> None:
    assert fetch(
        shared_published,
        "select restated ->> 'closed_when', restated ->> 'closed_on'"
        " from audit.models where model = %s",
        model,
    ) == [(closed_when, closed_on)]
    assert fetch(
        shared_published,
        f"select count(*) from marts.{model} cross join"
        " (select as_of_date as shown_date from audit.shown_version) as shown"
        f" where {closed_when} and {closed_on} > coalesce(shown_date, '-infinity')",
    ) == [(0,)]


def test_all_public_figures_that_were_final_are_restated_and_none_in_confidence(
    published: Settings,
) -> None:
    # As if all of it had been closed and shown, in confidence too.
    execute(
        published,
        "update audit.publishes set first_date = '2020-01-01',"
        " as_of_date = '2030-01-01'; update warehouse.experience_scores"
        " set is_complete_period = true, hidden_as = null, responses = 50;"
        " update marts.experience_scores set is_complete_period = true,"
        " hidden_as = null, responses = 50",
    )
    execute(
        published,
        "update warehouse.experience_scores set responses = 51, score = 3;"
        # Every declaration is tried, also where nothing differs.
        " insert into audit.unpublished_keys (model)"
        " select model from audit.models where restated is not null",
    )
    foretold = compare_marts(published, "by hand").figures
    assert {figure.model for figure in foretold} >= {"experience_scores"}
    publish_by_hand(published)
    noted = (
        "select count(*) from marts.restatements"
        " where figure = 'responses' and model = 'experience_scores'"
    )
    scores = "select count(*) from marts.experience_scores where is_confidential"
    assert fetch(published, f"{noted} and row_key like '%%|confidential|%%'") == [(0,)]
    assert fetch(published, scores)[0][0] > 0
    everything = (
        "select model, period_key, described_as, figure, old_value, new_value"
        " from marts.restatements where publish_id = (select max(publish_id)"
        " from marts.restatements)"
    )
    assert sorted(map(str, fetch(published, everything))) == sorted(
        str(dataclasses.astuple(figure)) for figure in foretold
    )
    assert fetch(published, noted) == fetch(
        published, scores.replace("where is", "where not is")
    )
    with (
        connect(published, "bi_reader") as reader,
        pytest.raises(Exception, match="permission denied for schema audit"),
    ):
        reader.execute("select * from audit.published_changes")
