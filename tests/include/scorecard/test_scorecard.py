"""The scorecard's page: whole, readable, and saying where its data comes from."""

import re
from dataclasses import fields
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import psycopg
import pytest

from include.scorecard import write_scorecard
from include.scorecard.charts import SCALES, fit_axis
from include.scorecard.content import STAGES
from include.scorecard.scores import Metric, Score
from include.settings import Settings
from tests.include.scorecard.conftest import Published
from tests.include.scorecard.score_world import (
    AS_OF,
    TABLES,
    create_table,
    make_score,
    plant_scores,
    publish_status,
    read_text,
)

VOID_TAGS = {"meta", "link", "br", "col", "img", "input", "hr"}
OCTOBER = date(2026, 10, 1)


def write_page(settings: Settings) -> str:
    return write_scorecard(settings).read_text(encoding="utf-8")


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
    published: Published,
) -> None:
    page = published.page
    checker = _TagChecker()
    checker.feed(page)
    assert checker.open_tags == []
    assert len(checker.ids) == len(set(checker.ids))
    assert "script" not in checker.tags
    assert "link" not in checker.tags
    assert "img" not in checker.tags
    assert "://" not in page
    assert "@import" not in page
    assert list(published.path.parent.iterdir()) == [published.path]


def test_headlines_are_the_published_scores_of_the_last_complete_month(
    published: Published,
) -> None:
    text = read_text(published.page)
    assert "October 2026. Data until 20 November 2026." in text
    for kind, title in (
        ("relational", "Relationship NPS"),
        ("transactional", "Transactional NPS"),
    ):
        nps, low, high, responses = (
            published.connection.execute(
                "select score, score_low_95, score_high_95, responses"
                " from marts.experience_scores"
                " where metric = 'nps' and survey_kind = %s and breakdown = 'total'"
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


def test_every_chart_has_a_name_and_a_table_beside_it(published: Published) -> None:
    charts = re.findall(r"<svg\b[^>]*>", published.page)
    assert len(charts) > 50
    for chart in charts:
        assert "aria-hidden" in chart or 'role="img"' in chart
        assert "aria-hidden" in chart or "aria-label" in chart
    for figure in re.findall(r"<figure>.*?</figure>.*?</div>", published.page, re.S):
        assert "<table" in figure


def test_stages_follow_the_customers_path(published: Published) -> None:
    sections = published.scorecard.sections
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


def test_the_share_of_easy_answers_stands_beside_the_effort_score(
    published: Published,
) -> None:
    assert re.search(
        r"\d\d\.\d % found it easy \(5 to 7 out of 7\); with 95 % confidence"
        r" \d\d\.\d % to \d\d\.\d %",
        read_text(published.page),
    )


def test_a_month_without_answers_breaks_the_line(
    settings: Settings, connection: psycopg.Connection
) -> None:
    months = (date(2026, 6, 1), date(2026, 7, 1), date(2026, 9, 1), OCTOBER)
    plant_scores(connection, *(make_score(month, 100, 30.0) for month in months))
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
        for table in TABLES:
            create_table(connection, table)
    assert "No scores have been published yet." in write_page(settings)


def test_a_value_from_the_data_cannot_write_markup(
    settings: Settings, connection: psycopg.Connection
) -> None:
    value = "<script>x</script>"
    plant_scores(
        connection,
        make_score(OCTOBER, 100, 30.0),
        make_score(
            OCTOBER, 100, 30.0, breakdown="experience_channel", breakdown_value=value
        ),
    )
    page = write_page(settings).lower()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


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
        for mark in ("accent", "zero", "promoters", "detractors", "mix"):
            assert contrast(colours[mark], colours["card"]) >= 3, mark


def test_a_rolled_back_page_says_of_when_it_is(
    connection: psycopg.Connection, settings: Settings
) -> None:
    publish_status(connection, AS_OF)
    assert "Rolled back" not in write_page(settings)
    connection.execute(
        "update marts.data_status set rolled_back_at = '2026-11-21 09:30+00'"
    )
    assert (
        "Rolled back on 21 November 2026, 09:30 UTC: this page shows the version that"
        " was published 21 November 2026, 05:12 UTC, whatever the sources below"
    ) in read_text(write_page(settings))


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


def build_score(metric: Metric, score: float, low: float, high: float) -> Score:
    columns = dict.fromkeys(field.name for field in fields(Score))
    figures = {"metric": metric, "score": score, "low_95": low, "high_95": high}
    return Score(**(columns | figures | {"sample_status": "reportable"}))  # type: ignore[arg-type]


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
    metric: Metric, score: float, low: float, high: float
) -> None:
    axis = fit_axis([build_score(metric, score, low, high)], metric, 0.0, 100.0)
    assert axis.ticks[0] <= low
    assert high <= axis.ticks[-1]
    assert 2 <= len(axis.ticks) <= 7
    assert SCALES[metric][0] <= axis.ticks[0] < axis.ticks[-1] <= SCALES[metric][1]
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert 0 <= axis.place(low) <= axis.place(score) <= axis.place(high) <= 100
