"""No secret and nothing personal gets where people look: logs, pages, audit, marts.

A real night over a sample company whose exports are full of e-mail addresses, telephone
numbers and names; then a night that fails on a row, which PostgreSQL quotes whole.
"""

import logging
import re
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from include import night
from include.building.dbt import compose_key_options
from include.errors import BuildError
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings
from tests.nights import execute, fetch, find_file, run

SAMPLE = SampleParameters(customers=100, nights=7, seed=5)
FIRST, LAST = SAMPLE.first_night, SAMPLE.last_night
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
NUMBER = re.compile(r"\+\d[\d ()-]{7,}\d")
FEWEST = 60

pytestmark = pytest.mark.slow


def find_personal(settings: Settings) -> set[str]:
    """Every address, number and full name that the raw tables hold."""
    tables = fetch(
        settings,
        "select format('%%I.%%I', schemaname, tablename) from pg_tables"
        " where starts_with(schemaname, 'raw_')",
    )
    text = "\n".join(
        row
        for (table,) in tables
        for (row,) in fetch(settings, f"select sent::text from {table} as sent")
    )
    names = fetch(
        settings,
        "select first_name || ' ' || last_name from raw_hubspot.contacts"
        " where first_name <> '' and last_name <> ''",
    )
    return {
        *ADDRESS.findall(text),
        *NUMBER.findall(text),
        *(name for (name,) in names),
    }


def read_all_that_is_told(settings: Settings, log: str) -> dict[str, str]:
    """Where people look, and what stands there."""
    told = {"log": log}
    for path in settings.report_folder.rglob("*"):
        if path.is_file():
            told[str(path)] = path.read_bytes().decode("utf-8", "replace")
    relations = fetch(
        settings,
        "select format('%%I.%%I', nspname, relname) from pg_class"
        " join pg_namespace on pg_namespace.oid = relnamespace"
        " where nspname in ('audit', 'marts') and relkind in ('r', 'v')"
        # Rejected rows are kept as they came; only the loader reads them.
        " and (nspname, relname) <> ('audit', 'rejects')",
    )
    for (relation,) in relations:
        rows = fetch(settings, f"select kept::text from {relation} as kept")
        told[relation] = "\n".join(row for (row,) in rows)
    return told


def test_nothing_personal_and_no_secret_is_told(
    warehouse: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_sample_exports(Path(warehouse.landing_url), SAMPLE)
    # Rows that are rejected, and one that staging quarantines for want of a key.
    contacts = find_file(warehouse, "hubspot.contacts", LAST)
    lines = contacts.read_text("utf-8").splitlines()
    address = next(match for line in lines if (match := ADDRESS.search(line)))[0]
    contacts.write_text("\n".join([*lines, f"{address},{address}"]) + "\n", "utf-8")
    run(warehouse, FIRST, LAST, "night")
    night.report(warehouse, "night")
    check(warehouse, caplog.text)
    assert fetch(warehouse, "select raw_text from audit.rejects") != []

    execute(
        warehouse,
        "alter table warehouse.int_people add constraint nobody check (false) not valid"
        "; alter table warehouse.int_contacts add constraint none check (false)"
        " not valid",
    )
    changed = contacts.read_text("utf-8").replace(address, f"new.{address}")
    contacts.write_text(changed, "utf-8")
    with pytest.raises(BuildError, match="int_contacts") as caught:
        run(warehouse, LAST, LAST, "again")
    assert "violates check constraint" in str(caught.value)
    check(warehouse, caplog.text + str(caught.value))


def check(settings: Settings, log: str) -> None:
    """Nothing personal and no secret stands anywhere where people look."""
    personal = find_personal(settings)
    assert len(personal) >= FEWEST
    secrets = {
        settings.key_secret,
        str(conninfo_to_dict(settings.database_url)["password"]),
        *re.findall(r"[0-9a-f]{32,}", compose_key_options(settings)),
    }
    told = read_all_that_is_told(settings, log)
    assert any(place.endswith("dbt.log") for place in told)
    assert any(place.endswith(".html") for place in told)
    found = [
        (place, value)
        for place, text in told.items()
        for value in personal | secrets
        if value in text
    ]
    assert found == []


def test_the_search_finds_what_it_looks_for(warehouse: Settings) -> None:
    execute(warehouse, "create table marts.told (who text)")
    with psycopg.connect(warehouse.database_url) as connection:
        connection.execute("insert into marts.told values ('ana@example.org')")
    told = read_all_that_is_told(warehouse, "")
    assert "ana@example.org" in told["marts.told"]
