"""Sentiment on real texts with real scores: docs/metrics.md states these figures.

Words were written while looking at the texts of even place; these are the others.
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from include.embedded.postgres import EmbeddedPostgres
from include.statistics import languages, sentiment
from tests.conftest import open_database

pytestmark = pytest.mark.slow

Texts = list[tuple[str, int]]


def read_real_texts(shared_data: Path) -> dict[str, Texts]:
    """Texts and stars (a complaint has one), by language."""
    reviews = pd.read_json(shared_data / "survey_reviews/laroseda_test.json")
    shop = list(reviews["reviews"])
    restaurants = pd.read_excel(shared_data / "survey_reviews/restaurants_es.xlsx")
    complaints = pd.read_csv(
        shared_data / "ticket_reclameaqui/RECLAMEAQUI_HAPVIDA.csv", sep=";"
    )
    return {
        "ro": [
            (f"{one['title']}\n{one['content']}", int(one["starRating"]))
            for one in shop
        ],
        "es": [
            (f"{title}\n{text}", int(stars))
            for title, text, stars in zip(
                restaurants["Title"].fillna(""),
                restaurants["Opinion"].fillna(""),
                restaurants["Polarity"],
                strict=True,
            )
        ],
        "pt": [
            (f"{title}\n{text}", 1)
            for title, text in zip(
                complaints["TEMA"], complaints["DESCRICAO"], strict=True
            )
        ],
    }


@pytest.fixture(scope="module")
def scored(
    postgres_server: EmbeddedPostgres, built_template: str, shared_data: Path
) -> Iterator[dict[str, list[tuple[float | None, int]]]]:
    """The sentiment and the stars of every second text, by language."""
    with (
        open_database(postgres_server, template=built_template) as url,
        psycopg.connect(url) as connection,
    ):
        lexicons = sentiment.read_lexicons(
            connection.execute(
                "select language, cx.plain_text(word), word_role, weight"
                " from warehouse.sentiment_words"
            )
        )
        scored = {}
        for language, texts in read_real_texts(shared_data).items():
            plain = connection.execute(
                "select cx.plain_text(text) from unnest(%s::text[])"
                " with ordinality as texts (text, place) order by place",
                [[text for text, _ in texts[1::2]]],
            ).fetchall()
            scored[language] = [
                (None if value is None else float(value), stars)
                for (text,), (_, stars) in zip(plain, texts[1::2], strict=True)
                for value in [sentiment.score(text, lexicons[language])]
            ]
        yield scored


def measure(texts: list[tuple[float | None, int]]) -> tuple[float, float, float]:
    """Shares: of the texts that are scored, of the bad and the good that are found."""
    bad = [value for value, stars in texts if stars <= 2 and value is not None]
    good = [value for value, stars in texts if stars >= 4 and value is not None]
    return (
        sum(value is not None for value, _ in texts) / len(texts),
        sum(value < 0 for value in bad) / len(bad),
        sum(value > 0 for value in good) / len(good) if good else 1.0,
    )


# As docs/metrics.md says, less a point.
@pytest.mark.parametrize(
    ("language", "texts", "least"),
    [
        ("ro", 1500, (0.979, 0.897, 0.942)),
        ("es", 7981, (0.976, 0.747, 0.956)),
        ("pt", 508, (0.929, 0.925, 1.0)),
    ],
)
def test_sentiment_agrees_with_stars(scored, language, texts, least):
    assert len(scored[language]) == texts
    measured = measure(scored[language])
    assert all(one >= bound for one, bound in zip(measured, least, strict=True)), (
        measured
    )


def test_the_language_of_real_texts_is_found(shared_data: Path) -> None:
    texts = [
        (language, text)
        for language, of_language in read_real_texts(shared_data).items()
        for text, _ in of_language[:: 80 if language == "es" else 20]
    ]
    found = [(language, languages.identify(text)) for language, text in texts]
    assert len(found) > 350
    assert sum(told == one for told, one in found) >= 0.95 * len(found)
    assert sum(one not in (told, None) for told, one in found) <= 0.01 * len(found)
