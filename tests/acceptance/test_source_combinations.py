"""Which sources are on: several instances of a system side by side, or one alone.

The second Zendesk and the second HubSpot are another company's, whose tickets, users,
organizations, contacts, companies and orders have the numbers of the first's.
"""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from include import night
from include.building.publish import verify_published
from include.embedded.postgres import EmbeddedPostgres
from include.errors import GateError
from include.incidents.findings import find_faults
from include.sample_exports import SampleParameters, write_sample_exports
from include.scorecard import write_scorecard
from include.settings import Settings, connect
from tests import nights
from tests.conftest import open_database, settings_of
from tests.nights import Hashes, execute, fetch, hash_marts, list_days

# A build of its own for the sources that are on here.
pytestmark = pytest.mark.slow

SAMPLE = SampleParameters(customers=100, nights=7, seed=23)
DAYS = list_days(SAMPLE.first_night, SAMPLE.last_night)
DEFAULT = ("hubspot", "qualtrics", "zendesk")
ALL = (*DEFAULT, "zendesk@acme", "hubspot@acme")
# Marts are compared as a whole here; that data tests see faults is shown elsewhere.
run = partial(nights.run, with_tests=False)


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exports of two companies; the last contacts of the second are cut off."""
    folder, other = (tmp_path_factory.mktemp(name) for name in ("landing", "other"))
    write_sample_exports(folder, SAMPLE)
    write_sample_exports(other, replace(SAMPLE, seed=24))
    for system in ("hubspot", "zendesk"):
        shutil.copytree(other / system, folder / f"{system}@acme")
    (contacts,) = (folder / "hubspot@acme" / "contacts" / str(DAYS[-1])).iterdir()
    lines = contacts.read_text().splitlines(keepends=True)
    contacts.write_text("".join(lines[:9]))
    return folder


@dataclass(frozen=True)
class Instances:
    """A warehouse of five sources, what was wrong with its last night, and hashes of
    its marts: built night by night, built anew, and with the second instances off."""

    settings: Settings
    problems: list[str]
    by_night: Hashes
    anew: Hashes


@pytest.fixture(scope="module")
def instances(
    postgres_server: EmbeddedPostgres, built_template: str, landing: Path
) -> Iterator[Instances]:
    with open_database(postgres_server, template=built_template) as url:
        settings = replace(settings_of(url, landing), sources=ALL)
        assert nights.run(settings, DAYS[0], DAYS[-2], "first nights") == []
        problems = run(settings, DAYS[-1], DAYS[-1], "last night")
        by_night = hash_marts(settings)
        execute(settings, "update audit.models set built_fingerprint = null")
        run(settings, DAYS[-1], DAYS[-1], "built anew")
        yield Instances(settings, problems, by_night, hash_marts(settings))


def run_all(settings: Settings, run_id: str) -> str:
    """Run all nights; what gate 2 stops a person accepts. Returns what it says then."""
    try:
        assert run(settings, DAYS[0], DAYS[-1], run_id) == []
    except GateError as stopped:
        ((build_id,),) = fetch(settings, "select max(build_id) from audit.builds")
        night.publish_stopped_build(settings, build_id)
        return str(stopped)
    return ""


def read_records(landing: Path, source: str, feed: str) -> dict[str, dict]:
    """The latest version of each record of a Zendesk, by its number."""
    latest: dict[str, dict] = {}
    for page in sorted((landing / source / feed).rglob("*.json")):
        for record in json.loads(page.read_text())[feed]:
            number = str(record["id"])
            known = latest.get(number, record)
            if record["updated_at"] >= known["updated_at"]:
                latest[number] = record
    return latest


def read_numbers(landing: Path, source: str, feed: str, header: str) -> set[str]:
    """The numbers that a HubSpot's rows have, of nights that were not held."""
    numbers: set[str] = set()
    for file in sorted((landing / source / feed).rglob("*.csv")):
        with file.open(newline="") as text:
            numbers |= {row[header] for row in csv.DictReader(text) if row[header]}
    return numbers


def test_tickets_of_the_same_numbers_stand_side_by_side(
    instances: Instances, landing: Path
) -> None:
    expected = {}
    numbers = []
    for source, prefix in (("zendesk", ""), ("zendesk@acme", "zendesk@acme/")):
        tickets = read_records(landing, source, "tickets")
        numbers.append(set(tickets))
        expected |= {
            prefix + number: (
                ticket["priority"],
                prefix + str(ticket["group_id"]) if ticket["group_id"] else None,
                ticket["created_at"],
            )
            for number, ticket in tickets.items()
        }
    assert len(numbers[0] & numbers[1]) > 10
    found = fetch(
        instances.settings,
        "select ticket_id, priority, group_id, to_char(created_at at time zone 'UTC',"
        ' \'YYYY-MM-DD"T"HH24:MI:SS"Z"\') from marts.fct_tickets',
    )
    assert {ticket: tuple(rest) for ticket, *rest in found} == expected


def test_events_and_touchpoints_belong_to_the_tickets_of_their_instance(
    instances: Instances, landing: Path
) -> None:
    both = {
        source: len(read_records(landing, source, "tickets"))
        for source in ("zendesk", "zendesk@acme")
    }
    by_source = (
        "case when starts_with(ticket_id, 'zendesk@acme/') then 'zendesk@acme'"
        " else 'zendesk' end"
    )
    assert (
        dict(
            fetch(
                instances.settings,
                f"select {by_source}, count(*) from marts.fct_ticket_events"
                " where event_type = 'created' group by 1",
            )
        )
        == both
    )
    # What happened to a ticket was done by those of its own instance.
    assert fetch(
        instances.settings,
        "select count(*), count(*) filter (where"
        "  starts_with(ticket_id, 'zendesk@acme/')"
        "  <> starts_with(author_id, 'zendesk@acme/'))"
        " from warehouse.int_ticket_audit_events having count(*) > 100",
    )[0][1:] == (0,)
    touched = dict(
        fetch(
            instances.settings,
            "select source_system, count(*) from marts.fct_touchpoints"
            " where source_object = 'ticket' group by 1",
        )
    )
    assert touched.keys() == both.keys()
    assert fetch(
        instances.settings,
        "select count(*) from marts.fct_touchpoints"
        " where starts_with(split_part(event_id, ':', 2), 'zendesk@acme/')"
        "  <> (source_system = 'zendesk@acme') and source_object = 'ticket'",
    ) == [(0,)]


def test_people_and_companies_of_both_instances_are_in_the_star(
    instances: Instances, landing: Path
) -> None:
    records = fetch(
        instances.settings,
        "select source_system, record_kind, array_agg(record_id)"
        " from marts.customer_records group by 1, 2",
    )
    found = {(source, kind): set(ids) for source, kind, ids in records}
    for source in ("hubspot", "hubspot@acme"):
        contacts = read_numbers(landing, source, "contacts", "Record ID")
        # Merged contacts are known by the number that took them in as well.
        assert contacts <= found[source, "contact"]
    for source in ("zendesk", "zendesk@acme"):
        users = read_records(landing, source, "users")
        people = {number for number in users if users[number]["role"] == "end-user"}
        assert people <= found[source, "user"] <= set(users)
    agents = sum(
        user["role"] != "end-user"
        for source in ("zendesk", "zendesk@acme")
        for user in read_records(landing, source, "users").values()
    )
    assert fetch(instances.settings, "select count(*) from marts.dim_agents") == [
        (agents,)
    ]
    companies = [
        read_numbers(landing, source, "companies", "Record ID")
        for source in ("hubspot", "hubspot@acme")
    ]
    assert companies[0] & companies[1]
    assert fetch(
        instances.settings,
        "select count(*) from marts.dim_accounts where is_in_crm",
    ) == [(sum(map(len, companies)),)]


def test_a_reference_means_the_instance_of_the_same_name(
    instances: Instances, landing: Path
) -> None:
    keys = dict(
        fetch(
            instances.settings,
            "select identity_id, customer_key from warehouse.int_identities",
        )
    )
    contacts = {}
    for users_of, contacts_of in (("zendesk", ""), ("zendesk@acme", "hubspot@acme/")):
        prefix = "" if users_of == "zendesk" else f"{users_of}/"
        for number, user in read_records(landing, users_of, "users").items():
            contact = keys.get(f"contact:{contacts_of}{user['external_id']}")
            if contact is not None:
                assert keys[f"user:{prefix}{number}"] == contact
                contacts[users_of, user["external_id"]] = contact
    # The same number is somebody else in the other company.
    same = {number for _, number in contacts}
    both = [
        number
        for number in same
        if {("zendesk", number), ("zendesk@acme", number)} <= contacts.keys()
    ]
    assert both
    for number in both:
        assert contacts["zendesk", number] != contacts["zendesk@acme", number]


def test_a_night_and_a_full_build_give_the_same_marts(instances: Instances) -> None:
    assert instances.by_night == instances.anew
    assert verify_published(instances.settings) == {}


def test_a_held_load_of_one_instance_does_not_touch_the_other(
    instances: Instances,
) -> None:
    (problem,) = instances.problems
    assert problem.startswith(f"hubspot@acme.contacts of {DAYS[-1]} is held: ")
    status = fetch(
        instances.settings,
        "select source, as_of_date, held_loads from marts.data_status",
    )
    expected = dict.fromkeys(ALL, (DAYS[-1], 0))
    assert {source: tuple(rest) for source, *rest in status} == expected | {
        "hubspot@acme": (DAYS[-2], 1)
    }
    page = write_scorecard(instances.settings).read_text()
    assert "HubSpot, acme (customers)" in page
    # Contacts that a cut list left out are not gone.
    assert fetch(
        instances.settings,
        "select count(*) from marts.dim_customers where is_current"
        " and lifecycle = 'deleted'",
    ) == [(0,)]


def test_each_row_is_accounted_for_in_its_own_feed(instances: Instances) -> None:
    assert (
        fetch(
            instances.settings,
            "select feed from audit.loads where status = 'accepted'"
            " and rows_loaded <> rows_staged + rows_quarantined",
        )
        == []
    )
    assert {
        feed
        for (feed,) in fetch(
            instances.settings,
            "select feed from audit.key_accounts where is_in_star group by 1",
        )
    } >= {f"{source}.tickets" for source in ("zendesk", "zendesk@acme")}


ROLE_OF = {"hubspot": "crm", "qualtrics": "survey", "zendesk": "ticket"}


@pytest.fixture(scope="module")
def switched(
    postgres_server: EmbeddedPostgres, built_template: str, landing: Path
) -> Iterator[Settings]:
    """A warehouse in which one source is on after the other."""
    with open_database(postgres_server, template=built_template) as url:
        yield settings_of(url, landing)


def check_alone(settings: Settings, source: str) -> None:
    """What is said, and what there is, when this is the only source."""
    # The tasks of the roles without a source pass at once.
    for role in set(night.ROLES) - {ROLE_OF[source]}:
        assert night.extract(settings, role, DAYS[0], DAYS[-1], "none").loads == []
    status = fetch(
        settings, "select role, source, as_of_date from marts.data_status order by 1"
    )
    assert status == [
        (role, system, DAYS[-1])
        if system == source
        else (role, f"(no {role} source)", None)
        for system, role in ROLE_OF.items()
    ]
    page = write_scorecard(settings).read_text()
    assert page.count("None is switched on") == 2
    with connect(settings, "transformer") as connection:
        assert find_faults(connection, settings) == []
    facts = {
        "zendesk": "fct_tickets",
        "qualtrics": "fct_survey_responses",
        "hubspot": "fct_purchases",
    }
    for system, table in facts.items():
        ((rows,),) = fetch(settings, f"select count(*) from marts.{table}")
        assert (rows > 0) == (system == source)


def test_one_source_alone_is_published_and_says_what_is_missing(
    switched: Settings,
) -> None:
    settings = replace(switched, sources=("zendesk",))
    assert run_all(settings, "zendesk alone") == ""
    check_alone(settings, "zendesk")


@pytest.mark.slow
def test_switching_on_and_off_ends_where_a_warehouse_that_never_did_is(
    instances: Instances, switched: Settings
) -> None:
    for source in ("qualtrics", "hubspot"):
        settings = replace(switched, sources=(source,))
        stopped = run_all(settings, f"{source} alone")
        check_alone(settings, source)
    # A source that is left out by mistake empties no mart.
    assert "no table shrinks by more than 5 %" in stopped
    # One warehouse had fewer sources, the other has more.
    settings = replace(switched, sources=DEFAULT)
    assert run_all(settings, "all of them") == ""
    assert verify_published(settings) == {}
    settings = replace(instances.settings, sources=DEFAULT)
    assert "no table shrinks" in run_all(settings, "second instances off")
    assert hash_marts(settings) == hash_marts(switched)
