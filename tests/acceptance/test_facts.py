"""Facts that a later night completes: what they say before, and after.

A short sample, delivered in another order than it happened; beside the published facts
stand plain queries over the raw tables.
"""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from include.embedded.postgres import EmbeddedPostgres
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings
from tests.conftest import keep_as_template, open_database, settings_of
from tests.nights import fetch, find_file, hash_marts, list_days, run

# Whole nights with every data test, again and again.
pytestmark = pytest.mark.slow

SAMPLE = SampleParameters(customers=150, nights=7, seed=11)
FIRST, LAST = SAMPLE.first_night, SAMPLE.last_night
DAYS = list_days(FIRST, LAST)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    write_sample_exports(folder, SAMPLE)
    return folder


@pytest.fixture(scope="module")
def published_template(
    postgres_server: EmbeddedPostgres, built_template: str, exports: Path
) -> Iterator[tuple[str, dict]]:
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


def test_a_review_finds_its_customer_when_the_order_comes(published):
    ((order_id, customer_key),) = fetch(
        published,
        "select order_id, customer_key from marts.fct_purchases"
        " where ordered_date = %s and identity_method = 'reference'"
        " order by order_id limit 1",
        DAYS[3],
    )
    path = find_file(published, "qualtrics.reviews", DAYS[2])
    with path.open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    review = dict.fromkeys(header, "") | {
        "Review ID": "RV_late",
        "Site": "Google",
        "Rating": "2",
        "Text": "Nunca mais.",
        "Author": "Ana P.",
        "Order Number": order_id,
        "Published At": f"{DAYS[2]} 15:00:00",
        "Updated At": f"{DAYS[2]} 15:00:00",
        "Replied At": f"{DAYS[2]} 16:30:00",
    }
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, header, lineterminator="\n").writerow(review)
    orders = [
        path
        for path in Path(published.landing_url).glob("hubspot/orders/*/*.csv")
        if order_id in path.read_text(encoding="utf-8")
    ]
    whole = {path: path.read_text(encoding="utf-8") for path in orders}
    for path, text in whole.items():
        kept = [line for line in text.splitlines(True) if order_id not in line]
        path.write_text("".join(kept), encoding="utf-8")
    days = [path.parent.name for path in orders]
    review_rows = (
        "select order_id, identity_method, rating, cast(reply_minutes as float),"
        " has_text, customer_key from marts.fct_reviews where review_id = 'RV_late'"
    )

    run(published, DAYS[2], LAST, "without the order")
    ((*before, own_key),) = fetch(published, review_rows)
    assert before == [None, "unmatched", 2, 90.0, True]
    assert own_key != customer_key

    for path, text in whole.items():
        path.write_text(text, encoding="utf-8")
    assert days
    run(published, DAYS[2], LAST, "with the order")
    assert fetch(published, review_rows) == [
        (order_id, "reference", 2, 90.0, True, customer_key)
    ]
    # Whom they were taken for is nobody any more.
    assert (
        fetch(
            published,
            "select * from marts.dim_customers where customer_key = %s",
            own_key,
        )
        == []
    )
    words = "select count(*) from {} as t where t::text like '%%Nunca mais%%'"
    assert fetch(published, words.format("raw_qualtrics.reviews")) == [(1,)]
    assert fetch(published, words.format("warehouse.int_reviews")) == [(0,)]
    assert fetch(published, words.format("marts.fct_reviews")) == [(0,)]


def test_a_solve_is_inferred_until_its_audit_comes(published, published_template):
    ((ticket_id, solved_at),) = fetch(
        published,
        "select ticket_id, occurred_at from marts.fct_ticket_events"
        " where event_type = 'solved' and author_role = 'agent'"
        # The last thing that happened, so that the ticket's last update is its time.
        " and ticket_status = 'solved' and (ticket_id, position) in"
        "  (select ticket_id, max(position) from marts.fct_ticket_events group by 1)"
        " order by ticket_id limit 1",
    )
    whole = {}
    for path in Path(published.landing_url).glob("zendesk/ticket_audits/*/*.json"):
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        kept = [
            audit
            for audit in content["audits"]
            if str(audit["ticket_id"]) != ticket_id
            or not any(event.get("value") == "solved" for event in audit["events"])
        ]
        if len(kept) < len(content["audits"]):
            whole[path] = text
            path.write_text(json.dumps(content | {"audits": kept}), encoding="utf-8")
    assert whole
    solves = (
        "select is_inferred, author_role, is_human, occurred_at"
        " from marts.fct_ticket_events"
        " where ticket_id = %s and event_type = 'solved'"
    )

    run(published, FIRST, LAST, "without the audit")
    assert fetch(published, solves, ticket_id) == [(True, "unknown", None, solved_at)]
    for path, text in whole.items():
        path.write_text(text, encoding="utf-8")
    run(published, FIRST, LAST, "with the audit")
    assert fetch(published, solves, ticket_id) == [(False, "agent", True, solved_at)]
    assert hash_marts(published) == published_template[1]


def test_a_promise_that_passes_without_a_delivery_is_broken(warehouse, exports):
    settings = replace(warehouse, landing_url=str(exports))
    late = (
        "select promised_date, delivered_date, is_on_time from marts.fct_deliveries"
        " where promised_date <= %s and not is_delivered and is_on_time is distinct"
        " from false or promised_date > %s and not is_delivered and is_on_time is not"
        " null or is_delivered and is_on_time is distinct from"
        " (delivered_date <= promised_date)"
    )
    broken = set()
    for end in (DAYS[3], LAST):
        first = FIRST if end == DAYS[3] else DAYS[4]
        assert run(settings, first, end, f"to {end}") == []
        assert fetch(settings, late, end, end) == []
        broken |= set(
            fetch(
                settings,
                "select delivery_id from marts.fct_deliveries"
                " where is_on_time is false and not is_delivered",
            )
        )
    assert broken


def test_facts_count_what_raw_counts(published):
    newest = (
        "(select distinct on ({key}) * from raw_hubspot.{feed}"
        " order by {key}, _load_id desc, _row_number desc) as newest"
    )
    for fact, feed in (
        ("fct_purchases", "orders"),
        ("fct_deliveries", "deliveries"),
        ("fct_returns", "returns"),
    ):
        ids = newest.format(key="record_id", feed=feed)
        assert fetch(published, f"select count(*) from marts.{fact}") == fetch(
            published, f"select count(*) from {ids}"
        )
    orders = newest.format(key="record_id", feed="orders")
    assert fetch(
        published,
        "select currency, sum(total_amount), count(*) filter (where is_cancelled)"
        " from marts.fct_purchases group by 1 order by 1",
    ) == fetch(
        published,
        "select currency, sum(cast(total_amount as numeric)),"
        " count(*) filter (where order_status = 'cancelled')"
        f" from {orders} group by 1 order by 1",
    )
    audits = (
        "(select distinct on (record ->> 'id') record from raw_zendesk.ticket_audits"
        " order by record ->> 'id', _load_id desc) as newest"
        " cross join jsonb_array_elements(record -> 'events') as listed (event)"
    )
    assert fetch(
        published,
        "select count(*) filter (where event_type = 'commented'),"
        " count(*) filter (where event_type = 'solved'),"
        " count(*) filter (where event_type = 'closed'),"
        " count(*) filter (where event_type = 'deleted'),"
        " count(*) filter (where event_type = 'rated')"
        " from marts.fct_ticket_events where not is_inferred",
    ) == fetch(
        published,
        "select count(*) filter (where event ->> 'type' = 'Comment'),"
        " count(*) filter (where event ->> 'value' in ('solved', 'closed')"
        "  and event ->> 'previous_value' not in ('solved', 'closed', 'deleted')),"
        " count(*) filter (where event ->> 'value' = 'closed'),"
        " count(*) filter (where event ->> 'value' = 'deleted'),"
        " count(*) filter (where event ->> 'field_name' = 'satisfaction_score')"
        f" from {audits} where record ->> 'ticket_id' in"
        "  (select ticket_id from marts.fct_tickets)",
    )
