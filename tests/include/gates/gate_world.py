"""A small warehouse with four feeds, to send good and bad exports into.

The feeds stand for the three shapes of raw tables: ``shop.people`` (snapshot, columns),
``shop.visits`` (delta, columns), ``shop.tickets`` (delta, records); ``shop.changes`` is
a log of the states of things. Exports are files
that the real loader loads.
"""

import csv
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import psycopg

from include.audit import migrate
from include.contracts import FeedContract, read_contracts
from include.loading.landing import Landing
from include.loading.loader import load_feed
from include.loading.raw_tables import create_raw_tables
from include.settings import Settings, connect

NIGHT = date(2026, 11, 20)  # a Friday

SOURCES = """
version: 2
sources:
  - name: shop
    config: {meta: {role: crm, time_zone: UTC, date_order: DMY}}
    tables:
      - name: people
        config: {meta: {contract: {delivery: snapshot, path: "*.csv", format: csv,
            natural_key: [id]}}}
        columns:
          - {name: id, config: {meta: {required: true}}}
          - {name: email, config: {meta: {required: true, personal_data: identifier}}}
      - name: visits
        config: {meta: {contract: {delivery: delta, path: "*.csv", format: csv,
            natural_key: [id], event_time: visited_at}}}
        columns:
          - {name: id, config: {meta: {required: true}}}
          - {name: visited_at, config: {meta: {required: true}}}
          - {name: page, config: {meta: {required: true}}}
      - name: changes
        config: {meta: {contract: {delivery: delta, path: "*.csv", format: csv,
            natural_key: [id], state_key: [saved_at], event_time: saved_at,
            required: false}}}
        columns:
          - {name: id, config: {meta: {required: true}}}
          - {name: saved_at, config: {meta: {required: true}}}
      - name: tickets
        config: {meta: {contract: {delivery: delta, path: "*.json", format: json,
            record_path: tickets, natural_key: [id], event_time: updated_at}}}
        columns:
          - {name: id, config: {meta: {required: true}}}
          - {name: updated_at}
"""

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class GateWorld:
    """Sends exports and looks at what became of the loads."""

    settings: Settings
    connection: psycopg.Connection
    contracts: Mapping[str, FeedContract]

    def send(
        self,
        feed: str,
        batch_date: date,
        rows: Sequence[Row],
        *,
        broken_rows: int = 0,
        name: str | None = None,
    ) -> int:
        """Export rows of ``shop.<feed>`` and load them; returns the load's id.

        A broken row has one field too many.
        """
        folder = (
            Path(self.settings.landing_url) / "shop" / feed / batch_date.isoformat()
        )
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        contract = self.contracts[f"shop.{feed}"]
        if feed == "tickets":
            content = json.dumps({"tickets": rows})
            (folder / "page_0001.json").write_text(content)
        else:
            names = list(rows[0] if rows else contract.column_names)
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([row[name] for name in names] for row in rows)
            writer.writerows([["x"] * (len(names) + 1)] * broken_rows)
            (folder / (name or f"{feed}.csv")).write_text(text.getvalue())
        landing = Landing(self.settings.landing_url)
        result = load_feed(self.connection, landing, contract, batch_date, "test")
        self.connection.commit()
        assert result is not None
        return result.load_id

    def read_status(self, load_id: int) -> tuple[str, str | None]:
        """Read the status of a load and why it is held."""
        row = self.connection.execute(
            "select status, held_reason from audit.loads where load_id = %s", [load_id]
        ).fetchone()
        self.connection.commit()
        assert row is not None
        return row[0], row[1]

    def read_profile(self, load_id: int) -> dict[str, object]:
        """Read the profile of a load."""
        row = self.connection.execute(
            "select to_jsonb(p) from audit.load_profiles as p where load_id = %s",
            [load_id],
        ).fetchone()
        self.connection.commit()
        assert row is not None
        profile: dict[str, object] = row[0]
        return profile

    def execute(self, statement: str, *values: object) -> None:
        """Run a statement for good."""
        self.connection.execute(statement, values)  # type: ignore[arg-type]
        self.connection.commit()


def open_gate_world(settings: Settings, folder: Path) -> GateWorld:
    """Make the three feeds and their empty tables; close its connection after use."""
    staging = folder / "dbt_project" / "models" / "staging" / "shop"
    staging.mkdir(parents=True)
    (staging / "_shop__sources.yml").write_text(SOURCES)
    contracts = read_contracts(folder)
    with connect(settings) as owner:
        migrate(owner)
    connection = connect(settings, "loader")
    create_raw_tables(connection, contracts.values())
    connection.commit()
    return GateWorld(replace(settings, project_folder=folder), connection, contracts)


def make_people(count: int, change: str = "") -> list[Row]:
    """People with unique ids; `change` makes the list another one."""
    return [
        {"id": str(number), "email": f"{number}{change}@example.org"}
        for number in range(count)
    ]


def make_visits(count: int, day: date, page: str | None = "/price") -> list[Row]:
    """Visits of one local day, at noon UTC."""
    return [
        {"id": f"{day:%m%d}-{number}", "visited_at": f"{day} 12:00:00", "page": page}
        for number in range(count)
    ]


def days_before(days: int, last: date = NIGHT) -> list[date]:
    """The nights before a night, oldest first."""
    return [last - timedelta(days=back) for back in range(days, 0, -1)]
