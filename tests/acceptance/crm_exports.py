"""The landing zone of three CRM systems: real exports, and what is invented to them.

Real: the first night. Invented: a small Salesforce company beside the real records, and
a second night in other shapes of the same exports: labels instead of API names, columns
that are gone, another order, days as a spreadsheet saves them.
"""

import csv
import gzip
import shutil
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FIRST, SECOND = date(2019, 11, 12), date(2019, 11, 13)
REAL_FILES = {
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

# A company, a contact of it, a lead that became the contact, one that became a contact
# whom nobody has sent yet, and an opportunity of the company, about nobody by name.
FIRST_SALESFORCE = {
    "accounts": """\
Id,Name,Industry,NumberOfEmployees,BillingCountryCode,IsDeleted,SystemModstamp
A1,Acme,Retail,120,ro,false,2019-11-01T10:00:00.000Z
A1,Acme of old,Retail,80,RO,false,2019-10-01T10:00:00.000Z
""",
    "contacts": """\
Id,AccountId,Email,MailingCountry,LeadSource,HasOptedOutOfEmail,IsDeleted,MasterRecordId
C1,A1,Ana@Acme.example,Romania,Web,true,false,
C2,A1,ana.b@acme.example,Romania,Phone,false,true,C1
""",
    "leads": """\
Id,Email,CountryCode,LeadSource,IsConverted,ConvertedContactId,IsDeleted
L1,ana@acme.example,RO,Trade Show,true,C1,false
L3,dan@other.example,PT,Partner,true,C3,false
""",
    "opportunities": """\
Id,AccountId,StageName,CloseDate,CreatedDate,IsClosed,IsWon,IsDeleted
O1,A1,Negotiation,2019-12-31,2019-11-01T09:00:00.000+0000,false,false,false
O2,A1,Prospecting,2019-12-31,2019-11-02T09:00:00.000+0000,false,false,false
O3,A1,Prospecting,31/12/2019,02/11/2019,false,false,false
""",
    "opportunity_history": """\
Id,OpportunityId,StageName,CreatedDate,IsDeleted
H3,O1,Negotiation,2019-11-08T09:00:00.000Z,false
H1,O1,Prospecting,2019-11-01T09:00:00.000Z,false
H2,O1,Prospecting,2019-11-02T09:00:00.000Z,false
""",
}
# The missing contact comes, the opportunity is won, the other one deleted, and the
# history is one version richer, in between.
SECOND_SALESFORCE = {
    "accounts": "Account ID,Account Name,Billing Country\nA1,Acme,Romania\n",
    "contacts": """\
Email,Contact ID,Account ID
dan@other.example,C3,
{converted_into},{converted_into},
""",
    "leads": "Lead ID,Email,Lead Source\nL9,eva@third.example,Web\n",
    "opportunities": """\
Opportunity ID,Account ID,Stage,Close Date,Created Date,Won,Closed,Deleted
O1,A1,Closed Won,2019-11-13,2019-11-01 09:00:00,1,1,0
O2,A1,Prospecting,2019-12-31,2019-11-02 09:00:00,0,0,1
""",
    "opportunity_history": """\
Opportunity ID,To Stage,Last Modified
O1,Qualification,2019-11-05 09:00:00
O1,Prospecting,2019-11-01 09:00:00
O1,Closed Won,2019-11-13 09:00:00
""",
}
SECOND_OLIST = {
    # The first day is no day of a calendar; the last row came with its own origin.
    "marketing_qualified_leads": """\
origin,first_contact_date,mql_id
social,2019-13-40,lead_without_day
,05/11/2019,lead_of_fifth
unknown,2019-11-06 00:00:00,lead_of_sixth
""",
    "closed_deals": """\
won_date,seller_id,mql_id
06/11/2019 10:30,seller_unknown,lead_of_fifth
""",
    # Known until now only by the deal.
    "sellers": "seller_id\n{absent_seller}\n",
    # Another order of somebody who is known.
    "customers": "customer_unique_id,customer_id\n{person},another_number\n",
}


@dataclass(frozen=True)
class RealNumbers:
    """Numbers of real records, looked up where they are, never copied."""

    converted_lead: str
    converted_into: str
    absent_seller: str
    person: str


def write_first_night(landing: Path, shared_data: Path) -> None:
    """Copy the real exports, and write the invented company beside them."""
    for source, feed in REAL_FILES.items():
        folder = landing / feed / FIRST.isoformat()
        folder.mkdir(parents=True)
        shutil.copy(shared_data / source, folder)
    for feed, text in FIRST_SALESFORCE.items():
        _write(landing, f"salesforce/{feed}", FIRST, text)


def write_second_night(landing: Path, shared_data: Path) -> RealNumbers:
    """Write what the second night brings; the telephone company has lost a customer."""
    numbers = _look_up(shared_data)
    for feed, text in SECOND_SALESFORCE.items():
        _write(
            *(landing, f"salesforce/{feed}", SECOND),
            text.format(converted_into=numbers.converted_into),
        )
    for feed, text in SECOND_OLIST.items():
        text = text.format(absent_seller=numbers.absent_seller, person=numbers.person)
        _write(landing, f"olist/{feed}", SECOND, text)
    folder = landing / "telco/customers" / SECOND.isoformat()
    folder.mkdir(parents=True)
    _drop_last_row(
        shared_data / "crm_telco/Telco_customer_churn.xlsx", folder / "list.xlsx"
    )
    return numbers


def read_real(path: Path) -> list[dict[str, str]]:
    """Read a real CSV, without this project's code."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _look_up(shared_data: Path) -> RealNumbers:
    (lead,) = read_real(shared_data / "crm_salesforce/sf_lead_data.csv")
    olist = shared_data / "crm_olist"
    sellers = {
        row["seller_id"] for row in read_real(olist / "olist_sellers_dataset.csv.gz")
    }
    deals = read_real(olist / "olist_closed_deals_dataset.csv.gz")
    return RealNumbers(
        lead["id"],
        lead["converted_contact_id"],
        min(deal["seller_id"] for deal in deals if deal["seller_id"] not in sellers),
        read_real(olist / "olist_customers_dataset.csv.gz")[0]["customer_unique_id"],
    )


def _write(landing: Path, feed: str, day: date, text: str) -> None:
    folder = landing / feed / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "invented.csv").write_text(text, encoding="utf-8")


def _drop_last_row(source: Path, target: Path) -> None:
    with (
        zipfile.ZipFile(source) as workbook,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as shorter,
    ):
        for part in workbook.namelist():
            content = workbook.read(part)
            if part == "xl/worksheets/sheet1.xml":
                begin = content.rindex(b"<row ")
                end = content.rindex(b"</row>") + len(b"</row>")
                content = content[:begin] + content[end:]
            shorter.writestr(part, content)
