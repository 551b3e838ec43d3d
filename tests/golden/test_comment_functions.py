"""What the functions over comments do with a text: scrubbing, plain words, rules."""

from collections.abc import Iterator

import psycopg
import pytest

from include.embedded.postgres import EmbeddedPostgres
from tests.conftest import open_database


@pytest.fixture(scope="module")
def connection(
    postgres_server: EmbeddedPostgres, built_template: str
) -> Iterator[psycopg.Connection]:
    with (
        open_database(postgres_server, template=built_template) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        yield connection


def ask(connection: psycopg.Connection, query: str, *arguments: object) -> object:
    row = connection.execute(query, arguments).fetchone()
    assert row is not None
    return row[0]


SCRUBBED = [
    ("Ligue no +55 11 90000-0000, já", "Ligue no [number], já"),
    ("CPF 123.456.789-09 e conta", "CPF [number] e conta"),
    ("IBAN RO49 AAAA 1B31 0075 9384 0000.", "IBAN [number]."),
    ("pedido 123456 de 2 caixas", "pedido 123456 de 2 caixas"),
    ("mail ana.souza+1@correo.example por favor", "mail [e-mail] por favor"),
    ("ana (at) correo.example", "[e-mail]"),
    ("veja https://x.example/a?b=c agora", "veja [link] agora"),
    ("siga @ana_souza no app", "siga [name] no app"),
    ("Tudo certo\n\nAtt,\nAna", "Tudo certo\n\nAtt,\n[name]"),
    ("Todo bien.\nUn saludo,\nMartín Gómez", "Todo bien.\nUn saludo,\n[name]"),
    ('Fine.\nRegards,\n"A Customer"', "Fine.\nRegards,\n[name]"),
    ("Gracias, todo bien", "Gracias, todo bien"),
    ("Meu nome é Ana de Souza e espero", "Meu nome é [name] e espero"),
    ("mă numesc Ion Popescu", "mă numesc [name]"),
    ("chegou em 3 dias, nota 10", "chegou em 3 dias, nota 10"),
    ("   \n ", None),
    (None, None),
]


@pytest.mark.parametrize(("text", "scrubbed"), SCRUBBED)
def test_a_comment_is_scrubbed_of_who_wrote_it(
    connection: psycopg.Connection, text: str | None, scrubbed: str | None
) -> None:
    assert ask(connection, "select cx.scrubbed_comment(%s::text)", text) == scrubbed


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("NÃO Ação", "nao acao"),
        ("țară, ţară, ȘI", "tara, tara, si"),
        ("Cafe\u0301 ¡Ñandú!", "cafe ¡nandu!"),
        ("didn’t", "didn't"),
    ],
)
def test_words_are_compared_without_accents_and_capitals(
    connection: psycopg.Connection, text: str, plain: str
) -> None:
    assert ask(connection, "select cx.plain_text(%s)", text) == plain


@pytest.mark.parametrize(
    ("language", "query", "text", "fits"),
    [
        ("pt", '"não chegou"', "O pedido NAO CHEGOU ainda", True),
        ("pt", '"não chegou"', "chegou antes do prazo", False),
        ("pt", "atraso", "a entrega atrasou", True),
        ("es", '"no llegó"', "mi pedido no llego", True),
        ("es", '"no llegó"', "llegó pronto", False),
        ("ro", '"nu a ajuns"', "coletul nu a ajuns", True),
        ("ro", "lovită", "cutia a fost LOVITA", True),
        ("en", '"not solved"', "it was not solved", True),
        ("en", '"not solved"', "solved at once", False),
        ("en", "refund -voucher", "a refund by voucher", False),
        ("en", "queue or till", "one till", True),
        ("de", "warten", "ich warte", None),
    ],
)
def test_rules_find_words_by_their_stems_and_keep_negations(
    connection: psycopg.Connection,
    language: str,
    query: str,
    text: str,
    fits: bool | None,
) -> None:
    asked = "select cx.comment_words(%s, %s) @@ cx.comment_query(%s, %s)"
    assert ask(connection, asked, language, text, language, query) is fits
