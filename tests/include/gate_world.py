"""A small warehouse with three feeds, to plant good and bad loads in.

The feeds stand for the three shapes of raw tables: ``shop.people`` (snapshot, columns),
``shop.visits`` (delta, columns), ``shop.tickets`` (delta, records).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from include.audit import migrate
from include.settings import Settings

SOURCES = """
version: 2
sources:
  - name: shop
    config: {meta: {role: crm, time_zone: UTC}}
    tables:
      - name: people
        config: {meta: {contract: {delivery: snapshot, path: "*.csv", format: csv,
            natural_key: [id]}}}
        columns:
          - {name: id, config: {meta: {header: Id, required: true}}}
          - {name: email, config: {meta: {header: Email, required: true}}}
      - name: visits
        config: {meta: {contract: {delivery: delta, path: "*.csv", format: csv,
            natural_key: [id], event_time: visited_at}}}
        columns:
          - {name: id, config: {meta: {header: Id, required: true}}}
          - {name: visited_at, config: {meta: {header: Visited, required: true}}}
          - {name: page, config: {meta: {header: Page, required: true}}}
      - name: tickets
        config: {meta: {contract: {delivery: delta, path: "*.json", format: json,
            record_path: tickets, natural_key: [id], event_time: updated_at}}}
        columns:
          - {name: id, config: {meta: {required: true}}}
          - {name: updated_at}
"""

TABLES = """
create schema raw_shop;
create table raw_shop.people (
    _row_id bigint generated always as identity, _row_hash uuid unique,
    id text, email text, _extra jsonb, _load_id bigint
);
create table raw_shop.people__snapshots (
    _load_id bigint, _row_id bigint, _file_no integer, _row_number bigint
);
create table raw_shop.visits (
    id text, visited_at text, page text, _extra jsonb,
    _load_id bigint, _file_no integer, _row_number bigint
);
create table raw_shop.tickets (
    record jsonb, _file_stem text, _load_id bigint, _file_no integer, _row_number bigint
);
"""

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class GateWorld:
    """Plants loads; `add_load` returns the load's id."""

    settings: Settings
    connection: psycopg.Connection

    def add_load(
        self,
        feed: str,
        batch_date: date,
        rows: Sequence[Row],
        *,
        rejected: int = 0,
        status: str = "loaded",
        undeclared: Sequence[str] = (),
    ) -> int:
        """Put rows into the raw table of ``shop.<feed>`` as one load."""
        content = json.dumps([dict(row) for row in rows])
        inserted = self.connection.execute(
            "insert into audit.loads (feed, batch_date, status, content_hash,"
            " contract_hash, rows_in_file, rows_loaded, rows_rejected, run_id,"
            " loaded_at) values (%s, %s, %s, %s, 'c', %s, %s, %s, 'test',"
            " clock_timestamp()) returning load_id",
            [
                f"shop.{feed}",
                batch_date,
                status,
                hashlib.sha256(content.encode()).hexdigest(),
                len(rows) + rejected,
                len(rows),
                rejected,
            ],
        ).fetchone()
        assert inserted is not None
        load_id: int = inserted[0]
        if feed == "people":
            self._add_people(load_id, rows)
        else:
            self._add_delta(feed, load_id, rows)
        for name in undeclared:
            self.connection.execute(
                "insert into audit.drift values (%s, %s, %s)",
                [load_id, name, len(rows)],
            )
        self.connection.commit()
        return load_id

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

    def _add_people(self, load_id: int, rows: Sequence[Row]) -> None:
        with self.connection.cursor() as cursor:
            cursor.executemany(
                "insert into raw_shop.people (_row_hash, id, email, _load_id) values"
                " (md5(%(id)s || '|' || coalesce(%(email)s, ''))::uuid, %(id)s,"
                " %(email)s, %(load)s) on conflict do nothing",
                [{**row, "load": load_id} for row in rows],
            )
            cursor.executemany(
                "insert into raw_shop.people__snapshots select %(load)s, _row_id, 1,"
                " %(number)s from raw_shop.people where _row_hash ="
                " md5(%(id)s || '|' || coalesce(%(email)s, ''))::uuid",
                [
                    {**row, "load": load_id, "number": number}
                    for number, row in enumerate(rows, start=1)
                ],
            )

    def _add_delta(self, feed: str, load_id: int, rows: Sequence[Row]) -> None:
        if not rows:
            return
        columns = ["record"] if feed == "tickets" else list(rows[0])
        statement = sql.SQL("copy {} ({}, _load_id, _file_no, _row_number) from stdin")
        with (
            self.connection.cursor() as cursor,
            cursor.copy(
                statement.format(
                    sql.Identifier("raw_shop", feed),
                    sql.SQL(", ").join(map(sql.Identifier, columns)),
                )
            ) as copy,
        ):
            for number, row in enumerate(rows, start=1):
                values = [Jsonb(dict(row))] if feed == "tickets" else row.values()
                copy.write_row((*values, load_id, 1, number))


def open_gate_world(settings: Settings, folder: Path) -> GateWorld:
    """Make the three feeds and their empty tables; close its connection after use."""
    staging = folder / "dbt_project" / "models" / "staging" / "shop"
    staging.mkdir(parents=True)
    (staging / "_shop__sources.yml").write_text(SOURCES)
    connection = psycopg.connect(settings.database_url)
    migrate(connection)
    connection.execute(TABLES)
    connection.commit()
    return GateWorld(replace(settings, project_folder=folder), connection)


def make_people(count: int, change: str = "") -> list[Row]:
    """People with unique ids; `change` makes the list another one."""
    return [
        {"id": str(number), "email": f"{number}{change}@example.org"}
        for number in range(count)
    ]


def make_visits(count: int, day: date, first: int = 0) -> list[Row]:
    """Visits of one local day, at noon UTC."""
    return [
        {
            "id": f"{day:%m%d}-{first + number}",
            "visited_at": f"{day} 12:00:00",
            "page": "/price",
        }
        for number in range(count)
    ]
