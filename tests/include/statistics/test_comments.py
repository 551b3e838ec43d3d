"""Comments are read anew when something that their reading depends on has changed."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from include.settings import Settings
from include.statistics import comments, languages, sentiment

WORDS = [
    ("en", "good", "opinion", 2),
    ("en", "late", "opinion", -1),
    ("en", "not solved", "opinion", -2),
    ("en", "disappoint*", "opinion", -2),
    ("en", "never arriv*", "opinion", -1),
    ("en", "good morning", "opinion", 0),
    ("en", "not", "negation", None),
    ("en", "very", "intensifier", None),
    ("en", "but", "contrast", None),
    ("*", "😡", "opinion", -2),
]
LEXICON = sentiment.read_lexicons(WORDS)["en"]


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("good", 2),
        ("not good", -1.5),
        ("not at all good", -1.5),
        ("not, good", 2),
        ("very good", 3),
        ("good 😡", 0),
        ("it was not solved good", 0),
        ("disappointing", -2),
        ("it never arrived", -1),
        ("good but late", 2 * 0.5 - 1.5),
    ],
)
def test_weights_add_up_by_the_rules(text: str, total: float) -> None:
    bounded = round(total / (total**2 + 15) ** 0.5, 4)
    assert sentiment.score(text, LEXICON) == Decimal(str(bounded))


def test_no_opinion_word_is_no_score() -> None:
    assert sentiment.score("good morning, the goods came", LEXICON) is None
    assert sentiment.name(Decimal("0.0")) == "mixed"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Não entendi onde informar o CNPJ no checkout.", "pt"),
        ("El plazo ha pasado y no tengo el pedido.", "es"),
        ("De ieri aplicația nu găsește aparatul", "ro"),
        ("Since yesterday the app cannot find the device", "en"),
        ("Die Lieferung kam leider viel zu spät an", "de"),
        ("ok", None),
    ],
)
def test_the_library_finds_the_language_or_says_that_it_cannot(
    text: str, language: str | None
) -> None:
    assert languages.identify(text) == language


@pytest.mark.parametrize(
    ("text", "told", "reading"),
    [
        ("very good", "en", ("en", "export", "positive", "scored")),
        ("it came", "en", ("en", "export", None, "no_opinion_word")),
        ("gut", "de", ("de", "export", None, "no_lexicon")),
        ("ok", None, (None, languages.VERSION, None, "unknown_language")),
    ],
)
def test_what_could_not_be_read_says_why(
    text: str, told: str | None, reading: tuple
) -> None:
    said = comments.read_comment(text, text, told, {"en": LEXICON})
    assert (said.language, said.language_method, said.sentiment, said.status) == reading


@pytest.fixture
def connection(warehouse: Settings) -> Iterator[psycopg.Connection]:
    """A warehouse with comments made by hand in the place of the model's."""
    with psycopg.connect(warehouse.database_url, autocommit=True) as connection:
        connection.execute("truncate warehouse.int_comments")
        for table in ("int_comments", "sentiment_words"):
            connection.execute(f"truncate warehouse.{table}")
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into warehouse.sentiment_words values (%s, %s, %s, %s)", WORDS
            )
        yield connection


def write(connection: psycopg.Connection, comment_id: str, text: str | None) -> None:
    """Write a comment anew, or take it away, as its model does; mark it."""
    connection.execute(
        "delete from warehouse.int_comments where comment_id = %s", [comment_id]
    )
    if text is not None:
        connection.execute(
            "insert into warehouse.int_comments (record_key, comment_id,"
            " comment_source, review_id, source_name, export_language, comment_text)"
            " values (%s, %s, 'review', 'v', 'shop', 'en', %s)",
            [comment_id, comment_id, text],
        )
    connection.execute(
        "insert into audit.dirty_keys values ('int_comments.comment_id', %s)"
        " on conflict do nothing",
        [comment_id],
    )


def read(connection: psycopg.Connection, *, is_whole: bool = False) -> set[str]:
    """Read the comments as a build does; returns those whose reading changed."""
    with connection.transaction():
        comments.compute(connection, is_whole=is_whole)
    changed = connection.execute(
        "select key from audit.dirty_keys where place = %s", [comments.PLACE]
    ).fetchall()
    connection.execute("truncate audit.dirty_keys")
    return {key for (key,) in changed}


def list_sentiments(connection: psycopg.Connection) -> dict[str, str | None]:
    return dict(
        connection.execute(
            "select comment_id, sentiment from statistics.comment_readings"
        ).fetchall()
    )


def test_only_what_changed_is_read_and_marked(connection: psycopg.Connection) -> None:
    write(connection, "a", "good")
    write(connection, "b", "late")
    assert read(connection) == {"a", "b"}
    assert list_sentiments(connection) == {"a": "positive", "b": "negative"}
    write(connection, "a", "good")
    assert read(connection) == set()
    write(connection, "a", "not good")
    write(connection, "b", None)
    assert read(connection) == {"a", "b"}
    assert list_sentiments(connection) == {"a": "negative"}
    assert read(connection, is_whole=True) == set()


def test_another_lexicon_reads_all_comments_anew(
    connection: psycopg.Connection,
) -> None:
    write(connection, "a", "good")
    write(connection, "b", "late")
    read(connection)
    connection.execute(
        "update warehouse.sentiment_words set weight = -2 where word = 'good'"
    )
    assert read(connection, is_whole=True) == {"a", "b"}
    assert list_sentiments(connection) == {"a": "negative", "b": "negative"}
