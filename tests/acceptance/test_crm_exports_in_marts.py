"""Real exports of three CRM systems side by side, through two nights, against truths.

Salesforce is the home of the role; a marketplace (Olist) and a telephone company stand
beside it. The figures of the real files were counted with awk and pandas apart from
this project; those of the invented company are its own text (crm_exports.py).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from include import night
from include.embedded.postgres import EmbeddedPostgres
from include.settings import PROJECT_FOLDER, Settings
from tests.acceptance.crm_exports import (
    FIRST,
    SECOND,
    RealNumbers,
    write_first_night,
    write_second_night,
)
from tests.conftest import open_database, settings_of
from tests.nights import execute, fetch, hash_marts, run

# A build of its own for the sources that are on here.
pytestmark = pytest.mark.slow

IS_REAL = "record_id !~ '^[A-Z][0-9]$'"


@pytest.fixture(scope="module")
def first_night(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    shared_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Settings, list[str]]]:
    landing = tmp_path_factory.mktemp("landing")
    write_first_night(landing, shared_data)
    with open_database(postgres_server, template=built_template) as url:
        settings = replace(
            settings_of(url, landing), sources=("salesforce", "olist", "telco")
        )
        yield settings, run(settings, FIRST, FIRST, "first")


@pytest.fixture(scope="module")
def second_night(
    first_night: tuple[Settings, list[str]], shared_data: Path
) -> tuple[Settings, RealNumbers]:
    """Tests of the first night stand before the first one that asks for this."""
    settings, _ = first_night
    numbers = write_second_night(Path(settings.landing_url), shared_data)
    problems = run(settings, SECOND, SECOND, "second")
    assert problems == []
    return settings, numbers


def read_query(number: int) -> str:
    """The documented query, from the page where readers find it."""
    text = (PROJECT_FOLDER / "docs/sources.md").read_text(encoding="utf-8")
    return re.findall(r"```sql\n(.*?)```", text, re.DOTALL)[number]


def test_all_of_it_loads_in_one_night(first_night):
    settings, problems = first_night
    assert problems == []
    assert fetch(
        settings,
        "select feed, rows_in_file, rows_rejected, rows_quarantined from audit.loads"
        " order by feed",
    ) == [
        ("olist.closed_deals", 842, 0, 0),
        ("olist.customers", 99441, 0, 0),
        ("olist.marketing_qualified_leads", 8000, 0, 0),
        ("olist.order_payments", 103886, 0, 0),
        ("olist.sellers", 3095, 0, 0),
        ("salesforce.accounts", 10 + 2, 0, 0),
        ("salesforce.contacts", 4 + 2, 0, 0),
        ("salesforce.leads", 1 + 2, 0, 0),
        # A day in a locale's order is not guessed.
        ("salesforce.opportunities", 10 + 3, 0, 1),
        ("salesforce.opportunity_history", 10 + 3, 0, 0),
        ("telco.customers", 7043, 0, 0),
    ]
    assert fetch(
        settings,
        "select quarantine_reason from staging.stg_salesforce__opportunities"
        " where is_quarantined",
    ) == [("created_at cannot be read; close_date cannot be read",)]


def test_customer_numbers_of_the_marketplace_are_people(first_night):
    settings, _ = first_night
    assert fetch(
        settings,
        "select sum(numbers), count(*), count(*) filter (where numbers > 1) from ("
        " select count(*) as numbers from marts.customer_records as records"
        " where source_system = 'olist' and record_id in ("
        "  select merged_contact_id from staging.stg_olist__customers)"
        " group by customer_key) as people",
    ) == [(99441, 96096, 2997)]
    assert fetch(
        settings,
        "select count(*) from staging.stg_olist__customers where state = 'SP'",
    ) == [(41746,)]


def test_everybody_of_the_marketplace_is_one_customer(first_night):
    settings, _ = first_night
    # Buyers, sellers, leads; a lead that was won is the seller, where one is listed.
    sellers_won = 842 - 462
    assert fetch(
        settings,
        "select lifecycle, count(distinct customer_key) from marts.dim_customers"
        " inner join marts.customer_records using (customer_key)"
        " where source_system = 'olist' group by 1 order by 1",
    ) == [("customer", 96096 + 3095 + 462), ("prospect", 8000 - 842)]
    assert fetch(
        settings,
        "select count(*) from warehouse.int_identities as leads"
        " inner join staging.stg_olist__closed_deals as deals"
        "  on leads.identity_id = 'contact:olist/' || deals.merged_contact_id"
        " where leads.contact_id = 'olist/' || deals.contact_id",
    ) == [(sellers_won,)]


def test_payments_are_staged_and_end_there_for_a_reason(first_night):
    settings, _ = first_night
    assert fetch(
        settings,
        "select count(*), count(distinct order_id), sum(payment_value)::text,"
        " count(*) filter (where payment_type = 'not_defined')"
        " from staging.stg_olist__order_payments where not is_quarantined",
    ) == [(103886, 99440, "16008872.12", 3)]
    assert fetch(
        settings,
        "select place, keys from audit.key_accounts"
        " where feed = 'olist.order_payments'",
    ) == [("a payment has no date, and no feed says whose order it is", 103886)]


def test_the_funnel_by_origin_comes_out_of_the_marts(first_night):
    settings, _ = first_night
    funnel = {origin: counts for origin, *counts in fetch(settings, read_query(0))}
    assert sum(leads for leads, _ in funnel.values()) == 8000
    assert sum(won for _, won in funnel.values()) == 842
    assert funnel["organic_search"] == [2296, 271]
    assert funnel["paid_search"] == [1586, 195]
    assert funnel["social"] == [1350, 75]
    # No origin, and an origin that nobody knows, are two things.
    assert funnel[None] == [60, 14]
    assert funnel["unknown"] == [1099, 179]


def test_deals_won_by_month_come_out_of_the_marts(first_night):
    settings, _ = first_night
    won = dict(fetch(settings, read_query(1)))
    months = [date(2018, month, 1) for month in range(1, 6)]
    assert [won[month] for month in months] == [73, 113, 147, 207, 122]
    assert won[date(2017, 12, 1)] == 3


def test_a_deal_won_before_the_first_contact_is_flagged_and_counts(first_night):
    settings, _ = first_night
    assert fetch(
        settings,
        "select count(*) from staging.stg_olist__closed_deals"
        " where is_won_before_first_contact",
    ) == [(1,)]


def test_churn_of_the_telephone_company(first_night):
    settings, _ = first_night
    assert fetch(
        settings,
        "select segment, count(*),"
        " count(*) filter (where lifecycle = 'former customer')"
        " from marts.dim_customers inner join marts.customer_records"
        " using (customer_key) where source_system = 'telco' and is_current"
        " group by 1 order by 1",
    ) == [
        ("Month-to-month", 3875, 1655),
        ("One year", 1473, 166),
        ("Two year", 1695, 48),
    ]
    assert fetch(
        settings,
        "select count(*), sum(cltv)::bigint, count(*) - count(total_charges),"
        " count(churn_reason) from staging.stg_telco__customers",
    ) == [(7043, 30991283, 11, 1869)]


def test_real_salesforce_records_are_accounts_and_prospects(first_night):
    settings, _ = first_night
    assert fetch(
        settings,
        "select is_deleted_in_crm, count(*) from marts.dim_accounts"
        " where account_name <> 'Acme' group by 1 order by 1",
    ) == [(False, 1), (True, 9)]
    # All opportunities of the real company lie in the recycle bin.
    assert fetch(
        settings,
        "select is_deleted, count(*), count(*) filter (where event = 'deal_won')"
        " from warehouse.int_activities where activity_id ~ '^006.*/(opened|won|lost)$'"
        " group by 1",
    ) == [(True, 10 + 9, 5)]
    # The lead was converted into a contact that nobody has sent.
    assert fetch(
        settings,
        "select lifecycle, country, count(*) from marts.dim_customers"
        " inner join marts.customer_records using (customer_key)"
        f" where source_system = 'salesforce' and {IS_REAL} group by 1, 2 order by 2",
    ) == [("prospect", "US", 3), ("prospect", None, 2)]


def read_salesforce(settings: Settings) -> list[tuple]:
    """The customers of the invented company: their records, and what is known."""
    return fetch(
        settings,
        "select string_agg(distinct record_id, '+'), lifecycle, customers.country,"
        " original_source, may_be_contacted, account_name"
        " from marts.customer_records"
        " inner join marts.dim_customers as customers using (customer_key)"
        " left join marts.dim_accounts using (account_key)"
        f" where source_system = 'salesforce' and is_current and not {IS_REAL}"
        " group by customer_key, 2, 3, 4, 5, 6 order by 1",
    )


def read_touches(settings: Settings) -> list[tuple]:
    return fetch(
        settings,
        "select event_id, touchpoint, lifecycle, account_name, occurred_at::date::text"
        " from marts.fct_touchpoints as touches"
        " inner join marts.dim_customers using (customer_version_key)"
        " left join marts.dim_accounts using (account_key)"
        " where touches.source_system = 'salesforce'"
        " order by touches.occurred_at, event_id",
    )


def test_a_converted_lead_and_a_merged_contact_are_the_one_that_is_left(first_night):
    settings, _ = first_night
    assert read_salesforce(settings) == [
        ("C1+C2+L1", "prospect", "RO", "Web", False, "Acme"),
        ("L3", "prospect", "PT", "Partner", True, None),
    ]
    # Of two rows in one export the one that was changed last holds.
    assert fetch(
        settings,
        "select industry, country, employees from marts.dim_accounts"
        " where account_name = 'Acme'",
    ) == [("Retail", "RO", 120)]


def test_opportunities_are_touches_of_the_account_stage_by_stage(first_night):
    settings, _ = first_night
    assert read_touches(settings) == [
        ("activity:O1/opened", "deal_opened", "prospect", "Acme", "2019-11-01"),
        ("activity:O1/stage/1", "deal_stage", "prospect", "Acme", "2019-11-01"),
        ("activity:O2/opened", "deal_opened", "prospect", "Acme", "2019-11-02"),
        ("activity:O1/stage/2", "deal_stage", "prospect", "Acme", "2019-11-08"),
    ]


def test_what_nobody_named_makes_no_customer(first_night):
    settings, _ = first_night
    # Deleted opportunities name companies that no list of accounts has.
    assert fetch(
        settings,
        "select count(*) from marts.dim_customers where lifecycle = 'unknown'",
    ) == [(0,)]


def test_a_won_deal_makes_customers_of_the_account_and_its_people(second_night):
    settings, _ = second_night
    assert read_salesforce(settings) == [
        ("C1+C2+L1", "customer", "RO", "Web", False, "Acme"),
        # The contact has come that the lead was converted into.
        ("C3+L3", "prospect", None, "Partner", True, None),
        ("L9", "prospect", None, "Web", True, None),
    ]
    # A version that came late is a stage of its own, in its place; O2 was deleted.
    assert read_touches(settings) == [
        ("activity:O1/opened", "deal_opened", "customer", "Acme", "2019-11-01"),
        ("activity:O1/stage/1", "deal_stage", "customer", "Acme", "2019-11-01"),
        ("activity:O1/stage/2", "deal_stage", "customer", "Acme", "2019-11-05"),
        ("activity:O1/stage/3", "deal_stage", "customer", "Acme", "2019-11-08"),
        ("activity:O1/won", "deal_won", "customer", "Acme", "2019-11-13"),
        ("activity:O1/stage/4", "deal_stage", "customer", "Acme", "2019-11-13"),
    ]


def test_a_real_lead_is_the_contact_that_came_later(second_night):
    settings, numbers = second_night
    assert fetch(
        settings,
        "select identity_id, contact_id from warehouse.int_identities"
        " where contact_id = %s order by 1",
        numbers.converted_into,
    ) == [
        (f"contact:{numbers.converted_into}", numbers.converted_into),
        (f"contact:{numbers.converted_lead}", numbers.converted_into),
    ]


def test_other_shapes_of_the_same_exports_mean_the_same(second_night):
    settings, numbers = second_night
    assert fetch(
        settings,
        "select record_id, lifecycle, original_source, occurred_date::text, touchpoint"
        " from marts.customer_records"
        " inner join marts.dim_customers using (customer_key)"
        " inner join marts.fct_touchpoints as touches using (customer_version_key)"
        " where record_id like 'lead\\_%%' order by 1, 4",
    ) == [
        ("lead_of_fifth", "customer", None, "2019-11-05", "landing_page"),
        ("lead_of_fifth", "customer", None, "2019-11-06", "deal_won"),
        ("lead_of_sixth", "prospect", "unknown", "2019-11-06", "landing_page"),
    ]
    assert fetch(
        settings,
        "select business_segment, declared_monthly_revenue::text"
        " from staging.stg_olist__closed_deals where contact_id = 'seller_unknown'",
    ) == [("decoração", "1500.5")]
    assert fetch(
        settings,
        "select natural_key, quarantine_reason"
        " from staging.stg_olist__marketing_qualified_leads where is_quarantined",
    ) == [("lead_without_day", "first_contact_date cannot be read")]
    # The seller of a deal has come: the lead is that seller.
    assert fetch(
        settings,
        "select count(*), count(distinct customer_key) from marts.customer_records"
        " where source_system = 'olist' and (record_id = %s or record_id in ("
        "  select merged_contact_id from staging.stg_olist__closed_deals"
        "  where contact_id = %s))",
        *(numbers.absent_seller, numbers.absent_seller),
    ) == [(2, 1)]
    # Another number of a person who is known.
    assert fetch(
        settings,
        "select count(distinct customer_key) from marts.customer_records"
        " where record_id in ('another_number', %s)",
        numbers.person,
    ) == [(1,)]


def test_who_is_missing_from_the_last_list_is_gone(second_night):
    settings, _ = second_night
    assert fetch(
        settings,
        "select is_deleted_in_crm, count(*) from marts.dim_customers"
        " inner join marts.customer_records using (customer_key)"
        " where source_system = 'telco' and is_current group by 1 order by 1",
    ) == [(False, 7042), (True, 1)]


def test_everybody_who_is_matched_to_nobody_is_counted_at_their_source(second_night):
    settings, _ = second_night
    unmatched = fetch(
        settings,
        "select case when identity_id ~ ':olist/' then 'olist'"
        "  when identity_id ~ ':telco/' then 'telco' else 'salesforce' end, count(*),"
        " count(*) filter (where identity_id like 'company:%%')"
        " from warehouse.int_identities where identity_method = 'unmatched'"
        " group by 1 order by 1",
    )
    # An opportunity of a company, about nobody by name.
    assert sum(companies for *_, companies in unmatched) > 0
    assert fetch(
        settings,
        "select source, unmatched_identities from marts.data_status"
        " where unmatched_identities > 0 order by 1",
    ) == [(source, people) for source, people, _ in unmatched]


def test_two_nights_give_what_one_build_of_everything_gives(second_night):
    settings, _ = second_night
    nights = hash_marts(settings)
    execute(settings, "update audit.models set built_fingerprint = null")
    night.build(settings, "anew", with_tests=False)
    night.check_marts(settings, "anew")
    night.publish(settings, "anew")
    assert hash_marts(settings) == nights
