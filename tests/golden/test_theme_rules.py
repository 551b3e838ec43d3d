"""The shipped theme rules find what a reader finds in the sample's texts.

The readings stand beside the texts (include/sample_exports/company/comments.py); the
rules are the seed's, compared by PostgreSQL.
"""

from collections.abc import Iterator

import psycopg
import pytest

from include.embedded.postgres import EmbeddedPostgres
from include.sample_exports.company.comments import (
    BODIES,
    GROWING_BODIES,
    GROWING_THEME,
    MORE_THEMES,
    THEMES,
    TICKETS,
)
from tests.conftest import open_database

# What each of a language's tickets is about, in their order.
TICKET_THEMES = (
    *("delivery_delay", "billing_error", "wrong_delivery", "connection_lost"),
    *("", "", "checkout_problem"),
)
Case = tuple[str, str, set[str]]


def list_cases() -> Iterator[Case]:
    """Language, text, and the themes that a reader finds in it."""
    for language, topics in BODIES.items():
        for topic, (bad, good) in topics.items():
            for place, body in enumerate(bad):
                more = MORE_THEMES.get((language, topic, place), ())
                yield language, body, {*THEMES[topic][place], *more}
            yield from ((language, body, set()) for body in good)
    for language, bodies in GROWING_BODIES.items():
        yield from ((language, body, {GROWING_THEME}) for body in bodies)
    for language, tickets in TICKETS.items():
        for place, texts in enumerate(tickets):
            yield language, "\n".join(texts), {TICKET_THEMES[place]} - {""}


CASES = list(list_cases())


@pytest.fixture(scope="module")
def found(
    postgres_server: EmbeddedPostgres, built_template: str
) -> Iterator[list[set[str]]]:
    """The themes that the rules find in each case."""
    with (
        open_database(postgres_server, template=built_template) as url,
        psycopg.connect(url) as connection,
    ):
        yield [
            {
                theme
                for (theme,) in connection.execute(
                    "select theme from warehouse.theme_rules where language = %s"
                    " and cx.comment_words(language, %s)"
                    " @@ cx.comment_query(language, query)",
                    [language, text.replace("{n}", "3")],
                )
            }
            for language, text, _ in CASES
        ]


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: CASES[n][1][:40])
def test_the_rules_find_what_a_reader_finds(found, number):
    assert found[number] == CASES[number][2]


def test_every_theme_of_the_company_is_read_in_every_language():
    themes = {theme for _, _, read in CASES for theme in read}
    assert len(themes) >= 15
    for language in BODIES:
        of_language = {
            theme for one, _, read in CASES for theme in read if one == language
        }
        assert len(themes - of_language) <= 2, language
