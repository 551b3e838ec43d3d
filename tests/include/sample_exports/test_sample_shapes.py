"""The files of a sample against the contracts that the loader reads."""

import csv
import json
from pathlib import Path

import pytest

from include.contracts import read_contracts
from include.sample_exports import SampleParameters
from include.settings import PROJECT_FOLDER
from tests.include.sample_exports.plain_reading import Exports

FEEDS = {
    name: feed
    for name, feed in read_contracts(PROJECT_FOLDER).items()
    if feed.system in ("hubspot", "qualtrics", "zendesk")
}
CSV_FEEDS = [name for name, feed in FEEDS.items() if "csv" in feed.formats]
JSON_FEEDS = [name for name in FEEDS if name not in CSV_FEEDS]

SCORES = {
    column.name
    for column in FEEDS["qualtrics.responses"].columns
    if column.number is not None
}


def list_files(landing: Path, feed: str) -> list[Path]:
    return sorted((landing / feed.replace(".", "/")).glob("*/*"))


def read_headers(feed: str) -> list[str]:
    return [column.headers[0] for column in FEEDS[feed].columns]


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_has_a_file_every_night(
    feed: str, tiny: SampleParameters, tiny_landing: Path
) -> None:
    nights = sorted(
        path.name for path in (tiny_landing / feed.replace(".", "/")).iterdir()
    )
    assert len(nights) == tiny.nights
    assert nights[0] == tiny.first_night.isoformat()
    assert nights[-1] == tiny.last_night.isoformat()
    for night in nights:
        folder = tiny_landing / feed.replace(".", "/") / night
        files = [path.name for path in folder.iterdir()]
        assert files
        assert all(FEEDS[feed].wants(file) for file in files)


@pytest.mark.parametrize(
    "feed", [feed for feed in CSV_FEEDS if "responses" not in feed]
)
def test_csv_headers_are_the_declared_ones(feed: str, tiny_landing: Path) -> None:
    for path in list_files(tiny_landing, feed):
        with path.open(encoding="utf-8", newline="") as text:
            header = next(csv.reader(text))
        assert header == read_headers(feed), path


def test_survey_files_have_three_header_rows(tiny_landing: Path) -> None:
    for path in list_files(tiny_landing, "qualtrics.responses"):
        with path.open(encoding="utf-8", newline="") as text:
            names, texts, imports, *answers = list(csv.reader(text))
        assert len(names) == len(set(names)) == len(texts) == len(imports)
        assert set(read_headers("qualtrics.responses")) - SCORES <= set(names), path
        assert SCORES & set(names), "a survey asks its own questions"
        by_name = dict(zip(names, map(json.loads, imports), strict=True))
        assert by_name["RecordedDate"] == {"ImportId": "recordedDate", "timeZone": "Z"}
        assert by_name["ResponseId"] == {"ImportId": "_recordId"}
        assert all(len(answer) == len(names) for answer in answers)


def test_each_survey_asks_its_own_questions(tiny_landing: Path) -> None:
    asked = {}
    for path in list_files(tiny_landing, "qualtrics.responses"):
        with path.open(encoding="utf-8", newline="") as text:
            names = next(csv.reader(text))
        survey = path.name.split("__")[0]
        questions = [name for name in names if name.startswith("Q_")]
        assert asked.setdefault(survey, questions) == questions
    drivers = ["Q_UTILITY", "Q_EASE", "Q_PLEASURE", "Q_SPEED", "Q_PRICE"]
    assert asked == {
        "SV_NPS_RELATIONAL": ["Q_NPS", *drivers, "Q_COMMENT"],
        "SV_NPS_PURCHASE": ["Q_NPS", "Q_COMMENT"],
        "SV_CSAT_DELIVERY": ["Q_CSAT", "Q_COMMENT"],
        "SV_CSAT_SUPPORT": ["Q_CSAT", "Q_CES", "Q_COMMENT"],
        "SV_CSAT_SITE": ["Q_CSAT", "Q_COMMENT"],
        "SV_CSAT_STORE": ["Q_CSAT", "Q_COMMENT"],
        "SV_CES_USE": ["Q_CES", "Q_COMMENT"],
        "SV_NPS_LOYALTY": ["Q_NPS", "Q_COMMENT"],
        "SV_CES_CONTACT": ["Q_CES", "Q_COMMENT"],
        "SV_CSAT_COMPLAINT": ["Q_CSAT", "Q_COMMENT"],
    }


@pytest.mark.parametrize("feed", JSON_FEEDS)
def test_json_pages_hold_every_declared_column(feed: str, tiny_landing: Path) -> None:
    record_path = FEEDS[feed].record_path
    declared = {column.name for column in FEEDS[feed].columns}
    records = 0
    for path in list_files(tiny_landing, feed):
        text = path.read_text(encoding="utf-8")
        page = json.loads(text)
        # Compact, as the vendor writes it.
        assert text == json.dumps(page, ensure_ascii=False, separators=(",", ":"))
        assert page["count"] == len(page[record_path])
        assert page["end_of_stream"] == (page["next_page"] is None)
        for record in page[record_path]:
            assert declared <= record.keys()
            records += 1
    assert records > 0


def test_tickets_and_users_have_the_keys_of_real_ones(
    shared_data: Path, tiny_exports: Exports
) -> None:
    # Keys of single real records only; their text is not ours to copy.
    pairs = (("tickets", tiny_exports.tickets), ("users", tiny_exports.users))
    for name, written in pairs:
        folder = shared_data / "ticket_zendesk" / f"incremental_{name}"
        page = json.loads(min(folder.glob("*.json")).read_text(encoding="utf-8"))
        real = {key: value for key, value in page[name][0].items() if value is not None}
        ours = written[0]
        assert ours.keys() - {"_night"} <= page[name][0].keys()
        for key in real.keys() & ours.keys():
            if ours[key] is not None and key not in ("fields", "custom_fields", "tags"):
                assert type(ours[key]) is type(real[key]), key


def test_times_of_a_night_lie_within_its_local_day(
    tiny: SampleParameters, tiny_exports: Exports
) -> None:
    """Apart from late rows and corrections, which only ever come later."""
    on_time = 0
    rows = [
        *((row["_night"], row["Activity Date"]) for row in tiny_exports.activities),
        *((row["_night"], row["RecordedDate"]) for row in tiny_exports.responses),
        *((row["_night"], row["Last Modified Date"]) for row in tiny_exports.orders),
        *((row["_night"], row["updated_at"]) for row in tiny_exports.tickets),
    ]
    for night, text in rows:
        day = tiny_exports.local_date(text)
        assert day <= night
        on_time += day == night
    assert 0.9 < on_time / len(rows) < 1


def test_comments_have_accents_quotes_commas_and_line_breaks(
    tiny_exports: Exports,
) -> None:
    comments = [row["Q_COMMENT"] for row in tiny_exports.responses if row["Q_COMMENT"]]
    text = "".join(comments)
    assert len(set(comments)) > 0.7 * len(comments)
    for character in '",\nãéñșț':
        assert character in text, repr(character)
    assert any(ord(character) > 0xFFFF for character in text)


def test_customers_live_in_several_countries_and_languages(
    tiny_exports: Exports,
) -> None:
    countries = {row["Country/Region"] for row in tiny_exports.contacts}
    assert {"Brazil", "Spain", "Romania"} <= countries
    languages = {row["Preferred Language"] for row in tiny_exports.contacts}
    assert languages == {"pt", "es", "ro", "en"}
