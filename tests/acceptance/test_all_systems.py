"""Real exports of every system that there are files of, in one warehouse, in one night.

What each of them must come to is tested system by system elsewhere; here, that they
stand side by side in one star and do not touch each other. The figures were counted
apart from this project.
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
from tests.acceptance.crm_exports import REAL_FILES as CRM_FILES
from tests.acceptance.test_real_exports_in_marts import FOLDERS
from tests.acceptance.test_surveys_and_reviews import REAL as SURVEY_FILES
from tests.acceptance.test_ticket_systems import FILES as TICKET_FILES
from tests.conftest import open_database, settings_of
from tests.nights import fetch, run

# A build of all of it; the fast tests build each role by itself.
pytestmark = pytest.mark.slow

DAY = date(2024, 2, 10)
SOURCES = (
    *("salesforce", "olist", "telco"),
    *("qualtrics", "surveymonkey", "restaurant_reviews", "shop_reviews"),
    *("zendesk", "servicenow", "reclameaqui", "zendesk_tables"),
)


@pytest.fixture(scope="module")
def loaded(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    shared_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Settings, list[str]]]:
    landing = tmp_path_factory.mktemp("landing")
    for source, feed in FOLDERS.items():
        shutil.copytree(shared_data / source, landing / feed / DAY.isoformat())
    for source, feed in {**CRM_FILES, **SURVEY_FILES, **TICKET_FILES}.items():
        folder = landing / feed / DAY.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(shared_data / source, folder)
    with open_database(postgres_server, template=built_template) as url:
        settings = replace(settings_of(url, landing), sources=SOURCES)
        problems = run(settings, DAY, DAY, "real")
        held = fetch(
            settings, "select feed, load_id from audit.loads where status = 'held'"
        )
        # The Zendesk account is a sandbox, and says so in its subjects.
        assert [feed for feed, _ in held] == ["zendesk.tickets"]
        with connect(settings, "loader") as connection:
            audit.accept_held_load(connection, held[0][1])
        again = run(settings, DAY, DAY, "accepted")
        yield settings, [problem for problem in problems if problem in again]


def test_only_feeds_that_sent_nothing_are_missed(loaded):
    _, problems = loaded
    assert all("no file has arrived" in problem for problem in problems), problems
    # The distributions of Qualtrics; audits and ratings of Zendesk.
    assert len(problems) == 3


def test_every_row_of_every_system_is_accounted_for(loaded):
    settings, _ = loaded
    assert (
        fetch(
            settings,
            "select feed from audit.loads where status = 'accepted'"
            " and (rows_in_file <> rows_loaded + rows_rejected"
            "  or rows_loaded <> rows_staged + rows_quarantined or rows_rejected > 0)",
        )
        == []
    )
    sources = fetch(settings, "select source from marts.data_status order by source")
    assert [source for (source,) in sources] == sorted(SOURCES)


def test_tickets_of_four_systems_stand_side_by_side(loaded):
    settings, _ = loaded
    assert fetch(
        settings,
        "select case when strpos(ticket_id, '/') > 0 then split_part(ticket_id, '/', 1)"
        " else 'zendesk' end as source, count(*) from marts.fct_tickets"
        " group by 1 having count(*) > 100 order by 1",
    ) == [("reclameaqui", 1016), ("servicenow", 20_769), ("zendesk", 1017)]


def test_customers_of_three_systems_stand_side_by_side(loaded):
    settings, _ = loaded
    assert dict(
        fetch(
            settings,
            "select source_system, count(distinct customer_key)"
            " from marts.customer_records"
            " where source_system in ('olist', 'telco') group by 1",
        )
    ) == {
        # Buyers, sellers, leads; 380 of the 842 leads that were won are sellers.
        "olist": 96_096 + 3_095 + 8_000 - 380,
        "telco": 7_043,
    }


def test_reviews_of_two_sites_stand_side_by_side(loaded):
    settings, _ = loaded
    assert fetch(
        settings,
        "select split_part(review_id, '/', 1), count(*),"
        " round(100.0 * count(*) filter (where rating >= 4) / count(*), 2)::text"
        " from marts.fct_reviews group by 1 order by 1",
    ) == [("restaurant_reviews", 15_963, "95.60"), ("shop_reviews", 3_000, "50.00")]
