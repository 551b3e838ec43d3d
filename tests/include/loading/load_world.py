"""A warehouse with an audit schema, a landing folder, and contracts of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from include.audit import accept_load, migrate
from include.contracts import FeedContract
from include.loading.file_copy import Reader
from include.loading.landing import Landing
from include.loading.loader import LoadResult, load_feed
from include.settings import Settings, connect

NIGHT = date(2026, 11, 20)


def make_contract(
    columns: Sequence[str] = ("id", "name", "note"),
    required: Sequence[str] = ("id",),
    headers: Mapping[str, Sequence[str]] | None = None,
    **declared: Any,
) -> FeedContract:
    """Make a contract of shop.orders: a CSV delta with the columns id, name, note."""
    return FeedContract.model_validate(
        {
            "system": "shop",
            "feed": "orders",
            "role": "crm",
            "delivery": "delta",
            "path": "*",
            "format": "csv",
            "natural_key": ["id"],
            "columns": [
                {
                    "name": name,
                    "headers": list((headers or {}).get(name, [name])),
                    "required": name in required,
                }
                for name in columns
            ],
            **declared,
        }
    )


@dataclass
class LoadWorld:
    """Puts files into the landing folder, loads them, and looks at what came of it."""

    connection: psycopg.Connection
    landing_folder: Path

    @property
    def landing(self) -> Landing:
        return Landing(str(self.landing_folder))

    def put(
        self,
        content: bytes | str,
        name: str = "orders.csv",
        night: date = NIGHT,
        contract: FeedContract | None = None,
    ) -> Path:
        """Write a file of a feed (shop.orders) for a night."""
        feed = contract.name.replace(".", "/") if contract else "shop/orders"
        path = self.landing_folder / feed / night.isoformat() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(
        self,
        contract: FeedContract | None = None,
        night: date = NIGHT,
        reader: Reader = "fast",
    ) -> LoadResult:
        """Load what a feed sent for a night."""
        result = load_feed(
            self.connection,
            self.landing,
            contract or make_contract(),
            night,
            "test",
            reader,
        )
        assert result is not None
        return result

    def accept(self, result: LoadResult) -> None:
        """Put a load in force, as gate 1 does."""
        accept_load(self.connection, result.load_id)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        rows = self.connection.execute(sql.SQL(query), values).fetchall()  # type: ignore[arg-type]
        self.connection.rollback()
        return rows

    def raw_rows(self, columns: str = "id, name, note") -> list[tuple[Any, ...]]:
        """Return columns of shop.orders in the order of load, file and row."""
        return self.rows(
            f"select {columns} from raw_shop.orders"
            " order by _load_id, _file_no, _row_number"
        )

    def rejects(self) -> list[tuple[int, str, str]]:
        """Return row number, reason and raw text of every reject."""
        return self.rows(
            "select row_number, reason, raw_text from audit.rejects order by reject_id"
        )

    def readers(self) -> list[str]:
        """Return which path each file took."""
        rows = self.rows(
            "select reader from audit.load_files order by load_id, file_no"
        )
        return [reader for (reader,) in rows]


def open_load_world(settings: Settings) -> LoadWorld:
    """Migrate an empty database and connect to it as its loader."""
    with connect(settings) as owner:
        migrate(owner)
    connection = connect(settings, "loader")
    return LoadWorld(connection, Path(settings.landing_url))
