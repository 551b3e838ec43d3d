"""No secret and nothing personal gets where people look: logs, pages, audit, marts.

A real night over a sample company whose exports are full of e-mail addresses, telephone
numbers and names; then a night that fails on a row, which PostgreSQL quotes whole. In
another warehouse a night whose loads gate 1 holds, because addresses, numbers and names
stand where none may; then one that gate 2 stops, because of a score of such a value.
"""

import logging
import re
import shutil
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from include import night
from include.building.dbt import compose_key_options
from include.errors import BuildError, GateError, WarehouseError
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings
from tests.include.gates.company import (
    Record,
    Spoil,
    change_rows,
    change_values,
    read_table,
    write_table,
)
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


def read_contact(row: Record) -> str:
    return f"{row['First Name']} {row['Last Name']}"


# Personal data in columns that rules of gate 1 look at.
SPOILT = {
    "hubspot.contacts": change_rows(
        lambda row: {
            **row,
            "City": row["Email"],
            "Customer Segment": read_contact(row),
            "Lifecycle Stage": row["Phone Number"],
        }
    ),
    "hubspot.orders": change_values(
        {
            "Order Status": lambda status: f"{status}.by@posta.example",
            "Total Amount": lambda amount: f"+55 11 91234-{amount}",
        }
    ),
    "hubspot.activities": change_values(
        {"Activity Date": lambda time: f"seen.{time[:10]}@posta.example"}
    ),
    "qualtrics.responses": change_values(
        {"Q_NPS": lambda score: f"score.{score}@posta.example"}
    ),
    "zendesk.tickets": change_values(
        {"status": lambda status: f"{status}.by@posta.example"}
    ),
}


def put_an_address_into_a_segment(landing: Path) -> str:
    """Call the segment of somebody who answered by their own address, every night."""
    answered = {
        row[header.index("ExternalReference")]
        for path in sorted(landing.glob("qualtrics/responses/*/SV_NPS*.csv"))
        for header, *rows in [read_table(path)]
        for row in rows[2:]
    } - {""}
    for path in sorted(landing.glob("hubspot/contacts/*/*.csv")):
        header, *rows = read_table(path)
        (row,) = (row for row in rows if row[0] == min(answered))
        row[header.index("Customer Segment")] = row[header.index("Email")]
        write_table(path, [header, *rows])
    return row[header.index("Email")]


def spoil(settings: Settings, feed: str, change: Spoil) -> None:
    system, name = feed.split(".")
    change(Path(settings.landing_url) / system / name / LAST.isoformat())


def test_a_held_night_and_a_stopped_build_tell_nothing(
    warehouse: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    landing = Path(warehouse.landing_url)
    write_sample_exports(landing, SAMPLE)
    # One address alone stands where a segment should, and holds nothing.
    address = put_an_address_into_a_segment(landing)
    shutil.copytree(landing, landing.with_name("right"))
    for feed, change in SPOILT.items():
        spoil(warehouse, feed, change)
    problems = run(warehouse, FIRST, LAST, "held")
    held = {problem.split(" ")[0] for problem in problems if " is held: " in problem}
    assert held == set(SPOILT)
    with pytest.raises(WarehouseError) as unread:
        night.report(warehouse, "held")
    told = f"{problems}{unread.value}"
    check(warehouse, caplog.text + told)

    shutil.rmtree(landing)
    shutil.copytree(landing.with_name("right"), landing)
    for role in night.ROLES:
        night.extract(warehouse, role, LAST, LAST, "stopped")
    assert night.check_raw(warehouse, "stopped").held_loads == []
    night.build(warehouse, "stopped")
    raw = "select from raw_hubspot.contacts where customer_segment = %s"
    assert fetch(warehouse, raw, address) != []
    execute(
        warehouse,
        "update warehouse.experience_scores set score = score * 0.99"
        " where metric = 'nps' and breakdown = 'segment' and score_change is null",
    )
    with pytest.raises(GateError, match="Gate 2 stops the publish") as stopped:
        night.check_marts(warehouse, "stopped")
    with pytest.raises(WarehouseError, match="the marts stay as they were") as unread:
        night.report(warehouse, "stopped")
    told += f"{stopped.value}{unread.value}"
    check(warehouse, caplog.text + told)


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
