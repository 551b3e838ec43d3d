"""A small sample company whose nights are loaded and accepted, and its newest night,
exported again with a fault.

The newest night was accepted once, too: what is planted would replace it.
"""

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include import night
from include.contracts import read_contracts
from include.embedded.postgres import EmbeddedPostgres
from include.gates import check_raw
from include.loading.landing import Landing
from include.loading.loader import load_feed
from include.sample_exports import SampleParameters, write_sample_exports
from include.settings import Settings, connect
from tests.conftest import KEY_SECRET, keep_as_template, open_database
from tests.nights import fetch

COMPANY = SampleParameters(customers=300, nights=29, rows_only=True)
NIGHT = COMPANY.last_night

Record = dict[str, Any]
Change = Callable[[Record], Record | None]


@dataclass(frozen=True)
class Company:
    """A warehouse of its own and the newest exports, as they were."""

    settings: Settings
    exports: Path

    def send(self, feed: str, spoil: "Spoil", workplace: Path) -> int:
        """Spoil a copy of a feed's newest export and load it; return the load's id."""
        system, name = feed.split(".")
        place = Path(system) / name / NIGHT.isoformat()
        shutil.copytree(self.exports / place, workplace / place)
        spoil(workplace / place)
        contract = read_contracts(self.settings.project_folder)[feed]
        with connect(self.settings, "loader") as connection:
            loaded = load_feed(
                connection, Landing(str(workplace)), contract, NIGHT, "again"
            )
        assert loaded is not None
        return loaded.load_id

    def read_status(self, load_id: int) -> tuple[str, str]:
        """Read the status of a load and why it is held."""
        (row,) = fetch(
            self.settings,
            "select status, coalesce(held_reason, '') from audit.loads"
            " where load_id = %s",
            load_id,
        )
        return row[0], row[1]

    def find_in_force(self, feed: str) -> int:
        """Find the load of the newest night that is in force."""
        ((load_id,),) = fetch(
            self.settings,
            "select load_id from audit.loads where feed = %s and batch_date = %s"
            " and status = 'accepted'",
            feed,
            NIGHT,
        )
        return int(load_id)

    def list_broken_rules(self, load_id: int) -> dict[str, tuple[str, str]]:
        """List the rules that a load breaks: severity and what was observed."""
        return {
            rule: (severity, observed)
            for rule, severity, observed in fetch(
                self.settings,
                "select expectation, severity, observed from audit.gate_results"
                " where load_id = %s and not is_met",
                load_id,
            )
        }


@contextmanager
def open_company_template(
    server: EmbeddedPostgres, landing: Path, report: Path
) -> Iterator[str]:
    """Load all nights of the company; yield the database's name."""
    write_sample_exports(landing, COMPANY)
    with open_database(server, template="template1") as url:
        settings = _settings_of(url, landing, report)
        night.prepare(settings)
        for role in night.ROLES:
            night.extract(
                settings, role, COMPANY.first_night, NIGHT, "past", lambda line: None
            )
        assert check_raw(settings, "past").held_loads == []
        # Night by night, indexes and statistics would be there long since.
        night.prepare(settings)
        with connect(settings) as connection:
            connection.execute("analyze")
        yield keep_as_template(server, url)


@contextmanager
def open_company(
    server: EmbeddedPostgres, template: str, exports: Path, report: Path
) -> Iterator[Company]:
    """Copy the warehouse."""
    with open_database(server, template=template) as url:
        yield Company(_settings_of(url, exports, report), exports)


def _settings_of(url: str, landing: Path, report: Path) -> Settings:
    return Settings(
        database_url=url,
        landing_url=str(landing),
        key_secret=KEY_SECRET,
        reporting_time_zone=COMPANY.reporting_time_zone,
        report_folder=report,
    )


# --- How exports are spoilt: each takes the folder of the feed's newest export.

Spoil = Callable[[Path], None]


def read_table(path: Path) -> list[list[str]]:
    """Read all rows of a CSV file, headers included."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write_table(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write them again."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def list_files(folder: Path) -> list[Path]:
    """The files of an export."""
    return sorted(path for path in folder.iterdir() if path.is_file())


def count_headers(path: Path) -> int:
    """Survey answers have two more rows below their names."""
    return 3 if "__responses" in path.name else 1


def change_rows(change: Change) -> Spoil:
    """Change each record of an export; None leaves it out."""

    def spoil(folder: Path) -> None:
        for path in list_files(folder):
            if path.suffix == ".json":
                _change_page(path, change)
            else:
                headers = count_headers(path)
                rows = read_table(path)
                names = rows[0]
                changed = [
                    change(dict(zip(names, row, strict=True))) for row in rows[headers:]
                ]
                kept = [[row[name] for name in names] for row in changed if row]
                write_table(path, [*rows[:headers], *kept])

    return spoil


def _change_page(path: Path, change: Change) -> None:
    page = json.loads(path.read_text())
    (name,) = (name for name, value in page.items() if isinstance(value, list))
    page[name] = [row for record in page[name] if (row := change(record)) is not None]
    path.write_text(json.dumps(page))


def change_values(changes: Mapping[str, Callable[[str], str]]) -> Spoil:
    """Change the filled values of columns."""

    def change(row: Record) -> Record:
        return {
            name: changes[name](str(value)) if name in changes and value else value
            for name, value in row.items()
        }

    return change_rows(change)


def change_text(change: Callable[[str], str]) -> Spoil:
    """Change the text of each file."""

    def spoil(folder: Path) -> None:
        for path in list_files(folder):
            path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    return spoil


def repeat_rows(times: int, change: Callable[[Record, int], Record]) -> Spoil:
    """Send each record several times, changed by its number."""

    def spoil(folder: Path) -> None:
        for path in list_files(folder):
            headers = count_headers(path)
            rows = read_table(path)
            names = rows[0]
            records = [dict(zip(names, row, strict=True)) for row in rows[headers:]]
            repeated = [
                change(record, number) for number in range(times) for record in records
            ]
            write_table(
                path,
                [
                    *rows[:headers],
                    *([row[name] for name in names] for row in repeated),
                ],
            )

    return spoil
