"""What the scorecard makes of published scores, and what it must not say of them."""

from datetime import date

import psycopg
import pytest

from include.scorecard import write_scorecard
from include.settings import Settings
from tests.include.scorecard.conftest import Published
from tests.include.scorecard.score_world import make_score, plant_scores, read_text

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
STAGE = {"breakdown": "journey_stage", "breakdown_value": "purchase"}


def write_page(settings: Settings) -> str:
    return write_scorecard(settings).read_text(encoding="utf-8")


def make_change(
    p_value: float | None,
    p_value_adjusted: float | None,
    is_significant: bool | None,
    method: str = "customer_clustered",
) -> dict[str, object]:
    """The columns of a change of four points."""
    return {
        "score_change": 4.0,
        "p_value": p_value,
        "p_value_adjusted": p_value_adjusted,
        "is_significant_change": is_significant,
        "change_method": method,
    }


def test_a_change_is_told_in_plain_words(
    settings: Settings, connection: psycopg.Connection
) -> None:
    change = make_change(0.001, 0.002, True) | {"score_change": -40.0}
    plant_scores(
        connection,
        make_score(SEPTEMBER, 100, 30.0),
        make_score(OCTOBER, 100, -10.0, **change),
    )
    assert (
        "Down 40.0 points on September: more than chance would explain (p = 0.002)."
        in read_text(write_page(settings))
    )


def test_a_change_that_is_chance_among_many_is_not_called_one(
    settings: Settings, connection: psycopg.Connection
) -> None:
    """Its own p is small, but with thirty rows to compare that says nothing."""
    change = make_change(0.003, 0.09, False)
    plant_scores(
        connection,
        make_score(SEPTEMBER, 100, 30.0),
        make_score(OCTOBER, 100, 34.0, **change),
        make_score(SEPTEMBER, 100, 30.0, **STAGE),
        make_score(OCTOBER, 100, 34.0, **STAGE, **change),
    )
    page = write_page(settings)
    text = read_text(page)
    assert "Up 4.0 points on September: may be chance (p = 0.090)." in text
    assert "0.003" not in text
    assert 'class="change up"' not in page
    assert "No stage, channel, country or segment." in text


def test_the_page_takes_the_verdict_of_the_marts_and_has_none_of_its_own(
    settings: Settings, connection: psycopg.Connection
) -> None:
    """However large p is: what counts as significant is decided in one place."""
    plant_scores(
        connection,
        make_score(SEPTEMBER, 100, 30.0),
        make_score(OCTOBER, 100, 34.0),
        make_score(SEPTEMBER, 100, 30.0, **STAGE),
        make_score(OCTOBER, 100, 34.0, **STAGE, **make_change(0.5, 0.7, True)),
    )
    page = write_page(settings)
    assert page.count('class="change up"') == 2  # in the list and in the table
    assert "more than chance would explain (p = 0.700)" in read_text(page)


def test_a_change_that_was_not_tested_is_not_judged(
    settings: Settings, connection: psycopg.Connection
) -> None:
    change = make_change(0.0001, None, None, "independent_adjusted")
    plant_scores(
        connection,
        make_score(SEPTEMBER, 100, 30.0),
        make_score(OCTOBER, 100, 34.0, **change),
    )
    text = read_text(write_page(settings))
    assert "Up 4.0 points on September: too few answers to judge the change." in text
    assert "0.0001" not in text
    assert "No row has at least 30 answers in both months yet." in text


def test_a_change_by_the_simpler_test_is_indicative_only(
    settings: Settings, connection: psycopg.Connection
) -> None:
    change = make_change(0.01, 0.02, True, "independent_adjusted")
    plant_scores(
        connection,
        make_score(SEPTEMBER, 40, 30.0),
        make_score(OCTOBER, 40, 34.0, **change),
        make_score(SEPTEMBER, 40, 30.0, **STAGE),
        make_score(OCTOBER, 40, 34.0, **STAGE, **change),
    )
    page = write_page(settings)
    text = read_text(page)
    assert "more than chance would explain (p = 0.020, indicative only)." in text
    assert "(40 answers) indicative only" in text
    assert text.count("(p = 0.020, indicative only)") == 2


def test_a_change_on_a_month_known_in_part_says_so(
    settings: Settings, connection: psycopg.Connection
) -> None:
    plant_scores(
        connection,
        make_score(SEPTEMBER, 100, 30.0, is_complete_period=False),
        make_score(OCTOBER, 100, 34.0, **make_change(0.4, 0.4, False)),
    )
    text = read_text(write_page(settings))
    assert "Up 4.0 points on September (known in part): may be chance" in text
    assert "September is known in part: not every source has delivered" in text


def test_under_five_answers_no_score_is_shown(
    settings: Settings, connection: psycopg.Connection
) -> None:
    plant_scores(
        connection,
        make_score(SEPTEMBER, 100, 30.0),
        make_score(OCTOBER, 4, 51.0, "suppressed", score_change=21.0, target=47.0),
    )
    text = read_text(write_page(settings))
    assert "Transactional NPS not shown (too few)" in text
    assert "Only 4 answers: too few to show a score." in text
    for figure in ("51.0", "21.0", "56.0", "46.0", "47.0"):
        assert figure not in text


def test_a_hidden_score_says_that_it_is_hidden_and_shows_nothing(
    settings: Settings, connection: psycopg.Connection
) -> None:
    pool = {"metric": "csat", "is_confidential": True, "target": 83.0}
    row = {"breakdown": "experience_channel"}
    plant_scores(
        connection,
        make_score(OCTOBER, 60, 71.0, **pool),
        make_score(OCTOBER, 55, 72.0, **pool, **row, breakdown_value="web"),
        *(
            make_score(
                OCTOBER,
                None,
                None,
                "hidden",
                **pool,
                **row,
                breakdown_value=value,
                hidden_as=reason,
            )
            for value, reason in (("chat", "primary"), ("app", "complementary"))
        ),
    )
    text = read_text(write_page(settings))
    assert "Customer satisfaction, in confidence" in text
    for channel in ("Chat", "App"):
        assert (
            f"{channel} not shown (too few) – –"
            " in confidence: could give away who answered what" in text
        )
    assert "Web 72.0 % 67.0 % to 77.0 % 55" in text


def test_a_confidential_pool_of_which_nothing_may_be_shown_is_a_sentence(
    settings: Settings, connection: psycopg.Connection
) -> None:
    pool = {"metric": "csat", "is_confidential": True}
    hidden = {"hidden_as": "complementary", "target": 80.0}
    plant_scores(
        connection,
        make_score(OCTOBER, 100, 30.0),
        make_score(OCTOBER, None, None, "hidden", **pool, **hidden),
        make_score(OCTOBER, None, None, "hidden", **pool, **hidden, **STAGE),
    )
    page = write_page(settings)
    section = page[page.index('id="csat-transactional-confidential"') :]
    section = section[: section.index("</section>")]
    assert "Not shown (too few)" in read_text(section)
    assert "could give away who answered what" in read_text(section)
    assert "<table" not in section
    assert "80.0" not in section


def test_a_change_against_a_suppressed_month_is_not_shown(
    settings: Settings, connection: psycopg.Connection
) -> None:
    plant_scores(
        connection,
        make_score(SEPTEMBER, 4, 50.0, "suppressed"),
        make_score(OCTOBER, 100, 32.5, score_change=-17.5),
    )
    text = read_text(write_page(settings))
    assert "17.5" not in text
    assert "Too few answers in the month before" in text


def test_under_thirty_answers_are_marked_as_a_hint(
    settings: Settings, connection: psycopg.Connection
) -> None:
    plant_scores(connection, make_score(OCTOBER, 20, 25.0, "indicative"))
    page = write_page(settings)
    assert "under 30 answers: a hint" in read_text(page)
    assert 'class="point hint"' in page


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (45.0, "Target +45.0: 15.0 below."),
        (20.0, "Target +20.0: 10.0 above."),
        (33.0, "Target +33.0: 3.0 below, inside the interval."),
        (30.0, "Target +30.0: reached, inside the interval."),
    ],
)
def test_a_target_is_told_without_praise_or_blame(
    settings: Settings, connection: psycopg.Connection, target: float, words: str
) -> None:
    goal = {"target": target, "gap_to_target": 30.0 - target}
    plant_scores(connection, make_score(OCTOBER, 100, 30.0, **goal))
    page = write_page(settings)
    assert words in read_text(page)
    assert 'class="target"' in page
    assert 'class="change' not in page


def test_a_relational_score_stands_beside_its_weighted_one(
    published: Published,
) -> None:
    relational, transactional = published.scorecard.sections[:2]
    assert relational.headline is not None
    assert relational.headline.weighted_score is not None
    weighted = f"{relational.headline.weighted_score:+.1f}".replace("-", "−")
    text = read_text(published.page)
    assert text.count("Weighted to all who could be asked:") == 1
    assert f"Weighted to all who could be asked: {weighted}." in text
    for section, columns in ((relational, 2), (transactional, 0)):
        start = published.page.index(f'id="{section.name}"')
        own = published.page[start : published.page.index("</section>", start)]
        assert own.count('<th scope="col">Weighted</th>') == columns
