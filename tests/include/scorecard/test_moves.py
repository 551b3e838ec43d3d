"""What moved a score: the published contributions, and whether it moved at all."""

from datetime import date, timedelta

import psycopg
import pytest

from include.scorecard import write_scorecard
from include.settings import Settings
from tests.include.scorecard.conftest import Published
from tests.include.scorecard.score_world import (
    create_table,
    insert_rows,
    make_mover,
    make_score,
    plant_scores,
    read_text,
)

MONTH, WEEK = date(2026, 10, 1), date(2026, 11, 9)
BEFORE, RUNNING = WEEK - timedelta(days=7), WEEK + timedelta(days=7)
WEEKLY = {"period_grain": "week"}


def read_section(settings: Settings) -> str:
    page = write_scorecard(settings).read_text(encoding="utf-8")
    start = page.find('id="moved"')
    return read_text(page[start : page.index("</section>", start)]) if start > 0 else ""


def plant_weeks(
    connection: psycopg.Connection,
    *movers: dict[str, object],
    responses_before: int = 90,
    is_significant: bool = False,
) -> None:
    plant_scores(
        connection,
        make_score(MONTH, 400, 33.0),
        make_score(
            BEFORE,
            responses_before,
            30.0,
            "suppressed" if responses_before < 5 else "reportable",
            **WEEKLY,
        ),
        make_score(
            WEEK,
            90,
            36.0,
            **WEEKLY,
            score_change=6.0,
            p_value_adjusted=0.012 if is_significant else 0.31,
            is_significant_change=is_significant,
        ),
        make_score(RUNNING, 90, 80.0, **WEEKLY, is_complete_period=False),
    )
    create_table(connection, "score_movers")
    for mover in movers:
        insert_rows(connection, "score_movers", [mover])


def make_group(
    dimension: str, value: str, rate: float, mix: float, rank: int, week: date = WEEK
) -> dict[str, object]:
    return make_mover("nps", "transactional", week, (dimension, value), rate, mix, rank)


@pytest.mark.parametrize(
    ("rate", "mix", "words"),
    [
        (
            4.0,
            1.5,
            "+5.5; +4.0 because its answers were better, +1.5 because its",
        ),
        (-4.0, 0.1, "−3.9, nearly all because its answers were worse."),
        (0.1, -4.0, "−3.9, nearly all because its share of all answers changed."),
    ],
)
def test_the_last_complete_week_is_told_with_what_moved_it_most(
    settings: Settings,
    connection: psycopg.Connection,
    rate: float,
    mix: float,
    words: str,
) -> None:
    plant_weeks(
        connection,
        make_group("journey_stage", "loyalty", rate, mix, 1),
        make_group("journey_stage", "use", 9.9, 9.9, 1, RUNNING),
        is_significant=True,
    )
    text = read_section(settings)
    assert "9 November" not in text
    assert "9 to 15 November 2026, against the week before." in text
    assert (
        "Up 6.0 on the week before, from +30.0 to +36.0: more than chance would"
        f" explain (p = 0.012). By stage, Loyalty moved it most: {words}" in text
    )
    assert "19.8" not in text


def test_a_week_that_may_be_chance_says_so_before_what_moved_it(
    settings: Settings, connection: psycopg.Connection
) -> None:
    plant_weeks(connection, make_group("segment", "consumer", 4.0, 0.0, 1))
    assert "may be chance (p = 0.310). By segment, Consumer moved it most" in (
        read_section(settings)
    )


def test_two_groups_of_each_dimension_are_shown_and_none_that_moved_nothing(
    settings: Settings, connection: psycopg.Connection
) -> None:
    plant_weeks(
        connection,
        make_group("journey_stage", "use", 0.04, 0.0, 1),
        make_group("country", "BR", -5.0, 0.5, 1),
        make_group("country", "ES", 2.0, 0.0, 2),
        make_group("country", "RO", 1.0, 0.0, 3),
    )
    text = read_section(settings)
    assert "By country Brazil −4.5 −5.0 +0.5 40 → 44 Spain +2.0 +2.0 0 40 → 44" in text
    assert "Romania" not in text
    assert "By stage" not in text


def test_answers_of_which_nothing_is_known_are_not_what_moved_a_score(
    settings: Settings, connection: psycopg.Connection
) -> None:
    plant_weeks(
        connection,
        make_group("journey_stage", "(unknown)", 6.0, 0.0, 1),
        make_group("segment", "(unknown)", 4.0, 0.0, 1),
        make_group("segment", "consumer", 2.0, 0.0, 2),
    )
    text = read_section(settings)
    assert "By stage" not in text
    assert "By segment, Consumer moved it most: +2.0" in text
    assert "By segment Not known +4.0" in text


def test_without_enough_answers_before_nothing_is_said_to_have_moved(
    settings: Settings, connection: psycopg.Connection
) -> None:
    plant_weeks(
        connection,
        make_group("journey_stage", "loyalty", 5.0, 0.0, 1),
        responses_before=4,
    )
    text = read_section(settings)
    assert "Too few answers in the week before: no change to explain." in text
    assert "Loyalty" not in text


def test_a_relational_score_is_not_explained_by_stages_and_channels(
    published: Published,
) -> None:
    relational, transactional = published.scorecard.moves[:2]
    assert {mover.dimension for mover in relational.movers} == {"country", "segment"}
    assert {mover.dimension for mover in transactional.movers} == {
        "journey_stage",
        "experience_channel",
        "country",
        "segment",
    }


def test_without_a_complete_week_the_section_is_left_out(
    settings: Settings, connection: psycopg.Connection
) -> None:
    plant_scores(
        connection,
        make_score(MONTH, 400, 33.0),
        make_score(RUNNING, 90, 80.0, **WEEKLY, is_complete_period=False),
    )
    assert read_section(settings) == ""
