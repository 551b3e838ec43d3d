"""What is told of an error: what failed and where, and no value of a row."""

import psycopg
import pytest

from include.building.error_words import remove_values

SECRETS = ("ana.souza@example.org", "+55 11 98765-4321", "Ana Souza")
VALUE = 'Ana Souza\nana.souza@example.org, (+55 11 98765-4321) "HINT"'

# A statement that quotes a value in its error, and what must still be told.
ERRORS = {
    "insert into people (email) values (null)": "violates not-null constraint",
    "insert into people (email, age) values ('x', -1)": "people_age_check",
    "insert into people (email, name) select email, name from people": "people_pkey",
    "select cast(name as integer) from people": "invalid input syntax for type integer",
    "select cast(name as date) from people": "invalid input syntax for type date",
    "select cast(name as uuid) from people": "invalid input syntax for type uuid",
    "select cast(name as jsonb) from people": "invalid input syntax for type json",
    "select cast(name as text[]) from (select '{' || name as name from people) as p": (
        "malformed array literal"
    ),
    "select to_date(name, 'YYYY') from people": "invalid value",
    "select cast('9' || phone as integer) from people": "out of range",
}


@pytest.mark.parametrize("statement", ERRORS)
def test_an_error_keeps_its_reason_and_loses_its_values(
    database_url: str, statement: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "create table people (email text primary key, name text, phone text,"
            " age integer check (age > 0))"
        )
        connection.execute(
            "insert into people values (%s, %s, '987654321098765')", [SECRETS[0], VALUE]
        )
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statement)  # type: ignore[arg-type]
    # As dbt words it, too, which indents each line and adds where the SQL is.
    for words in (
        str(caught.value),
        "Database Error in model people (models/people.sql)\n  "
        + str(caught.value).replace("\n", "\n  ")
        + "\n  compiled code at target/run/people.sql",
    ):
        told = remove_values(words)
        assert ERRORS[statement] in told
        assert not [
            secret for secret in (*SECRETS, "987654321098765") if secret in told
        ]
        assert ("compiled code at" in told) == ("compiled code at" in words)


def test_names_and_counts_are_kept() -> None:
    words = 'relation "staging.people" does not exist\nLINE 1: select from people'
    assert remove_values(words) == words
    words = "Got 3 results, configured to fail if != 0"
    assert remove_values(words) == words
