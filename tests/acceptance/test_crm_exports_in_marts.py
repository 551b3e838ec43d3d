"""Real exports of three CRM systems side by side, through whole nights, against known
truths: Salesforce, the home of the role, a marketplace (Olist), a telephone company.

The figures were counted with awk and pandas apart from this project.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from include import audit
from include.embedded.postgres import EmbeddedPostgres
from include.settings import Settings, connect
from tests.conftest import open_database, settings_of
from tests.nights import fetch, run

DAY = date(2019, 11, 12)
FILES = {
    "crm_salesforce/sf_account_data.csv": "salesforce/accounts",
    "crm_salesforce/sf_contact_data.csv": "salesforce/contacts",
    "crm_salesforce/sf_lead_data.csv": "salesforce/leads",
    "crm_salesforce/sf_opportunity_data.csv": "salesforce/opportunities",
    "crm_salesforce/sf_opportunity_history_data.csv": "salesforce/opportunity_history",
    "crm_olist/olist_customers_dataset.csv.gz": "olist/customers",
    "crm_olist/olist_order_payments_dataset.csv.gz": "olist/order_payments",
    "crm_olist/olist_sellers_dataset.csv.gz": "olist/sellers",
    "crm_olist/olist_marketing_qualified_leads_dataset.csv.gz": (
        "olist/marketing_qualified_leads"
    ),
    "crm_olist/olist_closed_deals_dataset.csv.gz": "olist/closed_deals",
    "crm_telco/Telco_customer_churn.xlsx": "telco/customers",
}


@pytest.fixture(scope="module")
def loaded(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    shared_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Settings, list[str]]]:
    landing = tmp_path_factory.mktemp("landing")
    for source, feed in FILES.items():
        folder = landing / feed / DAY.isoformat()
        folder.mkdir(parents=True)
        shutil.copy(shared_data / source, folder)
    with open_database(postgres_server, template=built_template) as url:
        settings = replace(
            settings_of(url, landing), sources=("salesforce", "olist", "telco")
        )
        problems = run(settings, DAY, DAY, "real")
        print(problems)
        yield settings, problems


def test_x(loaded):
    settings, problems = loaded
    print(problems)
    print(fetch(settings, "select feed,status, rows_in_file, rows_rejected, rows_staged, rows_quarantined from audit.loads order by 1"))
    print(fetch(settings, "select * from audit.key_accounts"))
    print(fetch(settings, "select lifecycle, segment, country, is_in_crm, is_deleted_in_crm, count(*) from marts.dim_customers group by 1,2,3,4,5 order by 1,2"))
    print(fetch(settings, "select source_system, touchpoint, count(*) from marts.fct_touchpoints group by 1,2"))
    assert 0
