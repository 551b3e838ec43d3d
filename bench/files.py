"""The files that the load benchmarks read: seeded, written once into build/bench."""

import io
import json
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import openpyxl

from include.contracts import FeedContract

CSV_ROWS = 1_000_000
JSON_ROWS = 100_000
JSON_PAGE_ROWS = 1_000
XLSX_ROWS = 50_000
SNAPSHOT_ROWS = 300_000
BATCH_DATE = date(2026, 11, 20)
SEED = 20261120

COLUMNS = (
    "ticket_id",
    "requester_id",
    "assignee_id",
    "organization_id",
    "created_at",
    "updated_at",
    "status",
    "priority",
    "channel",
    "subject",
    "description",
    "tags",
    "satisfaction",
)
TEXT = """
pedido entrega atraso produto quebrado reembolso factura paquete garantía cuenta comandă
livrare întârziere retur plată order parcel refund invoice account login não recebi meu
pedido llegó roto vreau banii înapoi please help again thanks
"""
WORDS = TEXT.split()
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent", "")
CHANNELS = ("web", "email", "chat", "whatsapp", "phone", "app")


def make_contract(file_format: str, feed: str, delivery: str = "delta") -> FeedContract:
    """Return the contract of a benchmark feed."""
    return FeedContract.model_validate(
        {
            "system": "bench",
            "feed": feed,
            "role": "ticket",
            "delivery": delivery,
            "path": f"*.{file_format}",
            "format": file_format,
            "record_path": "tickets" if file_format == "json" else None,
            "natural_key": ["ticket_id"],
            "columns": [
                {"name": name, "headers": [name], "required": True} for name in COLUMNS
            ],
        }
    )


def write_csv(landing: Path) -> Path:
    """Write the clean CSV: a million rows, 13 columns, about 300 MB."""

    def write(path: Path) -> None:
        source = random.Random(SEED)
        texts = _make_texts(source)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(",".join(COLUMNS) + "\n")
            for start in range(0, CSV_ROWS, 10_000):
                block = io.StringIO()
                for number in range(start, start + 10_000):
                    row = _make_row(source, texts, number)
                    # A third of the descriptions need quotes, as in real exports.
                    if number % 3 == 0:
                        row[10] = f'"{row[10]}, {row[9]}"'
                    block.write(",".join(row) + "\n")
                file.write(block.getvalue())

    return _write_once(landing, "tickets_csv", "tickets.csv", write)


def write_json_pages(landing: Path) -> Path:
    """Write JSON pages of a thousand tickets each; return their folder."""

    def write(path: Path) -> None:
        source = random.Random(SEED)
        texts = _make_texts(source)
        path.mkdir()
        for page in range(JSON_ROWS // JSON_PAGE_ROWS):
            tickets = []
            for number in range(page * JSON_PAGE_ROWS, (page + 1) * JSON_PAGE_ROWS):
                row = _make_row(source, texts, number)
                ticket: dict[str, object] = dict(zip(COLUMNS, row, strict=True))
                ticket["tags"] = row[11].split()
                ticket["custom_fields"] = [
                    {"id": 360_000_000_000 + field, "value": source.choice(WORDS)}
                    for field in range(8)
                ]
                ticket["via"] = {"channel": row[8], "source": {"from": {}, "to": {}}}
                tickets.append(ticket)
            document = {"tickets": tickets, "count": len(tickets), "next_page": None}
            text = json.dumps(document, ensure_ascii=False)
            (path / f"tickets__{page:05}.json").write_text(text, encoding="utf-8")

    return _write_once(landing, "tickets_json", "", write)


def write_xlsx(landing: Path) -> Path:
    """Write a workbook of 50,000 rows and 13 columns."""

    def write(path: Path) -> None:
        source = random.Random(SEED)
        texts = _make_texts(source)
        workbook = openpyxl.Workbook(write_only=True)
        sheet = workbook.create_sheet()
        sheet.append(COLUMNS)
        for number in range(XLSX_ROWS):
            sheet.append(_make_row(source, texts, number))
        workbook.save(path)

    return _write_once(landing, "tickets_xlsx", "tickets.xlsx", write)


def write_snapshots(landing: Path) -> None:
    """Write a list of 300,000 rows for two nights; one row in a thousand changes."""

    def write_night(night: int) -> Callable[[Path], None]:
        def write(path: Path) -> None:
            source = random.Random(SEED)
            texts = _make_texts(source)
            with path.open("w", encoding="utf-8", newline="") as file:
                file.write(",".join(COLUMNS) + "\n")
                for number in range(SNAPSHOT_ROWS):
                    row = _make_row(source, texts, number)
                    if night and number % 1000 == 0:
                        row[-1] = "bad"
                    file.write(",".join(row) + "\n")

        return write

    for night in (0, 1):
        day = BATCH_DATE + timedelta(days=night)
        _write_once(landing, "contacts", "contacts.csv", write_night(night), day)


def link_to_next_day(path: Path) -> None:
    """Give the next batch date the same file."""
    next_day = BATCH_DATE + timedelta(days=1)
    link = path.parent.with_name(next_day.isoformat()) / path.name
    link.parent.mkdir(exist_ok=True)
    if not link.exists():
        link.hardlink_to(path)


def _write_once(
    landing: Path,
    feed: str,
    name: str,
    write: Callable[[Path], None],
    day: date = BATCH_DATE,
) -> Path:
    folder = landing / "bench" / feed / day.isoformat()
    path = folder / name if name else folder
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial{path.suffix}")
        write(partial)
        partial.rename(path)
    return path


def _make_texts(source: random.Random) -> list[str]:
    return [" ".join(source.choices(WORDS, k=18)) for _ in range(5_000)]


def _make_row(source: random.Random, texts: list[str], number: int) -> list[str]:
    draw = source.random()
    pick = int(draw * 1_000_003)
    day = 1 + pick % 28
    return [
        str(100_000_000 + number),
        str(6_130_000_000_000 + pick * 977),
        str(6_130_500_000_000 + pick % 120),
        str(6_130_900_000_000 + pick % 4_000),
        f"2026-{1 + pick % 11:02}-{day:02}T{pick % 24:02}:{pick % 60:02}:07Z",
        f"2026-{1 + pick % 11:02}-{day:02}T{pick % 24:02}:{pick % 60:02}:59Z",
        STATUSES[pick % 6],
        PRIORITIES[pick % 5],
        CHANNELS[pick % 6],
        texts[pick % 5_000][:48].rstrip(),
        texts[(pick * 7) % 5_000],
        f"{WORDS[pick % 20]} {WORDS[pick % 30]}",
        "" if pick % 4 else "good",
    ]
