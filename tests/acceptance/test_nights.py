"""What holds for any order, repetition or interruption of nights.

For equal final exports every published table is equal, by hash over all its columns:
built night by night, as one range, with corrections, redeliveries and late nights,
after a crash, or in a full build.
"""

import csv
import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from include import audit, night, statistics
from include.building import builds, publish
from include.building.build_lock import build_lock
from include.building.dbt import Dbt
from include.embedded.postgres import EmbeddedPostgres
from include.errors import BuildError, PublishError, WarehouseError
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings, connect
from tests import nights
from tests.conftest import keep_as_template, open_database, settings_of
from tests.nights import execute, fetch, find_file, hash_marts, list_days

SAMPLE = SampleParameters(customers=150, nights=7, seed=11)
FIRST, LAST = SAMPLE.first_night, SAMPLE.last_night
DAYS = list_days(FIRST, LAST)
# Marts are compared as a whole here; that data tests see faults is shown elsewhere.
run = partial(nights.run, with_tests=False)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    write_sample_exports(folder, SAMPLE)
    return folder


@pytest.fixture(scope="module")
def published_template(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    exports: Path,
) -> Iterator[tuple[str, dict]]:
    """A database in which all nights were published as one range, and its hashes."""
    with open_database(postgres_server, template=built_template) as url:
        settings = settings_of(url, exports)
        assert run(settings, FIRST, LAST, "range") == []
        hashes = hash_marts(settings)
        yield keep_as_template(postgres_server, url), hashes


@pytest.fixture
def published(
    postgres_server: EmbeddedPostgres, published_template, exports: Path, tmp_path: Path
) -> Iterator[Settings]:
    """All nights published, with a landing folder that the test may change."""
    shutil.copytree(exports, tmp_path / "landing")
    with open_database(postgres_server, template=published_template[0]) as url:
        yield settings_of(url, tmp_path / "landing")


@pytest.fixture
def of_the_range(published_template) -> dict:
    """Hashes of the marts that the range gave."""
    return published_template[1]


def find_counted_answer(settings: Settings, day: date) -> tuple[str, int]:
    """A counted relational NPS answer that was delivered on its day: id and score."""
    path = find_file(settings, "qualtrics.responses", day, "SV_NPS_RELATIONAL__*")
    delivered = {row["ResponseId"] for row in read_responses(path)[1]}
    found = fetch(
        settings,
        "select response_id, score from marts.fct_survey_responses"
        " where is_counted and metric = 'nps' and survey_id = 'SV_NPS_RELATIONAL'"
        " and answered_date = %s and response_id = any(%s)"
        " and score between 1 and 9 order by response_id limit 1",
        day,
        list(delivered),
    )
    assert found, "the sample has such an answer on this day"
    return found[0]


def read_responses(path: Path) -> tuple[list[list[str]], list[dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return rows[:3], [dict(zip(rows[0], row, strict=True)) for row in rows[3:]]


def write_responses(
    path: Path, header: list[list[str]], responses: list[dict[str, str]]
) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows(header)
        writer.writerows(response.values() for response in responses)


def correct_score(settings: Settings, day: date, response_id: str, score: str) -> None:
    """Deliver the day's relational answers again, with another score in one."""
    path = find_file(settings, "qualtrics.responses", day, "SV_NPS_RELATIONAL__*")
    header, responses = read_responses(path)
    for response in responses:
        if response["ResponseId"] == response_id:
            response["Q_NPS"] = score
    write_responses(path, header, responses)


def test_night_by_night_equals_one_range(warehouse, exports, of_the_range):
    settings = replace(warehouse, landing_url=str(exports))
    for day in DAYS:
        assert run(settings, day, day, f"night {day}") == []
    assert hash_marts(settings) == of_the_range
    assert publish.verify_published(settings) == {}


def test_nights_in_any_order_equal_one_range(warehouse, exports, of_the_range):
    settings = replace(warehouse, landing_url=str(exports))
    middle = DAYS[3]
    assert run(settings, DAYS[4], LAST, "late half") == []
    assert run(settings, middle, middle, "one before") == []
    assert run(settings, FIRST, DAYS[2], "early half") == []
    assert hash_marts(settings) == of_the_range


def test_a_second_run_of_the_same_night_changes_no_row(published, of_the_range):
    loads = fetch(published, "select count(*) from audit.loads")
    assert run(published, LAST, LAST, "again") == []
    assert fetch(published, "select count(*) from audit.loads") == loads
    assert fetch(
        published,
        "select rows_deleted, rows_inserted from audit.publishes"
        " order by publish_id desc limit 1",
    ) == [(0, 0)]
    assert hash_marts(published) == of_the_range


def test_a_full_build_equals_the_incremental_one(published, of_the_range):
    execute(published, "update audit.models set built_fingerprint = null")
    assert run(published, LAST, LAST, "full") == []
    assert hash_marts(published) == of_the_range
    # The whole was compared, and nothing had to be written.
    assert fetch(
        published,
        "select rows_deleted, rows_inserted from audit.publishes"
        " order by publish_id desc limit 1",
    ) == [(0, 0)]


def test_corrected_segments_reach_all_that_hangs_on_them(published, of_the_range):
    for day in DAYS:
        path = find_file(published, "hubspot.contacts", day)
        with path.open(encoding="utf-8", newline="") as text:
            header, *rows = csv.reader(text)
        place = header.index("Customer Segment")
        segments = sorted({row[place] for row in rows})
        others = dict(zip(segments, segments[1:] + segments[:1], strict=True))
        for row in rows:
            row[place] = others[row[place]]
        with path.open("w", encoding="utf-8", newline="") as text:
            csv.writer(text).writerows([header, *rows])
    assert run(published, FIRST, LAST, "segments") == []
    corrected = hash_marts(published)
    for model in ("fct_tickets", "fct_service_failures", "mart_service_recovery"):
        assert corrected[model] != of_the_range[model]
    execute(published, "update audit.models set built_fingerprint = null")
    assert run(published, LAST, LAST, "full") == []
    assert hash_marts(published) == corrected


def test_a_corrected_export_changes_exactly_its_keys(published):
    day = DAYS[4]
    response_id, score = find_counted_answer(published, day)
    before = {
        row[0]: row
        for row in fetch(published, "select * from marts.fct_survey_responses")
    }
    correct_score(published, day, response_id, str(score + 1))
    assert run(published, day, day, "correction") == []

    after = {
        row[0]: row
        for row in fetch(published, "select * from marts.fct_survey_responses")
    }
    assert after.keys() == before.keys()
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {f"{response_id}:Q_NPS"}
    log = fetch(
        published,
        "select model, change, row_image from audit.published_changes"
        " where publish_id = (select max(publish_id) from audit.publishes)",
    )
    # Both images of the answer; of other tables, only its day's and periods' rows, and
    # what hangs on what its customer said.
    assert sorted(
        (change, image["score"])
        for model, change, image in log
        if model == "fct_survey_responses"
    ) == [("deleted", score), ("inserted", score + 1)]
    assert {model for model, _, _ in log} <= {
        "fct_survey_responses",
        "mart_nps_daily",
        "experience_scores",
        "score_movers",
        "fct_closed_loop_cases",
        "closed_loop_overdue",
        "mart_closed_loop",
        "mart_customer_health",
    }
    ((customer,),) = fetch(
        published,
        "select distinct cast(customer_key as text) from marts.fct_survey_responses"
        " where response_id = %s",
        response_id,
    )
    for model, _, image in log:
        if model == "mart_nps_daily":
            assert image["answered_date"] == day.isoformat()
        assert image.get("customer_key", customer) == customer, model


def test_going_back_to_the_first_delivery_gives_the_first_marts(
    published, of_the_range
):
    day = DAYS[4]
    response_id, score = find_counted_answer(published, day)
    correct_score(published, day, response_id, "0")
    assert run(published, day, day, "B") == []
    assert hash_marts(published) != of_the_range
    correct_score(published, day, response_id, str(score))
    assert run(published, day, day, "A again") == []
    assert hash_marts(published) == of_the_range


def test_a_response_that_is_gone_from_a_corrected_export_leaves_the_marts(published):
    day = DAYS[4]
    response_id, _ = find_counted_answer(published, day)
    path = find_file(published, "qualtrics.responses", day, "SV_NPS_RELATIONAL__*")
    header, responses = read_responses(path)
    write_responses(
        path,
        header,
        [row for row in responses if row["ResponseId"] != response_id],
    )
    assert run(published, day, day, "retraction") == []
    assert (
        fetch(
            published,
            "select * from marts.fct_survey_responses where response_id = %s",
            response_id,
        )
        == []
    )
    assert publish.verify_published(published) == {}


def test_a_held_load_leaves_the_accepted_one_in_force(published, of_the_range):
    path = find_file(published, "hubspot.contacts", LAST)
    good = path.read_bytes()
    path.write_bytes(good.splitlines(keepends=True)[0])

    (problem,) = run(published, LAST, LAST, "empty snapshot")
    assert "hubspot.contacts" in problem
    assert "held" in problem
    assert hash_marts(published) == of_the_range
    assert fetch(
        published,
        "select status, count(*) from audit.loads where feed = 'hubspot.contacts'"
        " and batch_date = %s group by 1 order by 1",
        LAST,
    ) == [("accepted", 1), ("held", 1)]
    held = "select held_loads from marts.data_status where source = 'hubspot'"
    assert fetch(published, held) == [(1,)]

    # A person may find it right after all.
    ((load_id,),) = fetch(
        published, "select load_id from audit.loads where status = 'held'"
    )
    with connect(published) as connection:
        with pytest.raises(WarehouseError, match="does not exist"):
            audit.accept_held_load(connection, load_id + 1)
        audit.accept_held_load(connection, load_id)
    assert run(published, LAST, LAST, "accepted by hand") == []
    assert hash_marts(published) != of_the_range
    assert fetch(published, held) == [(0,)]

    # The source sends what was in force before.
    path.write_bytes(good)
    assert run(published, LAST, LAST, "empty snapshot") == []
    assert fetch(published, held) == [(0,)]
    assert hash_marts(published) == of_the_range


def test_a_missing_night_stops_as_of_until_it_arrives(warehouse, exports, of_the_range):
    settings = replace(warehouse, landing_url=str(exports))
    missing = DAYS[5]
    assert run(settings, FIRST, DAYS[4], "the nights before") == []
    assert run(settings, DAYS[6], LAST, "the nights after") == []
    assert fetch(settings, "select distinct as_of_date from marts.data_status") == [
        (DAYS[4],)
    ]
    assert run(settings, missing, missing, "late night") == []
    assert fetch(settings, "select distinct as_of_date from marts.data_status") == [
        (LAST,)
    ]
    assert hash_marts(settings) == of_the_range


def test_broken_exports_are_named_and_the_rest_of_the_night_goes_on(
    warehouse, exports, of_the_range, tmp_path
):
    landing = tmp_path / "broken"
    shutil.copytree(exports, landing)
    settings = replace(warehouse, landing_url=str(landing))
    assert run(settings, FIRST, DAYS[-2], "all but the last") == []
    before = hash_marts(settings)

    orders = find_file(settings, "hubspot.orders", LAST)
    orders.write_text(
        orders.read_text(encoding="utf-8").replace("Order Date", "Ordered On", 1),
        encoding="utf-8",
    )
    returns = find_file(settings, "hubspot.returns", LAST)
    returns.write_bytes(b"")
    shutil.rmtree(find_file(settings, "hubspot.companies", LAST).parent)
    page = find_file(settings, "zendesk.tickets", LAST, "page_0001.json")
    page.write_bytes(page.read_bytes()[:-200])
    problems = run(settings, LAST, LAST, "broken")

    assert len(problems) == 4
    for feed, words in (
        ("hubspot.orders", "Order Date"),
        ("hubspot.returns", "empty"),
        ("hubspot.companies", "no file has arrived"),
        ("zendesk.tickets", "page_0001.json"),
    ):
        (problem,) = (text for text in problems if text.startswith(feed))
        assert words in problem
        assert problem.endswith(".")
    status = {
        source: row
        for source, *row in fetch(
            settings,
            "select source, as_of_date, failed_feeds, last_failure is not null"
            " from marts.data_status",
        )
    }
    assert status == {
        "hubspot": [DAYS[-2], 3, True],
        "qualtrics": [LAST, 0, False],
        "zendesk": [DAYS[-2], 1, True],
    }
    after = hash_marts(settings)
    assert after["fct_survey_responses"] != before["fct_survey_responses"]
    assert after["fct_tickets"] == before["fct_tickets"]
    with pytest.raises(WarehouseError, match=r"hubspot\.orders"):
        night.report(settings, "broken")

    shutil.copytree(exports, landing, dirs_exist_ok=True)
    assert run(settings, LAST, LAST, "repaired") == []
    assert hash_marts(settings) == of_the_range
    assert fetch(settings, "select sum(failed_feeds) from marts.data_status") == [(0,)]


def test_a_tombstone_keeps_the_ticket_and_takes_its_touch(published):
    ((ticket_id,),) = fetch(
        published,
        "select ticket_id from marts.fct_tickets where not is_deleted"
        " and created_date between %s and %s order by ticket_id limit 1",
        FIRST,
        LAST,
    )
    event_id = f"ticket:{ticket_id}"
    touches = "select * from marts.fct_touchpoints where event_id = %s"
    assert len(fetch(published, touches, event_id)) == 1

    page = find_file(published, "zendesk.tickets", LAST, "page_0001.json")
    content = json.loads(page.read_text(encoding="utf-8"))
    tombstone = next(
        json.loads(json.dumps(ticket))
        for path in sorted(Path(published.landing_url).glob("zendesk/tickets/*/*.json"))
        for ticket in json.loads(path.read_text(encoding="utf-8"))["tickets"]
        if str(ticket["id"]) == ticket_id
    )
    tombstone |= {"status": "deleted", "updated_at": "2026-12-31T00:00:00Z"}
    content["tickets"].append(tombstone)
    page.write_text(json.dumps(content), encoding="utf-8")
    run(published, LAST, LAST, "tombstone")

    assert fetch(published, touches, event_id) == []
    assert fetch(
        published,
        "select is_deleted, ticket_status from marts.fct_tickets where ticket_id = %s",
        ticket_id,
    ) == [(True, "deleted")]
    assert publish.verify_published(published) == {}


def test_a_merge_that_comes_late_moves_the_facts_of_the_merged_contact(published):
    merged, survivor = (
        row[0]
        for row in fetch(
            published,
            "select contact_id from warehouse.int_identities"
            " where starts_with(identity_id, 'contact:') and customer_key in"
            "  (select customer_key from marts.fct_survey_responses where is_counted)"
            " order by identity_id limit 2",
        )
    )
    path = find_file(published, "hubspot.contacts", LAST)
    with path.open(newline="", encoding="utf-8") as file:
        contacts = list(csv.DictReader(file))
    for contact in contacts:
        if contact["Record ID"] == survivor:
            contact["Merged object IDs"] = merged
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, contacts[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in contacts if row["Record ID"] != merged)
    customers = (
        "select customer_key from warehouse.int_identities where identity_id = %s"
    )
    (old_key,) = fetch(published, customers, f"contact:{merged}")
    (key_of_survivor,) = fetch(published, customers, f"contact:{survivor}")
    facts = "select answer_id from marts.fct_survey_responses where customer_key = %s"
    moved = fetch(published, facts, *old_key)
    assert moved
    assert run(published, LAST, LAST, "merge") == []

    assert fetch(published, facts, *old_key) == []
    assert set(moved) <= set(fetch(published, facts, *key_of_survivor))
    assert (
        fetch(
            published,
            "select * from marts.dim_customers where customer_key = %s",
            *old_key,
        )
        == []
    )
    incremental = hash_marts(published)
    execute(published, "update audit.models set built_fingerprint = null")
    assert run(published, LAST, LAST, "full") == []
    assert hash_marts(published) == incremental


def _build_in_a_process_of_its_own(settings: Settings) -> None:
    os.setsid()
    builds.build(settings, "killed")


def _die(*arguments: object, **options: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _build_until_the_statistics(settings: Settings) -> None:
    """Die when what the statistics read is built, and they are not."""
    statistics.compute = _die
    _build_in_a_process_of_its_own(settings)


def _build_with_the_statistics(settings: Settings) -> None:
    """Die when the statistics are computed, and nothing that reads them is built."""
    build_part = Dbt.build

    def build_first_part(dbt, **arguments):
        return _die() if "select" in arguments else build_part(dbt, **arguments)

    Dbt.build = build_first_part
    _build_in_a_process_of_its_own(settings)


@pytest.mark.parametrize(
    "build", [_build_until_the_statistics, _build_with_the_statistics]
)
def test_a_build_that_dies_between_its_parts_is_taken_up_by_the_next(
    published, of_the_range, build
):
    day = DAYS[4]
    response_id, score = find_counted_answer(published, day)
    correct_score(published, day, response_id, "0")
    night.extract(published, "survey", day, day, "killed")
    night.check_raw(published, "killed")
    process = multiprocessing.get_context("spawn").Process(
        target=build, args=(published,)
    )
    process.start()
    process.join(timeout=900)
    assert process.exitcode == -signal.SIGKILL
    assert fetch(
        published, "select status from audit.builds where run_id = 'killed'"
    ) == [("running",)]
    marks = (
        "select place, count(*) > 0 from audit.dirty_keys where place in"
        " ('int_score_periods.period_key', 'statistics.period_key') group by 1"
    )
    assert ("int_score_periods.period_key", True) in fetch(published, marks)
    # Before the next build runs the night is corrected back.
    correct_score(published, day, response_id, str(score))
    run_when_the_lock_is_free(published, day)
    assert hash_marts(published) == of_the_range
    assert publish.verify_published(published) == {}


def run_when_the_lock_is_free(settings: Settings, day: date) -> None:
    """Run a night, when the server has noticed that a killed session is gone."""
    deadline = time.monotonic() + 120
    while True:
        try:
            assert run(settings, day, day, "after the crash") == []
            return
        except BuildError:
            assert time.monotonic() < deadline
            time.sleep(0.5)


@pytest.mark.parametrize("seconds", [0.2, 0.8, 1.5])
def test_a_build_that_is_killed_is_taken_up_by_the_next(
    published, of_the_range, seconds
):
    day = DAYS[4]
    response_id, score = find_counted_answer(published, day)
    correct_score(published, day, response_id, "0")
    night.extract(published, "survey", day, day, "killed")
    night.check_raw(published, "killed")
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_build_in_a_process_of_its_own, args=(published,))
    process.start()
    status = "select status from audit.builds where run_id = 'killed'"
    deadline = time.monotonic() + 300
    while not fetch(published, status):
        assert time.monotonic() < deadline, "the build begins"
        time.sleep(0.05)
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert fetch(published, status) == [("running",)], "it was killed at work"
    # Before the next build runs the night is corrected back: what the killed build had
    # begun must be undone wherever it got to.
    correct_score(published, day, response_id, str(score))
    run_when_the_lock_is_free(published, day)
    assert hash_marts(published) == of_the_range
    assert publish.verify_published(published) == {}


def test_a_run_whose_step_died_without_a_word_does_not_end_well(published):
    day = DAYS[4]
    response_id, _ = find_counted_answer(published, day)
    correct_score(published, day, response_id, "0")
    night.extract(published, "survey", day, day, "died")
    night.check_raw(published, "died")
    assert "not built yet" in night.find_problems(published, "died")[0]
    builds.build(published, "died")
    assert "is not published" in night.find_problems(published, "died")[0]
    night.check_marts(published, "died")
    night.publish(published, "died")
    assert night.find_problems(published, "died") == []


def test_readers_see_nothing_of_a_build_that_was_not_checked(published, of_the_range):
    day = DAYS[4]
    response_id, _ = find_counted_answer(published, day)
    correct_score(published, day, response_id, "0")
    night.extract(published, "survey", day, day, "ungated")
    night.check_raw(published, "ungated")
    builds.build(published, "ungated")
    with pytest.raises(PublishError, match="has not passed gate 2"):
        night.publish(published, "ungated")
    assert hash_marts(published) == of_the_range


def test_marts_that_nobody_would_believe_are_not_published(published, of_the_range):
    day = DAYS[4]
    response_id, _ = find_counted_answer(published, day)
    correct_score(published, day, response_id, "0")
    night.extract(published, "survey", day, day, "doubt")
    night.check_raw(published, "doubt")
    builds.build(published, "doubt")
    execute(
        published,
        "update warehouse.mart_nps_daily set promoters = promoters + 1,"
        " responses = responses + 1 where nps_daily_key ="
        " (select min(nps_daily_key) from warehouse.mart_nps_daily)",
    )
    with pytest.raises(WarehouseError):
        night.check_marts(published, "doubt")
    with pytest.raises(PublishError):
        night.publish(published, "doubt")
    assert hash_marts(published) == of_the_range


def test_a_source_that_gate_2_doubts_is_held_and_the_rest_is_published(
    published, of_the_range
):
    day = DAYS[4]
    # The day's answers vanish from a second delivery, and a ticket is solved.
    folder = Path(published.landing_url) / "qualtrics" / "responses" / day.isoformat()
    for path in folder.iterdir():
        write_responses(path, read_responses(path)[0], [])
    page = find_file(published, "zendesk.tickets", day, "page_0001.json")
    content = json.loads(page.read_text(encoding="utf-8"))
    ticket = content["tickets"][0]
    ticket |= {"priority": "urgent", "updated_at": "2026-12-31T00:00:00Z"}
    page.write_text(json.dumps(content), encoding="utf-8")

    problems = run(published, day, day, "doubted")
    assert len(problems) == 1
    assert problems[0].startswith(f"qualtrics.responses of {day} is held: gate 2")
    hashes = hash_marts(published)
    assert hashes["fct_survey_responses"] == of_the_range["fct_survey_responses"]
    assert hashes["experience_scores"] == of_the_range["experience_scores"]
    assert fetch(
        published,
        "select priority from marts.fct_tickets where ticket_id = %s",
        str(ticket["id"]),
    ) == [("urgent",)]
    assert fetch(
        published,
        "select status, count(*) from audit.loads where feed = 'qualtrics.responses'"
        " and batch_date = %s group by 1 order by 1",
        day,
    ) == [("accepted", 1), ("held", 1)]
    assert publish.verify_published(published) == {}


def test_another_key_secret_is_refused(published, of_the_range):
    stranger = replace(published, key_secret="another secret, of the same length")
    with pytest.raises(BuildError, match="CX_KEY_SECRET"):
        builds.build(stranger, "stranger")
    assert hash_marts(published) == of_the_range


def test_two_builds_at_once_are_refused(published):
    with (
        connect(published) as connection,
        build_lock(connection),
        pytest.raises(BuildError, match="under way"),
    ):
        builds.build(published, "second")
