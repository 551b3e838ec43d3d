"""Rows through raw and staging, without anything after it: what tests of views use."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow
from openpyxl import Workbook
from psycopg import sql
from psycopg.rows import dict_row
from pyarrow import parquet

from include.building.dbt import compose_key_options
from include.contracts import STAGING_FOLDER, FeedContract, read_contracts
from include.loading.landing import Landing
from include.loading.loader import load_feed
from include.settings import PROJECT_FOLDER, Settings, connect

NIGHT = date(2026, 11, 20)

Row = Mapping[str, Any]


def list_systems(project_folder: Path = PROJECT_FOLDER) -> tuple[str, ...]:
    """Every system that has contracts, those that are off by default too."""
    folders = (project_folder / STAGING_FOLDER).glob("*/_*__sources.yml")
    return tuple(sorted({path.parent.name for path in folders}))


@dataclass
class Stage:
    """Loads rows of a feed as its contract says, and returns them as staged."""

    settings: Settings

    def __call__(self, feed: str, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Load made-up rows; a field that a row does not have is left empty."""
        contract = self.find_contract(feed)
        # A name that the contract's pattern takes: of several, the last.
        name = contract.paths[-1].replace("*", "export", 1).replace("*", "")
        return self.load(feed, write_export(contract.of_file(name), rows), name)

    def load(self, feed: str, content: bytes, name: str) -> list[dict[str, Any]]:
        """Load a file and return its rows in the order of the file.

        Every row is staged: what was rejected is an AssertionError.
        """
        contract = self.find_contract(feed)
        folder = Path(self.settings.landing_url) / contract.source / contract.feed
        path = folder / NIGHT.isoformat() / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        with connect(self.settings, "loader") as loader:
            landing = Landing(self.settings.landing_url)
            result = load_feed(loader, landing, contract, NIGHT, "test")
            rejects = loader.execute("select reason from audit.rejects").fetchall()
        assert result is not None
        assert not rejects, rejects
        with connect(self.settings) as owner:
            owner.execute(
                "insert into audit.build_loads"
                " (load_id, feed, batch_date, is_current, is_touched)"
                " values (%s, %s, %s, true, true)",
                [result.load_id, contract.name, NIGHT],
            )
        staged = self._read_view(contract)
        assert len(staged) == result.rows_in_file
        return staged

    def _read_view(self, contract: FeedContract) -> list[dict[str, Any]]:
        # As builds do: some views hash the names of people.
        with psycopg.connect(
            self.settings.database_url,
            options=compose_key_options(self.settings),
            row_factory=dict_row,
        ) as connection:
            return connection.execute(
                sql.SQL("select * from {} order by _file_no, _row_number").format(
                    sql.Identifier("staging", contract.staging_model)
                )
            ).fetchall()

    def find_contract(self, feed: str) -> FeedContract:
        """The contract of a feed."""
        settings = self.settings
        return read_contracts(settings.project_folder, settings.sources)[feed]


def write_export(contract: FeedContract, rows: Sequence[Row]) -> bytes:
    """Write rows as an export of the feed: its format, encoding and header rows."""
    if contract.format == "jsonl":
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        return text.encode(contract.encoding)
    if contract.format == "json":
        page: Any = list(rows)
        for part in reversed([p for p in (contract.record_path or "").split(".") if p]):
            page = {part: page}
        return json.dumps(page, ensure_ascii=False).encode(contract.encoding)
    headers = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[row.get(name, "") for name in headers] for row in rows]
    if contract.format == "parquet":
        columns = {
            name: pyarrow.array([row[place] or None for row in cells], pyarrow.string())
            for place, name in enumerate(headers)
        }
        file = io.BytesIO()
        parquet.write_table(pyarrow.table(columns), file)
        return file.getvalue()
    table = [
        headers if number == contract.header_name_row else ["-" for _ in headers]
        for number in range(1, contract.header_rows + 1)
    ]
    if contract.format == "xlsx":
        return _write_workbook([*table, *cells])
    lines = [contract.delimiter.join(map(_quote, row)) for row in [*table, *cells]]
    return "".join(f"{line}\n" for line in lines).encode(contract.encoding)


def _quote(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))


def _write_workbook(rows: Sequence[Sequence[str]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
