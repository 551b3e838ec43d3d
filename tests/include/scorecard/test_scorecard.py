"""The scorecard over published scores: what it says, and what it must not say."""

import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import psycopg
import pytest

from include.scorecard import write_scorecard
from include.scorecard.charts import SCALES, fit_axis
from include.scorecard.content import STAGES, Score, read_scorecard
from include.settings import Settings
from tests.include.scorecard.score_world import (
    METRIC_COLUMNS,
    create_score_table,
    publish_scores,
    publish_status,
)

AS_OF = date(2026, 11, 20)
VOID_TAGS = {"meta", "link", "br", "col", "img", "input", "hr"}


@pytest.fixture
def connection(settings: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield connection


def write_page(settings: Settings) -> str:
    return write_scorecard(settings).read_text(encoding="utf-8")


def read_text(page: str) -> str:
    """The words of a page, without markup and style."""
    page = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", page).replace("\xa0", " ").replace("&nbsp;", " ")
    return re.sub(r"\s+", " ", text)


class _TagChecker(HTMLParser):
    """Fails on tags that are not closed in order, and collects ids and tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID_TAGS:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(
    settings: Settings, connection: psycopg.Connection
) -> None:
    publish_scores(connection, date(2025, 10, 1), AS_OF)
    page = write_page(settings)
    checker = _TagChecker()
    checker.feed(page)
    assert checker.open_tags == []
    assert len(checker.ids) == len(set(checker.ids))
    assert "script" not in checker.tags
    assert "link" not in checker.tags
    assert "img" not in checker.tags
    assert "://" not in page
    assert "@import" not in page
    assert list(settings.report_folder.iterdir()) == [
        settings.report_folder / "scorecard.html"
    ]


def test_headlines_are_the_published_scores_of_the_last_complete_month(
    settings: Settings, connection: psycopg.Connection
) -> None:
    publish_scores(connection, date(2026, 8, 1), AS_OF)
    text = read_text(write_page(settings))
    assert "October 2026. Data until 20 November 2026." in text
    for kind, title in (
        ("relational", "Relationship NPS"),
        ("transactional", "Transactional NPS"),
    ):
        nps, low, high, responses = (
            connection.execute(
                "select nps, nps_low_95, nps_high_95, responses from marts.nps_scores"
                " where survey_kind = %s and breakdown = 'total'"
                " and period_grain = 'month' and period_start = '2026-10-01'",
                [kind],
            ).fetchone()
            or (None,) * 4
        )
        shown = f"{title} {nps:+.1f}".replace("-", "−")
        assert shown in text
        interval = (
            f"{low:+.1f} to {high:+.1f} with 95 % confidence, {responses} answers"
        )
        assert interval.replace("-", "−") in text


def test_every_chart_has_a_name_and_a_table_beside_it(
    settings: Settings, connection: psycopg.Connection
) -> None:
    publish_scores(connection, date(2026, 8, 1), AS_OF)
    page = write_page(settings)
    charts = re.findall(r"<svg\b[^>]*>", page)
    assert len(charts) > 50
    for chart in charts:
        assert "aria-hidden" in chart or 'role="img"' in chart
        assert "aria-hidden" in chart or "aria-label" in chart
    for figure in re.findall(r"<figure>.*?</figure>.*?</div>", page, re.DOTALL):
        assert "<table>" in figure


def test_stages_follow_the_customers_path(
    settings: Settings, connection: psycopg.Connection
) -> None:
    publish_scores(connection, date(2026, 8, 1), AS_OF)
    sections = read_scorecard(connection).sections
    assert [section.name for section in sections] == [
        "nps-relational",
        "nps-transactional",
        "csat-transactional",
        "ces-transactional",
    ]
    for section in sections[1:]:
        values = [row.value for row in section.breakdowns["journey_stage"]]
        assert tuple(values[: len(STAGES)]) == STAGES
    assert "journey_stage" not in sections[0].breakdowns


def plant_month(
    connection: psycopg.Connection,
    month: date,
    counts: tuple[int, int, int],
    status: str,
    p_value: float | None = None,
    change: float | None = None,
    breakdown: tuple[str, str] = ("total", "(all)"),
) -> None:
    promoters, _, detractors = counts
    responses = sum(counts)
    nps = 100 * (promoters - detractors) / responses
    connection.execute(
        "insert into marts.nps_scores (score_period_key, period_key, survey_kind,"
        " period_grain, period_label, breakdown, breakdown_value, sample_status,"
        " is_complete_period, period_start, period_end, responses, p_value, promoters,"
        " passives, detractors, nps, nps_low_95, nps_high_95, nps_change_points)"
        " values (%s, 'k', 'transactional', 'month', %s, %s, %s, %s, true, %s,"
        " (%s::date + interval '1 month - 1 day')::date, %s, %s, %s, %s, %s, %s, %s,"
        " %s, %s)",
        [
            f"{month}{breakdown}",
            f"{month:%Y-%m}",
            *breakdown,
            status,
            month,
            month,
            responses,
            p_value,
            *counts,
            nps,
            nps - 5,
            nps + 5,
            change,
        ],
    )


SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)


def test_a_change_is_told_in_plain_words(
    settings: Settings, connection: psycopg.Connection
) -> None:
    create_score_table(connection, "nps")
    plant_month(connection, SEPTEMBER, (50, 30, 20), "reportable")
    plant_month(connection, OCTOBER, (30, 30, 40), "reportable", 0.002, -40.0)
    text = read_text(write_page(settings))
    assert (
        "Down 40.0 points on September: more than chance would explain (p = 0.002)."
        in text
    )


def test_a_change_that_may_be_chance_is_not_coloured(
    settings: Settings, connection: psycopg.Connection
) -> None:
    create_score_table(connection, "nps")
    stage = ("journey_stage", "purchase")
    for month, change in ((SEPTEMBER, None), (OCTOBER, 4.0)):
        for cut in (("total", "(all)"), stage):
            plant_month(
                connection, month, (50, 30, 20), "reportable", 0.41, change, cut
            )
    page = write_page(settings)
    assert "Up 4.0 points on September: may be chance (p = 0.410)." in read_text(page)
    assert 'class="change up"' not in page
    assert "No stage, channel, country or segment." in page


def test_under_five_answers_no_score_is_shown(
    settings: Settings, connection: psycopg.Connection
) -> None:
    create_score_table(connection, "nps")
    plant_month(connection, SEPTEMBER, (50, 30, 20), "reportable")
    plant_month(connection, OCTOBER, (3, 0, 1), "suppressed", 0.5, 20.0)
    text = read_text(write_page(settings))
    assert "Only 4 answers: too few to show a score." in text
    assert "+50.0" not in text
    assert "20.0" not in text.replace("+20.0", "").replace("20.0 to", "")


def test_a_change_against_a_suppressed_month_is_not_shown(
    settings: Settings, connection: psycopg.Connection
) -> None:
    create_score_table(connection, "nps")
    plant_month(connection, SEPTEMBER, (3, 0, 1), "suppressed")
    plant_month(connection, OCTOBER, (50, 30, 20), "reportable", 0.5, -17.5)
    text = read_text(write_page(settings))
    assert "17.5" not in text
    assert "Too few answers in the month before" in text


def test_under_thirty_answers_are_marked_as_a_hint(
    settings: Settings, connection: psycopg.Connection
) -> None:
    create_score_table(connection, "nps")
    plant_month(connection, OCTOBER, (10, 5, 5), "indicative")
    page = write_page(settings)
    assert "under 30 answers: a hint" in read_text(page)
    assert 'class="point hint"' in page


def test_a_month_without_answers_breaks_the_line(
    settings: Settings, connection: psycopg.Connection
) -> None:
    create_score_table(connection, "nps")
    for month in (date(2026, 6, 1), date(2026, 7, 1), SEPTEMBER, OCTOBER):
        plant_month(connection, month, (50, 30, 20), "reportable")
    page = write_page(settings)
    (trend,) = re.findall(r'<svg class="trend".*?</svg>', page, re.DOTALL)
    assert trend.count('class="line"') == 2
    assert trend.count('class="band"') == 2
    assert trend.count('class="point"') == 4


def test_trouble_with_a_source_is_told(
    settings: Settings, connection: psycopg.Connection
) -> None:
    publish_status(
        connection, AS_OF, late=date(2026, 11, 18), failure="the file <a.csv> is empty."
    )
    page = write_page(settings)
    text = read_text(page)
    assert "Qualtrics (surveys) Complete until 18 November 2026." in text
    assert "Behind the other sources" in text
    assert "1 export could not be read: the file &lt;a.csv&gt; is empty." in text
    assert "1 delivery held back" in text
    assert page.count('class="trouble"') == 1
    assert "HubSpot (customers) Complete until 20 November 2026, all well." in text


@pytest.mark.parametrize("with_tables", [False, True])
def test_before_the_first_publish_the_page_says_so(
    settings: Settings, connection: psycopg.Connection, with_tables: bool
) -> None:
    if with_tables:
        for metric in METRIC_COLUMNS:
            create_score_table(connection, metric)
    assert "No scores have been published yet." in write_page(settings)


def test_a_value_from_the_data_cannot_write_markup(
    settings: Settings, connection: psycopg.Connection
) -> None:
    create_score_table(connection, "nps")
    for cut in (("total", "(all)"), ("experience_channel", "<script>x</script>")):
        plant_month(connection, OCTOBER, (50, 30, 20), "reportable", breakdown=cut)
    assert "<script" not in write_page(settings).lower()


def test_text_has_the_contrast_that_accessibility_asks_for() -> None:
    """WCAG 2.2 AA: 4.5 to 1 for text, 3 to 1 for the marks of a chart."""
    style = (
        Path(__file__).parents[3] / "include/scorecard/templates/scorecard.css"
    ).read_text()
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    for scheme in (light, dark):
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", scheme))
        for text in ("ink", "soft", "accent", "good", "bad", "warn"):
            for ground in ("page", "card"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        assert contrast(colours["warn"], colours["warn-page"]) >= 4.5
        assert contrast(colours["ink"], colours["warn-page"]) >= 4.5
        for mark in ("accent", "zero", "promoters", "detractors"):
            assert contrast(colours[mark], colours["card"]) >= 3, mark


def contrast(one: str, other: str) -> float:
    """Contrast of two colours #rrggbb, as WCAG defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, faint = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (faint + 0.05)


def make_score(metric: str, score: float, low: float, high: float) -> Score:
    return Score(
        metric=metric,  # type: ignore[arg-type]
        survey_kind="transactional",
        period_grain="month",
        period_start=OCTOBER,
        period_end=date(2026, 10, 31),
        period_label="2026-10",
        is_complete_period=True,
        breakdown="total",
        breakdown_value="(all)",
        responses=100,
        score=score,
        low_95=low,
        high_95=high,
        change_points=None,
        p_value=None,
        sample_status="reportable",
        counts={},
    )


@pytest.mark.parametrize(
    ("metric", "score", "low", "high"),
    [
        ("nps", 30.0, 14.1, 44.2),
        ("nps", 100.0, 47.5, 100.0),
        ("nps", -100.0, -100.0, -100.0),
        ("csat", 100.0, 99.4, 100.0),
        ("csat", 0.0, 0.0, 0.0),
        ("ces", 7.0, 7.0, 7.0),
        ("ces", 5.14, 3.5, 6.78),
    ],
)
def test_an_axis_holds_its_values_in_round_steps(
    metric: str, score: float, low: float, high: float
) -> None:
    axis = fit_axis([make_score(metric, score, low, high)], metric, 0.0, 100.0)  # type: ignore[arg-type]
    assert axis.ticks[0] <= low
    assert high <= axis.ticks[-1]
    assert 2 <= len(axis.ticks) <= 7
    assert SCALES[metric][0] <= axis.ticks[0] < axis.ticks[-1] <= SCALES[metric][1]  # type: ignore[index]
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert 0 <= axis.place(low) <= axis.place(score) <= axis.place(high) <= 100
