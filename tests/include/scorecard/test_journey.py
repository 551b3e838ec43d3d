"""The journey on the scorecard: sums over cohorts, and rates of mature ones only."""

from datetime import date

import psycopg

from include.scorecard import write_scorecard
from include.settings import Settings
from tests.include.scorecard.score_world import (
    create_table,
    insert_rows,
    make_cohort,
    make_score,
    plant_scores,
    read_text,
)

AS_OF = date(2026, 11, 19)
YOUNG, OTHER_YOUNG = date(2026, 9, 21), date(2026, 10, 1)
MATURE, FORGOTTEN = date(2026, 9, 1), date(2025, 10, 31)


def read_section(
    settings: Settings, connection: psycopg.Connection, *cohorts: dict[str, object]
) -> str:
    plant_scores(connection, make_score(date(2026, 10, 1), 100, 30.0))
    create_table(connection, "mart_journey_funnel")
    insert_rows(connection, "mart_journey_funnel", cohorts)
    page = write_scorecard(settings).read_text(encoding="utf-8")
    start = page.index('id="journey"')
    return read_text(page[start : page.index("</section>", start)])


def test_without_a_mature_cohort_the_page_says_so_in_words_and_shows_no_rate(
    settings: Settings, connection: psycopg.Connection
) -> None:
    text = read_section(
        settings,
        connection,
        make_cohort("purchase", 4, YOUNG, AS_OF, (50, 40, None, None)),
        make_cohort("discovery", 1, YOUNG, AS_OF, (130, 100, 40, 25)),
        make_cohort("discovery", 1, OTHER_YOUNG, AS_OF, (1100, 1000, 400, 250)),
    )
    assert "between 21 September 2026 and 1 October 2026." in text
    assert (
        "A journey has 60 days to go on from a stage. No day of entry is that long ago"
        " yet, so there is no conversion to show: the first is on 20 November 2026."
        in text
    )
    assert (
        "Discovery 1,230 1,100 440 275 not mature yet"
        " Purchase 50 40 the end of the path" in text
    )
    assert "%" not in text


def test_a_conversion_is_of_mature_cohorts_alone(
    settings: Settings, connection: psycopg.Connection
) -> None:
    text = read_section(
        settings,
        connection,
        make_cohort("discovery", 1, MATURE, AS_OF, (300, 200, 100, 50)),
        make_cohort("discovery", 1, YOUNG, AS_OF, (1100, 1000, 40, 25)),
        make_cohort("recognition", 2, YOUNG, AS_OF, (60, 50, 8, 7)),
    )
    assert "Discovery 1,400 1,200 140 75 50.0 % 25.0 %" in text
    assert "Recognition 60 50 8 7 not mature yet" in text
    assert "of those that have had them, 200 of 1,250 entries" in text


def test_when_all_cohorts_are_mature_nothing_is_left_out(
    settings: Settings, connection: psycopg.Connection
) -> None:
    text = read_section(
        settings,
        connection,
        make_cohort("discovery", 1, MATURE, AS_OF, (300, 200, 0, 0)),
        make_cohort("discovery", 1, FORGOTTEN, AS_OF, (7, 7, 7, 7)),
    )
    assert "All of these have had them." in text
    assert "Discovery 300 200 0 0 0.0 % 0.0 %" in text
