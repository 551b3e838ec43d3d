"""Gate 2 over a real build of sample exports: what stops a publish, what only warns."""

import logging
from contextlib import suppress
from dataclasses import dataclass

import pytest

from expectations import marts
from include import night
from include.building import builds
from include.building.frozen_loads import TouchedLoad
from include.building.row_accounts import account_for_rows
from include.contracts import read_contracts
from include.errors import GateError, PublishError, WarehouseError
from include.gates import check_marts
from include.settings import Settings, connect
from tests.include.gates.marts_world import ALL_KEYS, SEVERITIES, find_broken_rules
from tests.include.gates.test_planted_faults_in_marts import FAULTS
from tests.nights import execute, fetch


def begin_build(settings: Settings) -> None:
    """Let the last build be one that built everything and is not checked yet."""
    execute(settings, f"update audit.builds set gated_at = null; {ALL_KEYS}")


def list_failures(settings: Settings, run_id: str) -> dict[str, str]:
    """Check, and return the severity of each rule of each suite that is not met."""
    begin_build(settings)
    with suppress(GateError):
        check_marts(settings, run_id)
    return {
        f"{suite}: {expectation}": severity
        for suite, expectation, severity in fetch(
            settings,
            "select suite, expectation, severity from audit.gate_results"
            " where run_id = %s and gate = 'marts' and not is_met",
            run_id,
        )
    }


def test_a_good_build_passes_without_a_warning(published: Settings) -> None:
    begin_build(published)
    result = check_marts(published, "run")
    assert result.checked == len(SEVERITIES)
    assert (result.failed_critical, result.failed_warning) == ([], [])


def test_a_warehouse_without_any_export_passes(warehouse: Settings) -> None:
    assert check_marts(warehouse, "run").failed_critical == []


@dataclass(frozen=True)
class Plant:
    """A statement that spoils the warehouse, and the rules that must find it."""

    statement: str
    rules: tuple[str, ...]


TOTAL = "breakdown = 'total' and period_grain = 'month'"


SCORES = "warehouse.experience_scores"


def on_scores(assignment: str, metric: str = "", where: str = TOTAL) -> str:
    """Update the scores of one metric, or of the three."""
    return "; ".join(
        f"update {SCORES} set {assignment} where metric = '{name}' and {where}"
        for name in ([metric] if metric else marts.SCORE_RULES)
    )


def in_all_scores(rule: str) -> tuple[str, ...]:
    return tuple(
        f"{metric}_scores: {rule.format(m=metric)}" for metric in marts.SCORE_RULES
    )


FACTS = "warehouse.fct_survey_responses"
PLANTS = {
    "rows and keys that are nowhere": Plant(
        "update audit.loads set rows_staged = rows_staged - 1 where rows_staged > 0;"
        " insert into audit.key_accounts select max(build_id), 'hubspot.orders', null,"
        " false, 1, '17' from audit.builds",
        (
            "accounts: every loaded row is staged or set aside",
            "accounts: every staged key is in the star or left out for a reason",
        ),
    ),
    "scores off their scale": Plant(
        on_scores("score = 340"), in_all_scores("{m} lies on its scale")
    ),
    "bounds off their scale": Plant(
        on_scores("score_low_95 = -101, score_high_95 = 101", "nps")
        + ";"
        + on_scores("score_low_95 = -1, score_high_95 = 101", "csat")
        + ";"
        + on_scores("score = 101", "easy_share"),
        (
            "nps_scores: nps_low_95 lies on its scale",
            "nps_scores: nps_high_95 lies on its scale",
            "csat_scores: csat_low_95 lies on its scale",
            "csat_scores: csat_high_95 lies on its scale",
            "ces_scores: easy_share lies on its scale",
        ),
    ),
    "scores outside their interval": Plant(
        on_scores("score_low_95 = score + 1"),
        in_all_scores("{m} lies inside its interval"),
    ),
    "rows without answers": Plant(
        on_scores("responses = 0"), in_all_scores("{m} rows have answers")
    ),
    "missing scores": Plant(
        on_scores("score = null"), in_all_scores("every {m} row has its score")
    ),
    "counts that do not add up": Plant(
        on_scores("promoters = promoters + 1", "nps")
        + ";"
        + on_scores("top_box = responses + 1", "csat")
        + ";"
        + on_scores("top_box = responses + 1", "ces"),
        in_all_scores("{m} counts add up"),
    ),
    "scores that their counts do not give": Plant(
        on_scores("score = score + 0.01"),
        in_all_scores("{m} is the score of its counts"),
    ),
    "confidential scores of a few": Plant(
        "; ".join(
            f"insert into {SCORES} select (jsonb_populate_record(scores,"
            '  \'{"score_period_key": "told", "is_confidential": true,'
            ' "responses": 4}\')).*'
            f" from {SCORES} as scores where metric = '{metric}' and {TOTAL}"
            for metric in marts.SCORE_RULES
        ),
        in_all_scores("{m} of a few confidential answers is hidden"),
    ),
    "a day lost between facts and daily marts": Plant(
        "; ".join(
            f"delete from warehouse.mart_{metric}_daily where answered_date ="
            f" (select max(answered_date) from warehouse.mart_{metric}_daily)"
            for metric in marts.SCORE_RULES
        ),
        tuple(
            f"figures: {rule}"
            for metric in marts.SCORE_RULES
            for rule in (
                f"the daily {metric} mart adds up to its facts",
                f"the {metric} scores add up to the daily mart",
            )
        ),
    ),
    "a score counted as another one": Plant(
        "update warehouse.mart_nps_daily set promoters = promoters - 1,"
        " detractors = detractors + 1 where promoters > 0",
        ("figures: the daily nps mart adds up to its facts",),
    ),
    "a breakdown that lost a value": Plant(
        "; ".join(
            f"delete from {SCORES} where score_period_key ="
            f" (select max(score_period_key) from {SCORES}"
            f"  where metric = '{metric}' and breakdown = 'country'"
            "  and not is_confidential)"
            for metric in marts.SCORE_RULES
        ),
        tuple(
            f"figures: every {metric} breakdown adds up to its total"
            for metric in marts.SCORE_RULES
        ),
    ),
    "an answer off the scale": Plant(
        f"update {FACTS} set score = 11 where is_counted and metric = 'nps'",
        ("figures: counted answers lie on their scale",),
    ),
    "facts without a customer": Plant(
        "alter table warehouse.fct_tickets alter customer_key drop not null;"
        " update warehouse.fct_tickets set customer_key = null",
        ("figures: every fact has a customer",),
    ),
    "customers that nobody knows": Plant(
        "delete from warehouse.dim_customers where customer_key ="
        " (select customer_key from warehouse.fct_tickets limit 1)",
        ("figures: every customer of a fact is in dim_customers",),
    ),
    "customers with two current versions": Plant(
        "update warehouse.dim_customers set is_current = true",
        ("figures: every customer has one current version",),
    ),
    "visits that miss a touch": Plant(
        "update warehouse.fct_journey_stage_visits set advancing_events = 9"
        " where lane = 'buying'",
        ("figures: every advancing touch is in one visit",),
    ),
    "one answer in the future": Plant(
        f"update {FACTS} set answered_date = date '2027-01-01'"
        f" where answer_id = (select max(answer_id) from {FACTS})",
        ("figures: no answer lies in the future",),
    ),
    "many answers in the future": Plant(
        f"update {FACTS} set answered_date = date '2027-01-01' where metric = 'driver'",
        ("figures: hardly any answer lies in the future",),
    ),
    "tickets in the future": Plant(
        "update warehouse.fct_tickets set created_date = date '2027-01-01'",
        ("figures: hardly any ticket lies in the future",),
    ),
    "touches without a touchpoint": Plant(
        "update warehouse.fct_touchpoints set touchpoint = '(unmapped)'"
        " where touchpoint = 'product_page'",
        ("figures: nearly all events have a touchpoint",),
    ),
    "tickets and answers of nobody": Plant(
        "insert into warehouse.fct_tickets select (jsonb_populate_record(tickets,"
        "  jsonb_build_object('ticket_id', 'x' || number))).*"
        " from warehouse.fct_tickets as tickets, generate_series(1, 9) as number;"
        " update warehouse.fct_tickets set identity_method = 'unmatched';"
        f" update {FACTS} set identity_method = 'unmatched'",
        (
            "figures: most tickets find their customer",
            "figures: most identified answers find their customer",
        ),
    ),
    "a newest day without answers": Plant(
        f"update {FACTS} set answered_date = (select max(batch_date) from"
        " audit.build_loads) - 7 * (1 + abs(hashtext(answer_id)) - 3 *"
        " (abs(hashtext(answer_id)) / 3))",
        ("figures: the newest day has about as many answers as usual",),
    ),
    "a table that shrank": Plant(
        "delete from warehouse.fct_touchpoints"
        " where abs(hashtext(event_id)) < 2147483647 / 10",
        ("relations: no table shrinks by more than 5 %",),
    ),
}


def test_bad_data_is_planted_for_every_rule() -> None:
    planted = {rule for plant in PLANTS.values() for rule in plant.rules}
    planted |= {fault.rule for fault in FAULTS.values()}
    assert planted == set(SEVERITIES)


@pytest.mark.parametrize("name", PLANTS)
def test_rules_find_what_is_planted(shared_published: Settings, name: str) -> None:
    plant = PLANTS[name]
    found = find_broken_rules(shared_published, plant.statement)
    assert set(plant.rules) <= set(found)


LAST_OF_OWNING = (
    "select max(visit_key) as visit_key from marts.fct_journey_stage_visits"
    " where lane = 'owning'"
)
COUNTED_CSAT = "is_counted and metric = 'csat' and not is_confidential"
# A statement that spoils the warehouse; the keys that a build marks with it; the rule.
PLANTS_OF_ONE_NIGHT = {
    "an answer off its scale": (
        f"update {FACTS} set score = 11 where answer_id = (select max(answer_id)"
        f" from {FACTS} where is_counted and metric = 'nps' and not is_confidential)",
        f"select 'fct_survey_responses', response_id from {FACTS} where score = 11",
        "figures: counted answers lie on their scale",
    ),
    "an answer that its day does not count": (
        "delete from warehouse.mart_nps_daily",
        f"select 'fct_survey_responses', max(response_id) from {FACTS}"
        " where is_counted and metric = 'nps' and not is_confidential",
        "figures: the daily nps mart adds up to its facts",
    ),
    "a day that has lost its answers": (
        "delete from warehouse.mart_nps_daily",
        "select 'mart_nps_daily', cast(max(answered_date) as text)"
        " from marts.mart_nps_daily",
        "figures: the nps scores add up to the daily mart",
    ),
    "a breakdown of one period that lost a value": (
        f"delete from {SCORES} where score_period_key = (select max(score_period_key)"
        f" from {SCORES} where metric = 'ces' and breakdown = 'country'"
        "  and not is_confidential)",
        "select distinct 'experience_scores', period_key from marts.ces_scores"
        " where breakdown = 'country'",
        "figures: every ces breakdown adds up to its total",
    ),
    "a visit of one customer that counts too much": (
        "update warehouse.fct_journey_stage_visits set advancing_events = 99 where"
        " visit_key = (select max(visit_key) from marts.fct_journey_stage_visits"
        " where lane = 'owning')",
        "select 'fct_journey_stage_visits', visit_key"
        " from warehouse.fct_journey_stage_visits where advancing_events = 99",
        "figures: every advancing touch is in one visit",
    ),
    "a visit that its customer has lost": (
        "delete from warehouse.fct_journey_stage_visits where"
        f" visit_key = ({LAST_OF_OWNING})",
        f"select 'fct_journey_stage_visits', visit_key from ({LAST_OF_OWNING}) as gone",
        "figures: every advancing touch is in one visit",
    ),
    "a second open visit beside one that did not change": (
        "insert into warehouse.fct_journey_stage_visits"
        ' select (jsonb_populate_record(visits, \'{"visit_key": "second"}\')).*'
        " from warehouse.fct_journey_stage_visits as visits"
        " where is_open and lane = 'owning' limit 1",
        "select 'fct_journey_stage_visits', 'second'",
        "customers: a customer has one open visit in a lane",
    ),
    "visits that stay as their customer's versions change": (
        "update warehouse.dim_customers set segment = 'another' where customer_key ="
        " (select customer_key from marts.fct_journey_stage_visits limit 1)",
        "select 'dim_customers', cast(customer_key as text)"
        " from warehouse.dim_customers where segment = 'another'",
        "customers: a fact is of a version of its customer",
    ),
    "a touch that leaves its lane and not its visit": (
        "update warehouse.fct_touchpoints set journey_stage = 'support' where event_id"
        " = (select max(event_id) from marts.fct_touchpoints where advances_stage"
        "  and journey_stage = 'loyalty')",
        "select 'fct_touchpoints', max(event_id) from marts.fct_touchpoints"
        " where advances_stage and journey_stage = 'loyalty'",
        "figures: every advancing touch is in one visit",
    ),
    "an answer that counts no more, but on its day": (
        f"update {FACTS} set is_counted = false where answer_id ="
        f" (select max(answer_id) from {FACTS} where {COUNTED_CSAT})",
        "select 'fct_survey_responses', response_id from marts.fct_survey_responses"
        " where answer_id = (select max(answer_id) from marts.fct_survey_responses"
        f" where {COUNTED_CSAT})",
        "figures: the daily csat mart adds up to its facts",
    ),
    "a score of one period that its counts do not give": (
        f"update {SCORES} set score = score - 1 where score_period_key ="
        f" (select max(score_period_key) from {SCORES} where metric = 'easy_share'"
        "  and score > 1 and not is_confidential)",
        "select distinct 'experience_scores', period_key from marts.experience_scores",
        "ces_scores: ces is the score of its counts",
    ),
    "a touch that no visit of its customer has": (
        "update warehouse.fct_touchpoints set advances_stage = not advances_stage"
        " where event_id = (select max(event_id) from marts.fct_touchpoints"
        " where journey_stage = 'loyalty')",
        "select 'fct_touchpoints', max(event_id) from marts.fct_touchpoints"
        " where journey_stage = 'loyalty'",
        "figures: every advancing touch is in one visit",
    ),
    "a customer who is gone": (
        "delete from warehouse.dim_customers where customer_key ="
        " (select customer_key from warehouse.fct_tickets limit 1)",
        "select 'dim_customers', cast(customer_key as text) from marts.dim_customers"
        " except"
        " select 'dim_customers', cast(customer_key as text)"
        " from warehouse.dim_customers",
        "figures: every customer of a fact is in dim_customers",
    ),
}


@pytest.mark.parametrize("name", PLANTS_OF_ONE_NIGHT)
def test_rules_look_at_what_is_not_published_yet(
    shared_published: Settings, name: str
) -> None:
    statement, keys, rule = PLANTS_OF_ONE_NIGHT[name]
    assert find_broken_rules(shared_published, statement, "select") == {}
    marked = f"insert into audit.unpublished_keys (model, key) {keys}"
    assert rule in find_broken_rules(shared_published, statement, marked)


def test_a_score_that_is_published_as_it_is_is_not_judged_again(
    shared_published: Settings,
) -> None:
    statement, keys, rule = PLANTS_OF_ONE_NIGHT[
        "a score of one period that its counts do not give"
    ]
    published = statement.replace("warehouse.", "marts.")
    marked = f"insert into audit.unpublished_keys (model, key) {keys}"
    assert rule not in find_broken_rules(
        shared_published, f"{statement}; {published}", marked
    )


def count_orders_anew(settings: Settings) -> None:
    """Account for all loads of orders, as a build does that works on them."""
    contracts = read_contracts(settings.project_folder)
    loads = [
        TouchedLoad(*row)
        for row in fetch(
            settings,
            "select load_id, feed, batch_date, is_current, is_applied"
            " from audit.build_loads where feed = 'hubspot.orders'",
        )
    ]
    execute(settings, "update audit.builds set gated_at = null")
    with connect(settings) as connection:
        account_for_rows(settings, connection, 1, contracts.values(), loads)


def test_every_key_of_the_sample_is_in_the_star_or_left_out_for_a_reason(
    published: Settings,
) -> None:
    accounts = fetch(
        published,
        "select feed, place, is_in_star, keys from audit.key_accounts order by 1, 2",
    )
    contracts = read_contracts(published.project_folder)
    assert {feed for feed, _, _, _ in accounts} == set(contracts)
    assert all(place is not None for _, place, _, _ in accounts)
    orders = [row for row in accounts if row[0] == "hubspot.orders"]
    (purchases,) = fetch(published, "select count(*) from warehouse.fct_purchases")
    assert orders == [("hubspot.orders", "fct_purchases", True, purchases[0])]


def test_a_key_that_no_table_of_the_star_holds_stops_the_publish(
    published: Settings,
) -> None:
    lost = fetch(
        published,
        "delete from warehouse.fct_purchases"
        ' where order_id = (select min(order_id collate "C")'
        " from warehouse.fct_purchases) returning order_id",
    )
    count_orders_anew(published)
    assert (
        fetch(published, "select example from audit.key_accounts where place is null")
        == lost
    )
    with pytest.raises(GateError, match=r"1 natural keys of hubspot\.orders") as error:
        check_marts(published, "run")
    assert error.value.source == "hubspot"
    # Mended and counted again, it is forgotten.
    execute(
        published,
        "insert into warehouse.fct_purchases select purchases.*"
        " from marts.fct_purchases as purchases"
        f" where order_id = '{lost[0][0]}'",
    )
    count_orders_anew(published)
    assert check_marts(published, "run").failed_critical == []


def test_a_row_that_staging_drops_stops_the_publish(published: Settings) -> None:
    execute(
        published,
        "alter view staging.stg_hubspot__orders rename to all_orders;"
        " create view staging.stg_hubspot__orders as select * from staging.all_orders"
        " where natural_key <> (select min(natural_key) from staging.all_orders);"
        " grant select on staging.stg_hubspot__orders"
        f" to {published.name_role('transformer')}",
    )
    count_orders_anew(published)
    with pytest.raises(GateError, match=r"rows of hubspot\.orders are neither"):
        check_marts(published, "run")


def test_a_critical_failure_keeps_the_marts_as_they_are(published: Settings) -> None:
    begin_build(published)
    execute(published, on_scores("score = 340", "nps"))
    with pytest.raises(GateError, match=r"nps is 340\.0 in nps\|.*marts stay") as error:
        check_marts(published, "run")
    assert error.value.source is None
    with pytest.raises(PublishError):
        night.publish(published, "run")


def test_a_stopped_build_is_published_when_a_person_believes_it(
    published: Settings,
) -> None:
    execute(published, PLANTS["a table that shrank"].statement)
    execute(published, "update audit.builds set gated_at = null")
    execute(
        published, "insert into audit.unpublished_keys values ('fct_touchpoints', null)"
    )
    with pytest.raises(WarehouseError, match="Build 2 is not stopped by gate 2"):
        night.publish_stopped_build(published, 2)
    with pytest.raises(GateError, match="`make accept BUILD=2`"):
        check_marts(published, "range")
    with pytest.raises(WarehouseError, match="not the last one: it is 2"):
        night.publish_stopped_build(published, 1)
    assert night.publish_stopped_build(published, 2).rows_deleted > 0
    assert fetch(
        published,
        "select build_id from audit.builds where message = 'accepted by hand'",
    ) == [(2,)]


def test_a_failure_that_belongs_to_one_source_names_it(published: Settings) -> None:
    execute(published, PLANTS["tickets in the future"].statement)
    begin_build(published)
    with pytest.raises(GateError) as error:
        check_marts(published, "run")
    assert error.value.source == "zendesk"


def test_a_warning_is_told_and_stops_nothing(
    published: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    execute(published, PLANTS["touches without a touchpoint"].statement)
    begin_build(published)
    with caplog.at_level(logging.WARNING, logger="include"):
        result = check_marts(published, "run")
    (finding,) = result.failed_warning
    assert finding.source == "hubspot"
    assert "add the new events to the seed touchpoint_rules" in caplog.text


def test_an_unchanged_build_is_not_checked_again(published: Settings) -> None:
    builds.build(published, "again")
    assert check_marts(published, "again").checked == 0


def test_a_build_that_failed_is_not_checked(published: Settings) -> None:
    execute(
        published,
        "insert into audit.builds (run_id, status, loads_touched, models_rebuilt)"
        " values ('r', 'failed', 0, 0)",
    )
    with pytest.raises(GateError, match="the last one failed; build again"):
        check_marts(published, "run")


def test_the_check_of_a_run_that_is_repeated_replaces_its_results(
    published: Settings,
) -> None:
    execute(published, on_scores("score = score + 400", "nps"))
    assert list_failures(published, "run")
    execute(published, on_scores("score = score - 400", "nps"))
    assert list_failures(published, "run") == {}
