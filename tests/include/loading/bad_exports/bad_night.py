"""A night with one bad feed and one good one, and what must hold after it."""

import json
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from include.settings import Settings
from tests.include.loading.bad_exports.peak_memory import load_and_measure, load_night
from tests.include.loading.load_world import NIGHT

GOOD = "id,name,note\n1,Ana,\n2,Ion,x\n"
HEADER = "id,name,note\n"


@dataclass(frozen=True)
class BadExport:
    """One malformed export of shop.orders, and what is to be said of it.

    `content` is what lies in the file `name`, or a function that puts files into the
    folder it is given. A refused export has words of its sentence in `refused`; any
    other has the ids that are loaded and, by row number, the reasons of the rejects.
    """

    case: str
    content: bytes | str | Callable[[Path], None]
    name: str = "orders.csv"
    declared: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    loaded: tuple[str, ...] = ()
    rejected: Mapping[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.case.replace(" ", "_")


class BadNight:
    """A database, a landing folder and a project of two feeds, used again and again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = replace(
            settings, project_folder=Path(settings.landing_url).parent / "project"
        )
        self.landing = Path(settings.landing_url)
        self.connection = psycopg.connect(settings.database_url, autocommit=True)

    def check(self, bad: BadExport, elsewhere: Executor | None = None) -> float:
        """Load the export beside a good one; check all that must hold.

        Loaded in a process of `elsewhere`, it returns by how many MB that one grew.
        """
        self.arrange(bad)
        grown = 0.0
        if elsewhere is None:
            sentence = load_night(self.settings)
        else:
            work = elsewhere.submit(load_and_measure, self.settings)
            sentence, grown = work.result()
        self._check_outcome(bad, sentence)
        return grown

    def _check_outcome(self, bad: BadExport, sentence: str | None) -> None:
        assert self._ids("visits", "id") == ("1", "2"), "the good feed was harmed"
        failures = self._rows("select feed, message from audit.feed_failures")
        rejects = self._rows(
            "select row_number, reason from audit.rejects order by row_number"
        )
        loads = self._rows(
            "select rows_in_file, rows_loaded, rows_rejected from audit.loads"
            " where feed = 'shop.orders'"
        )
        key = "record ->> 'id'" if bad.declared.get("storage") == "record" else "id"
        ids = self._ids("orders", key)
        if bad.refused:
            assert bad.refused in (sentence or "nothing was said")
            assert str(sentence).startswith(f"shop.orders of {NIGHT}")
            assert str(sentence).endswith(".")
            assert str(sentence).isprintable()
            assert len(str(sentence)) < 1_500
            assert failures == [("shop.orders", sentence)]
            assert (loads, ids, rejects) == ([], (), [])
            return
        assert sentence is None
        assert failures == []
        assert ids == bad.loaded
        assert [row for row, _ in rejects] == list(bad.rejected)
        for row, reason in rejects:
            assert bad.rejected[row] in reason
        assert loads == [
            (len(ids) + len(rejects), len(bad.loaded), len(bad.rejected)),
        ]

    def arrange(self, bad: BadExport) -> None:
        """Put an export and a good one into the landing folder; forget all before."""
        self.connection.execute("drop schema if exists raw_shop cascade")
        self.connection.execute("delete from audit.feed_failures")
        self.connection.execute("delete from audit.loads")
        shutil.rmtree(self.landing)
        orders = self.landing / "shop" / "orders" / NIGHT.isoformat()
        visits = self.landing / "shop" / "visits" / NIGHT.isoformat()
        orders.mkdir(parents=True)
        visits.mkdir(parents=True)
        (visits / "visits.csv").write_text(GOOD)
        if callable(bad.content):
            bad.content(orders)
        else:
            content = bad.content
            data = content.encode() if isinstance(content, str) else content
            (orders / bad.name).write_bytes(data)
        declaration = {
            "name": "shop",
            "config": {"meta": {"role": "crm"}},
            "tables": [_declare("orders", bad.declared), _declare("visits", {})],
        }
        folder = self.settings.project_folder / "dbt_project/models/staging/shop"
        folder.mkdir(parents=True, exist_ok=True)
        # JSON is YAML.
        text = json.dumps({"sources": [declaration]})
        (folder / "_shop__sources.yml").write_text(text)

    def _ids(self, feed: str, key: str) -> tuple[str, ...]:
        if self._rows(f"select to_regclass('raw_shop.{feed}')") == [(None,)]:
            return ()
        rows = self._rows(
            f"select {key} from raw_shop.{feed} order by _file_no, _row_number"
        )
        return tuple(row[0] for row in rows)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()


def _declare(feed: str, declared: Mapping[str, Any]) -> dict[str, object]:
    contract = {
        "delivery": "delta",
        "path": "*",
        "format": "csv",
        "natural_key": ["id"],
        **declared,
    }
    columns = [
        {"name": name, "config": {"meta": {"required": name == "id"}}}
        for name in ("id", "name", "note")
    ]
    meta = {"meta": {"contract": contract}}
    return {"name": feed, "config": meta, "columns": columns}
