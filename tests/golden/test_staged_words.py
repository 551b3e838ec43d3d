"""Words that people type, as staging hands them on: an e-mail address is none."""

import psycopg
import pytest

from include.settings import Settings


@pytest.mark.parametrize(
    ("typed", "staged"),
    [
        ("Centro", "Centro"),
        ("Loja @ Centro", "Loja @ Centro"),
        ("ana.silva@posta.example", None),
        ("ask Ana: ana@posta.example", None),
    ],
)
@pytest.mark.parametrize(
    ("feed", "column", "model_column"),
    [("orders", "store", "store"), ("contacts", "customer_segment", "segment")],
)
def test_an_address_where_a_word_should_be_is_null(
    shared_published: Settings,
    feed: str,
    column: str,
    model_column: str,
    typed: str,
    staged: str | None,
) -> None:
    with psycopg.connect(shared_published.database_url) as connection:
        connection.execute(f"update raw_hubspot.{feed} set {column} = %s", [typed])
        rows = connection.execute(
            f"select distinct {model_column} from staging.stg_hubspot__{feed}"
        ).fetchall()
        connection.rollback()
    assert rows == [(staged,)]
