"""Real CSV exports that a spreadsheet saved as workbooks are staged as they were.

The workbooks are written here as a spreadsheet of the source's country saves them:
dates and numbers become cells of their own kind.
"""

import csv
import gzip
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from include.contracts import DateOrder
from include.embedded.postgres import EmbeddedPostgres
from include.errors import ExportError
from tests.staging.conftest import open_stage
from tests.staging.stage_world import Stage

# Enough of a long export.
MOST_ROWS = 2_000
EXPORTS = {
    "crm_salesforce/sf_account_data.csv": "salesforce.accounts",
    "crm_salesforce/sf_contact_data.csv": "salesforce.contacts",
    "crm_salesforce/sf_lead_data.csv": "salesforce.leads",
    "crm_salesforce/sf_opportunity_data.csv": "salesforce.opportunities",
    "crm_salesforce/sf_opportunity_history_data.csv": "salesforce.opportunity_history",
    "crm_olist/olist_closed_deals_dataset.csv.gz": "olist.closed_deals",
    "crm_olist/olist_customers_dataset.csv.gz": "olist.customers",
    "crm_olist/olist_marketing_qualified_leads_dataset.csv.gz": (
        "olist.marketing_qualified_leads"
    ),
    "crm_olist/olist_order_payments_dataset.csv.gz": "olist.order_payments",
    "crm_olist/olist_sellers_dataset.csv.gz": "olist.sellers",
    "survey_qualtrics/API_TEST_PROJECT_csv__16830313.csv": "qualtrics.responses",
    "survey_qualtrics/qualtRics_sample.csv": "qualtrics.responses",
    "survey_qualtrics/qualtRics_sample_legacy.csv": "qualtrics.responses",
    "survey_surveymonkey/comma-survey.csv": "surveymonkey.responses",
    "survey_surveymonkey/thanksgiving-2015-poll-data.csv": "surveymonkey.responses",
    "ticket_reclameaqui/RECLAMEAQUI_HAPVIDA.csv": "reclameaqui.complaints",
    "ticket_servicenow": "servicenow.incidents",
    "ticket_zendesk_tables/organization_data.csv": "zendesk_tables.organizations",
    "ticket_zendesk_tables/schedule_holiday_data.csv": (
        "zendesk_tables.schedule_holidays"
    ),
    "ticket_zendesk_tables/ticket_comment_data.csv": "zendesk_tables.ticket_comments",
    "ticket_zendesk_tables/ticket_data.csv": "zendesk_tables.tickets",
    "ticket_zendesk_tables/user_data.csv": "zendesk_tables.users",
}
# What tells of the file, or repeats what was sent as it was written.
NOT_COMPARED = re.compile(r"_load_id|_source_name|answers|sent_.*")
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d?:\d\d(:\d\d)?)?")
WRITTEN_DATE = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})( \d{1,2}:\d\d(:\d\d)?( [AP]M)?)?"
)


def read_lines(path: Path) -> list[bytes]:
    """The lines of a real export, or of the one file in a folder."""
    if path.is_dir():
        (path,) = path.iterdir()
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        return list(islice(file, 20 * MOST_ROWS))


def cut(lines: Iterable[bytes]) -> list[list[str]]:
    """Header and first records of an export, whatever its delimiter and encoding."""
    content = b"".join(lines)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("windows-1252")
    first = text.partition("\n")[0]
    delimiter = max(",;", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return list(islice(rows, MOST_ROWS))


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def write_workbook(rows: Iterable[Sequence[str]], order: DateOrder) -> bytes:
    """Write rows as a spreadsheet saves them that expects dates in this order."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append([enter(text, order) for text in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def enter(text: str, order: DateOrder) -> object:
    """What a spreadsheet makes of a text that is opened with it."""
    # Longer numbers lose digits, and leading zeros go: neither is known afterwards.
    if re.fullmatch(r"[1-9]\d{0,14}|0", text):
        return int(text)
    if re.fullmatch(r"(0|[1-9]\d{0,8})\.\d{0,5}[1-9]", text):
        return float(text)
    if text in ("True", "False", "TRUE", "FALSE"):
        return text.upper() == "TRUE"
    if ISO_DATE.fullmatch(text):
        return datetime.fromisoformat(re.sub(r"[ T](\d:)", r" 0\1", text))
    if written := WRITTEN_DATE.fullmatch(text):
        numbers = [int(written[1]), int(written[3])]
        day, month = numbers if order == "DMY" else reversed(numbers)
        try:
            return datetime(int(written[4]), month, day, *_read_time(written[5]))
        except ValueError:
            return text
    return text or None


def _read_time(text: str | None) -> Sequence[int]:
    if not text:
        return ()
    written = text.strip()
    pattern = "%H:%M:%S" if written.count(":") == 2 else "%H:%M"
    if written.endswith("M"):
        pattern = pattern.replace("%H", "%I") + " %p"
    return datetime.strptime(written, pattern).timetuple()[3:6]


def show(staged: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: row[name] for name in row if not NOT_COMPARED.fullmatch(name)}
        for row in staged
    ]


@pytest.mark.parametrize(("export", "feed"), EXPORTS.items())
def test_a_workbook_is_staged_as_the_export_that_it_was(
    export: str,
    feed: str,
    shared_data: Path,
    stage: Stage,
    postgres_server: EmbeddedPostgres,
    staging_template: str,
    tmp_path: Path,
) -> None:
    rows = cut(read_lines(shared_data / export))
    order = stage.find_contract(feed).date_order
    expected = show(stage.load(feed, write_csv(rows), "SV_1__export.csv"))
    assert any(not row["is_quarantined"] for row in expected)
    with open_stage(postgres_server, staging_template, tmp_path / "again") as again:
        workbook = write_workbook(rows, order)
        assert show(again.load(feed, workbook, "SV_1__export.xlsx")) == expected


def test_a_workbook_saved_where_dates_are_written_otherwise_is_refused(
    shared_data: Path, stage: Stage
) -> None:
    (path,) = (shared_data / "ticket_servicenow").iterdir()
    rows = cut(read_lines(path))
    with pytest.raises(ExportError, match="may have swapped them"):
        stage.load("servicenow.incidents", write_workbook(rows, "MDY"), "list.xlsx")
