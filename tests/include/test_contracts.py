"""Contracts: what the declarations say, and what a wrong one is told."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from include.contracts import FeedContract, read_contracts
from include.errors import WarehouseError
from include.settings import PROJECT_FOLDER
from tests.include.loading.load_world import make_contract

DECLARATION = """
version: 2
sources:
  - name: shop
    config: {meta: {role: crm, time_zone: Europe/Madrid}}
    tables:
      - name: orders
        description: One row per order.
        config:
          meta:
            contract:
              delivery: delta
              path: "*.csv"
              format: csv
              natural_key: [order_id]
              %s
        columns:
          - name: order_id
            config: {meta: {header: [Order ID, Order No], required: true}}
          - name: note
            config: {meta: {personal_data: free_text}}
      - name: not_loaded
"""


def read(folder: Path, extra: str = "") -> dict[str, FeedContract]:
    path = folder / "dbt_project/models/staging/shop/_shop__sources.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(DECLARATION % extra)
    return read_contracts(folder)


def test_the_declarations_of_this_project_are_contracts() -> None:
    contracts = read_contracts(PROJECT_FOLDER)
    assert {contract.role for contract in contracts.values()} == {
        "crm",
        "survey",
        "ticket",
    }
    for name, contract in contracts.items():
        assert contract.name == name
        assert contract.natural_key
        assert contract.owner, "messages name who is to act"


def test_a_declaration_is_read_with_its_defaults(tmp_path: Path) -> None:
    contracts = read(tmp_path)
    assert list(contracts) == ["shop.orders"]
    contract = contracts["shop.orders"]
    assert contract.raw_table == "raw_shop.orders"
    assert contract.time_zone == "Europe/Madrid"
    assert contract.storage == "columns"
    assert contract.columns[0].headers == ("Order ID", "Order No")
    assert contract.columns[1].headers == ("note",)
    assert contract.required_columns == ("order_id",)


def test_dates_have_one_of_two_orders() -> None:
    assert make_contract(date_order="DMY").date_order == "DMY"
    with pytest.raises(ValidationError, match="date_order"):
        make_contract(date_order="YDM")


def test_json_is_stored_as_records() -> None:
    assert make_contract(format="json", record_path="orders").storage == "record"
    with pytest.raises(ValidationError, match="stored as records"):
        make_contract(format="jsonl", storage="columns")


def test_a_misspelt_key_is_an_error_that_names_the_feed(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"shop\.orders is wrong: delimeter: "):
        read(tmp_path, 'delimeter: ";"')


def test_a_file_that_is_no_yaml_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="is no YAML"):
        read(tmp_path, "]")


def test_a_project_without_contracts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="No feed contract"):
        read_contracts(tmp_path)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"path": "../other/*.csv"}, "leaves the feed's folder"),
        ({"path": "/etc/*"}, "leaves the feed's folder"),
        ({"feed": "Orders; drop"}, "no plain lower-case name"),
        ({"encoding": "utf-9"}, "is no encoding"),
        ({"natural_key": ["no_such"]}, "used but not declared"),
        ({"event_time": "no_such"}, "used but not declared"),
        ({"columns": ["id", "id"]}, "declared twice"),
        ({"columns": ["id", "_load_id"]}, "belong to the loader"),
        ({"header_name_row": 2}, "below header_rows"),
        ({"format": "json"}, "needs a record_path"),
        ({"delimiter": "||"}, "at most 1 character"),
        ({"path": ["*.csv", "../*"], "format": ["csv", "xlsx"]}, "leaves the feed's"),
        ({"path": ["*.csv", "*.xlsx"]}, "each path has its format"),
        ({"format": ["csv", "xlsx"]}, "each path has its format"),
        (
            {"path": ["*.csv", "*.jsonl"], "format": ["csv", "jsonl"]},
            "all of them are of csv, xlsx, parquet",
        ),
    ],
)
def test_a_wrong_contract_is_refused(declared: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make_contract(**declared)  # type: ignore[arg-type]


def test_the_hash_changes_with_what_is_loaded_and_not_with_the_prose(
    tmp_path: Path,
) -> None:
    before = read(tmp_path)["shop.orders"].content_hash
    assert read(tmp_path, "event_time: note")["shop.orders"].content_hash == before
    assert read(tmp_path, "owner: sales")["shop.orders"].content_hash == before
    assert read(tmp_path, 'delimiter: ";"')["shop.orders"].content_hash != before


def test_a_reference_of_an_instance_means_its_own_and_the_one_of_its_name() -> None:
    sources = ("hubspot", "qualtrics@acme", "hubspot@acme", "zendesk@lone", "zendesk")
    contracts = read_contracts(PROJECT_FOLDER, sources)

    def find_references(feed: str) -> set[str | None]:
        return {column.refers_to for column in contracts[feed].columns} - {None}

    assert find_references("hubspot@acme.orders") == {"hubspot@acme.contacts"}
    assert find_references("qualtrics@acme.responses") == {"hubspot@acme.contacts"}
    assert find_references("zendesk@lone.tickets") == {"zendesk@lone.users"}
    # The first of its role has its numbers as they are.
    prefixes = {feed.source: feed.record_prefix for feed in contracts.values()}
    assert prefixes == {
        "hubspot": "",
        "qualtrics@acme": "",
        "hubspot@acme": "hubspot@acme/",
        "zendesk@lone": "",
        "zendesk": "zendesk/",
    }


def test_a_shape_is_told_by_dates_that_are_both_included() -> None:
    shape = {"name": "old", "valid_from": "2026-01-02", "valid_to": "2026-01-03"}
    contract = make_contract(shapes=[{**shape, "without": ["note"]}])
    lacked = [sorted(contract.list_lacked(date(2026, 1, day))) for day in (1, 2, 3, 4)]
    assert lacked == [[], ["note"], ["note"], []]


def test_a_field_of_a_record_may_begin_with_an_underscore() -> None:
    declared = {"storage": "record", "natural_key": ["_id"]}
    contract = make_contract(("_id", "name"), required=("_id",), **declared)
    assert contract.column_names == ("_id", "name")
    with pytest.raises(ValueError, match="belong to the loader"):
        make_contract(("_id", "_identity"), required=("_id",), **declared)
