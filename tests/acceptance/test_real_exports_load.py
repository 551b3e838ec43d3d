"""Real vendors' files through this project's own contracts, as far as raw.

The files are read in place, from the shared data folder. Its README gives the truths.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.contracts import FeedContract, read_contracts
from include.settings import PROJECT_FOLDER, Settings
from tests.include.loading.load_world import (
    NIGHT,
    LoadWorld,
    make_contract,
    open_load_world,
)

CONTRACTS = read_contracts(PROJECT_FOLDER)


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def link(world: LoadWorld, contract: FeedContract, files: list[Path]) -> None:
    """Put links to real files into the landing folder; the folder is their root."""
    folder = world.landing_folder / contract.system / contract.feed / str(NIGHT)
    folder.mkdir(parents=True)
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())


@pytest.mark.parametrize(
    ("feed", "folder", "files", "rows", "ids"),
    [
        ("zendesk.tickets", "incremental_tickets", 17, 1191, 1017),
        ("zendesk.users", "incremental_users", 29, 2101, 1762),
        ("zendesk.organizations", "organizations", 14, 224, 192),
    ],
)
def test_zendesk_pages(
    world: LoadWorld,
    shared_data: Path,
    feed: str,
    folder: str,
    files: int,
    rows: int,
    ids: int,
) -> None:
    pages = sorted((shared_data / "ticket_zendesk" / folder).iterdir())
    assert len(pages) == files
    link(world, CONTRACTS[feed], pages)
    result = world.load(CONTRACTS[feed])
    assert (result.rows_in_file, result.rows_loaded, result.rows_rejected) == (
        *(rows, rows),
        0,
    )
    table = CONTRACTS[feed].raw_table
    assert world.rows(f"select count(distinct record ->> 'id') from {table}") == [
        (ids,)
    ]


def test_the_last_version_of_each_zendesk_ticket(
    world: LoadWorld, shared_data: Path
) -> None:
    pages = sorted((shared_data / "ticket_zendesk/incremental_tickets").iterdir())
    link(world, CONTRACTS["zendesk.tickets"], pages)
    world.load(CONTRACTS["zendesk.tickets"])
    statuses = world.rows(
        "select record ->> 'status', count(*) from ("
        " select distinct on (record ->> 'id') record from raw_zendesk.tickets"
        " order by record ->> 'id', (record ->> 'updated_at')::timestamptz desc,"
        " _file_no desc, _row_number desc) as latest group by 1"
    )
    assert dict(statuses) == {"new": 492, "pending": 8, "open": 1, "deleted": 516}


def test_qualtrics_exports(world: LoadWorld, shared_data: Path) -> None:
    contract = CONTRACTS["qualtrics.responses"]
    files = sorted((shared_data / "survey_qualtrics").glob("*.csv"))
    link(world, contract, files)
    result = world.load(contract)
    expected = {path.name: read_responses(path) for path in files}
    assert result.rows_rejected == 0
    for file_no, path in enumerate(files, start=1):
        records = world.rows(
            "select record, _file_stem from raw_qualtrics.responses"
            " where _file_no = %s order by _row_number",
            file_no,
        )
        assert {stem for _, stem in records} <= {path.stem.split("__")[0]}
        # Every cell of the file is in the record, whatever its header is called.
        cells = [sorted(v for v in record.values() if v) for record, _ in records]
        assert cells == expected[path.name]


def test_the_legacy_qualtrics_file_has_the_names_of_today(
    world: LoadWorld, shared_data: Path
) -> None:
    contract = CONTRACTS["qualtrics.responses"]
    folder = shared_data / "survey_qualtrics"
    names = ("qualtRics_sample.csv", "qualtRics_sample_legacy.csv")
    link(world, contract, [folder / name for name in names])
    world.load(contract)
    today, legacy = world.rows(
        "select record ->> 'ResponseId', record ->> 'RecordedDate',"
        " record ->> 'Status', record ->> 'Finished'"
        " from raw_qualtrics.responses order by _file_no"
    )
    assert (
        today
        == legacy
        == (
            *("R_2YPOQ602ER1jkf1", "2017-07-18 08:28:48"),
            *("0", "1"),
        )
    )


def read_responses(path: Path) -> list[list[str]]:
    """Return each response's filled cells, sorted; read without this project's code."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    header_rows = 2 if rows[0][0] == "V1" else 3
    return [sorted(cell for cell in row if cell) for row in rows[header_rows:]]


def test_service_desk_events(world: LoadWorld, shared_data: Path) -> None:
    columns = ("number", "sys_mod_count", "incident_state", "opened_at")
    contract = make_contract(
        columns,
        required=columns,
        natural_key=["number", "sys_mod_count"],
        null_markers=["", "?"],
    )
    link(world, contract, [shared_data / "ticket_servicenow/incident_event_log.csv.gz"])
    result = world.load(contract)
    assert (result.rows_loaded, result.rows_rejected) == (119_998, 0)
    assert world.rows("select count(distinct number) from raw_shop.orders") == [
        (20_769,)
    ]


@pytest.mark.parametrize(
    ("path", "rows", "declared"),
    [
        ("crm_olist/olist_order_payments_dataset.csv.gz", 103_886, {}),
        ("ticket_reclameaqui/RECLAMEAQUI_HAPVIDA.csv", 1_016, {"delimiter": ";"}),
        ("crm_telco/Telco_customer_churn.xlsx", 7_043, {"format": "xlsx"}),
        ("survey_reviews/restaurants_es.xlsx", 15_963, {"format": "xlsx"}),
        ("crm_salesforce/sf_contact_data.csv", None, {}),
        ("survey_surveymonkey/thanksgiving-2015-poll-data.csv", None, {}),
    ],
)
def test_other_vendors_files_lose_no_row(
    world: LoadWorld,
    shared_data: Path,
    path: str,
    rows: int | None,
    declared: dict[str, str],
) -> None:
    contract = make_contract(("any",), required=(), natural_key=["any"], **declared)
    link(world, contract, [shared_data / path])
    result = world.load(contract)
    assert result.rows_rejected == 0
    if rows is not None:
        assert result.rows_loaded == rows
