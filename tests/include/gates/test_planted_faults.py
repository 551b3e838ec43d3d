"""Faults in the newest night of a sample company: each is held or told by gate 1.

What is held leaves the load accepted before in force, and so the marts as they are.
The table of all of them stands in docs/reliability.md.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from expectations.raw import RULES_BY_NAME
from expectations.raw_contents import CONTENT_RULES
from include.embedded.postgres import EmbeddedPostgres
from include.gates import check_raw
from include.sample_exports import SampleParameters, write_sample_exports
from tests.include.gates.company import (
    NIGHT,
    Record,
    Spoil,
    change_rows,
    change_text,
    change_values,
    count_headers,
    list_files,
    open_company,
    open_company_template,
    read_table,
    repeat_rows,
    write_table,
)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def company_template(
    postgres_server: EmbeddedPostgres,
    exports: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    report = tmp_path_factory.mktemp("report")
    with open_company_template(postgres_server, exports, report) as name:
        yield name


SCORES = ("Q_NPS", "Q_CSAT", "Q_CES")
Decision = Literal["held", "warning"]


@dataclass(frozen=True)
class Fault:
    """A feed, how its newest export is spoilt, what becomes of it, and why."""

    feed: str
    spoil: Spoil
    decision: Decision
    rule: str
    words: str


# --- The ways to spoil that need more than a line.


def shift_columns(folder: Path) -> None:
    """The second column is gone from the rows, not from the header."""
    for path in list_files(folder):
        header, *rows = read_table(path)
        write_table(path, [header, *([row[0], *row[2:], ""] for row in rows)])


def cut_in_half(folder: Path) -> None:
    for path in list_files(folder):
        rows = read_table(path)
        write_table(path, rows[: len(rows) // 2])


def empty(folder: Path) -> None:
    for path in list_files(folder):
        write_table(path, read_table(path)[:1])


def send_an_older_night(folder: Path) -> None:
    """The files of the week before, saved again: not byte for byte the same."""
    for path in list_files(folder):
        text = path.read_text()
        for back in range(3):
            day = NIGHT - timedelta(days=back)
            text = text.replace(str(day), str(day - timedelta(days=7)))
        path.write_text(text)


def repeat_the_header(folder: Path) -> None:
    (path,) = list_files(folder)
    header, *rows = read_table(path)
    write_table(path, [header, *rows[:5], header, *rows[5:]])


def remove_a_survey(folder: Path) -> None:
    (folder / "SV_NPS_PURCHASE__responses.csv").unlink()


def mix_up_surveys(folder: Path) -> None:
    names = [folder / f"SV_{name}__responses.csv" for name in ("CSAT_SITE", "CES_USE")]
    first, second = (path.read_bytes() for path in names)
    names[0].write_bytes(second)
    names[1].write_bytes(first)


def send_another_company(folder: Path) -> None:
    """The list of a company with the same numbers and other people."""
    other = SampleParameters(customers=300, nights=7, seed=99, rows_only=True)
    landing = folder.parents[3] / "other company"
    write_sample_exports(landing, other)
    (source,) = (landing / "hubspot" / "contacts" / str(NIGHT)).iterdir()
    for path in list_files(folder):
        path.write_bytes(source.read_bytes())


def send_pages_twice(folder: Path) -> None:
    for path in list_files(folder):
        (folder / f"copy_{path.name}").write_bytes(path.read_bytes() + b"\n")


def send_twice(folder: Path) -> None:
    for path in list_files(folder):
        (folder / f"copy_{path.name}").write_bytes(path.read_bytes())


def move_time(hours: int, *names: str) -> Spoil:
    def move(text: str) -> str:
        moved = datetime.fromisoformat(text) + timedelta(hours=hours)
        return (
            moved.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            if text.endswith("Z")
            else str(moved)
        )

    return change_values(dict.fromkeys(names, move))


def keep(share: float, name: str, *values: str) -> Spoil:
    """Keep a part of the rows that have one of the values."""
    chance = random.Random(1)

    def change(row: Record) -> Record | None:
        is_kept = row[name] not in values or chance.random() < share
        return row if is_kept else None

    return change_rows(change)


def every(share: float) -> Spoil:
    chance = random.Random(2)
    return change_rows(lambda row: row if chance.random() < share else None)


def swap_day_and_month(text: str) -> str:
    return f"{text[:4]}-{text[8:10]}-{text[5:7]}{text[10:]}"


def set_value(name: str, value: object) -> Spoil:
    return change_rows(lambda row: {**row, name: value})


def break_encoding(text: str) -> str:
    return text.encode().decode("latin-1")


def renumber(offset: int, *names: str) -> Spoil:
    return change_values(dict.fromkeys(names, lambda value: str(int(value) + offset)))


def renumber_tickets(folder: Path) -> None:
    def change(row: Record) -> Record:
        return {**row, "requester_id": int(row["requester_id"]) + 5_000_000}

    change_rows(change)(folder)


FAULTS = {
    "satisfaction comes as the number of the answer, from 11 on": Fault(
        "qualtrics.responses",
        change_values({"Q_CSAT": lambda score: str(int(score) + 10)}),
        "held",
        "numbers lie within their bounds",
        "values of Q_CSAT lie outside the contract's bounds",
    ),
    "recommendation comes on a scale to 100": Fault(
        "qualtrics.responses",
        change_values({"Q_NPS": lambda score: str(int(score) * 10)}),
        "held",
        "numbers lie within their bounds",
        "look for another scale",
    ),
    "all answers have the same scores": Fault(
        "qualtrics.responses",
        change_values(
            {"Q_NPS": lambda _: "7", "Q_CSAT": lambda _: "2", "Q_CES": lambda _: "3"}
        ),
        "held",
        "values are not all the same",
        "expected: the usual variety",
    ),
    "the satisfaction scale is turned round": Fault(
        "qualtrics.responses",
        change_values({"Q_CSAT": lambda score: str(6 - int(score))}),
        "warning",
        "scores are about as usual",
        "Q_CSAT is",
    ),
    "scores are written as words": Fault(
        "qualtrics.responses",
        change_values(dict.fromkeys(SCORES, lambda score: f"{score} - good")),
        "held",
        "numbers can be read",
        "are no numbers such as 1234.50",
    ),
    "scores have a decimal comma": Fault(
        "qualtrics.responses",
        change_values(dict.fromkeys(SCORES, lambda score: f"{score},0")),
        "held",
        "numbers can be read",
        "look for decimal commas",
    ),
    "a tenth of the usual activities comes": Fault(
        "hubspot.activities",
        every(0.1),
        "warning",
        "the volume is about as usual",
        "rows came where",
    ),
    "ten times the usual activities come": Fault(
        "hubspot.activities",
        repeat_rows(
            10, lambda row, number: {**row, "Record ID": f"{row['Record ID']}{number}"}
        ),
        "warning",
        "the volume is about as usual",
        "a quarter to four times as many",
    ),
    "next to nothing comes of the activities": Fault(
        "hubspot.activities",
        every(0.005),
        "held",
        "a busy weekday is not all but empty",
        "come on such a day",
    ),
    "an older export lies under the new date, saved anew": Fault(
        "hubspot.activities",
        send_an_older_night,
        "held",
        "a delta brings its own day",
        "rows are of earlier days, from 2026-11-1",
    ),
    "the columns of the contacts are shifted": Fault(
        "hubspot.contacts",
        shift_columns,
        "held",
        "most values are listed",
        "look for shifted columns",
    ),
    "the columns of the orders are shifted": Fault(
        "hubspot.orders",
        shift_columns,
        "held",
        "most values are listed",
        "are not in the contract's list",
    ),
    "day and month are swapped": Fault(
        "hubspot.activities",
        change_values({"Activity Date": swap_day_and_month}),
        "held",
        "times can be read",
        "rows have no readable time",
    ),
    "the clock is three hours ahead": Fault(
        "hubspot.activities",
        move_time(3, "Activity Date"),
        "held",
        "hardly any row lies in the future",
        "are dated after the batch date",
    ),
    "the clock is three hours behind": Fault(
        "hubspot.activities",
        move_time(-3, "Activity Date"),
        "warning",
        "the clock has not moved",
        "hours from the usual time of day",
    ),
    "amounts come in cents": Fault(
        "hubspot.orders",
        change_values(
            dict.fromkeys(
                ("Total Amount", "Net Amount"), lambda text: text.replace(".", "")
            )
        ),
        "held",
        "amounts are of the usual size",
        "look for cents",
    ),
    "amounts come with a decimal comma": Fault(
        "hubspot.orders",
        change_values(
            dict.fromkeys(
                ("Total Amount", "Net Amount"), lambda text: text.replace(".", ",")
            )
        ),
        "held",
        "numbers can be read",
        "values of Total_Amount".lower(),
    ),
    "amounts are negative": Fault(
        "hubspot.orders",
        change_values({"Total Amount": lambda text: f"-{text}"}),
        "held",
        "numbers lie within their bounds",
        "values of total_amount lie",
    ),
    "amounts name their currency": Fault(
        "hubspot.orders",
        change_values({"Total Amount": lambda text: f"R$ {text}"}),
        "held",
        "numbers can be read",
        "units",
    ),
    "the list of contacts comes twice": Fault(
        "hubspot.contacts",
        repeat_rows(2, lambda row, number: {**row, "City": f"{row['City']}{number}"}),
        "held",
        "hardly any key comes twice in a snapshot",
        "repeat a natural key",
    ),
    "the activities come twice over": Fault(
        "hubspot.activities",
        send_twice,
        "warning",
        "a delta is not sent twice over",
        "look for the same rows in two files",
    ),
    "answers are of nobody known": Fault(
        "qualtrics.responses",
        renumber(9_000_000, "ExternalReference"),
        "held",
        "rows belong to somebody",
        "values of ExternalReference name nothing",
    ),
    "tickets are of nobody known": Fault(
        "zendesk.tickets",
        renumber_tickets,
        "held",
        "rows belong to somebody",
        "values of requester_id name nothing that ever came",
    ),
    "deliveries are of no order": Fault(
        "hubspot.deliveries",
        renumber(9_000_000, "Order ID"),
        "held",
        "rows belong to somebody",
        "another company's export",
    ),
    "orders are of nobody known": Fault(
        "hubspot.orders",
        renumber(9_000_000, "Associated Contact ID"),
        "held",
        "rows belong to somebody",
        "values of associated_contact_id",
    ),
    "all orders are of one customer": Fault(
        "hubspot.orders",
        set_value("Associated Contact ID", "71000000"),
        "held",
        "rows belong to many",
        "only 1 different associated_contact_id",
    ),
    "contacts are in the wrong encoding": Fault(
        "hubspot.contacts",
        change_text(break_encoding),
        "held",
        "text is in the right encoding",
        "as when UTF-8 is read as Latin-1",
    ),
    "comments are in the wrong encoding": Fault(
        "qualtrics.responses",
        change_values({"Q_COMMENT": break_encoding}),
        "held",
        "text is in the right encoding",
        "check the encoding",
    ),
    "e-mail addresses stand in the city": Fault(
        "hubspot.contacts",
        change_rows(lambda row: {**row, "City": row["Email"]}),
        "held",
        "hardly any address stands where none may",
        "declared free of personal data",
    ),
    "one page address holds an e-mail address": Fault(
        "hubspot.activities",
        lambda folder: change_one(folder, "Page URL", "/cart?for=ana@example.org"),
        "warning",
        "no address stands where none may",
        "1 of ",
    ),
    "half of the Spanish speakers are gone from the list": Fault(
        "hubspot.contacts",
        keep(0.5, "Preferred Language", "es"),
        "warning",
        "no value loses a third of its rows",
        "preferred_language es",
    ),
    "a language is gone from the answers": Fault(
        "qualtrics.responses",
        keep(0, "UserLanguage", "PT-BR"),
        "held",
        "nothing that makes a fifth is missing",
        "UserLanguage PT-BR",
    ),
    "a survey's file is gone": Fault(
        "qualtrics.responses",
        remove_a_survey,
        "warning",
        "no file is missing",
        "no file SV_NPS_PURCHASE",
    ),
    "a channel is gone from the activities": Fault(
        "hubspot.activities",
        keep(0, "Activity Type", "WEB_VISIT"),
        "held",
        "nothing that makes a fifth is missing",
        "0 rows have activity_type WEB_VISIT",
    ),
    "a channel is gone from the invitations": Fault(
        "qualtrics.distributions",
        keep(0, "Channel", "whatsapp"),
        "held",
        "nothing that makes a fifth is missing",
        "channel whatsapp",
    ),
    "activities are of tomorrow": Fault(
        "hubspot.activities",
        move_time(24, "Activity Date"),
        "held",
        "hardly any row lies in the future",
        "put the files into the right date",
    ),
    "tickets are of next year": Fault(
        "zendesk.tickets",
        move_time(24 * 365, "updated_at"),
        "held",
        "hardly any row lies in the future",
        "up to 2027",
    ),
    "orders are of last year": Fault(
        "hubspot.orders",
        move_time(-24 * 365, "Order Date", "Last Modified Date"),
        "held",
        "a delta brings its own day",
        "from 2025",
    ),
    "the list of contacts is empty": Fault(
        "hubspot.contacts",
        empty,
        "held",
        "a snapshot is not empty",
        "the list is empty",
    ),
    "the list of contacts is cut in half": Fault(
        "hubspot.contacts",
        cut_in_half,
        "held",
        "a snapshot is not cut off",
        "at least 60% of them",
    ),
    "the list is of another company": Fault(
        "hubspot.contacts",
        send_another_company,
        "held",
        "keys keep their people",
        "have another address",
    ),
    "contacts are renumbered": Fault(
        "hubspot.contacts",
        renumber(1_000_000, "Record ID"),
        "held",
        "a list keeps its keys",
        "renumbered ids",
    ),
    "all tickets have one status": Fault(
        "zendesk.tickets",
        set_value("status", "open"),
        "held",
        "values are not all the same",
        "of the values of status are open",
    ),
    "all contacts have one segment": Fault(
        "hubspot.contacts",
        set_value("Customer Segment", "enterprise"),
        "held",
        "values are not all the same",
        "customer_segment are enterprise",
    ),
    "the statuses of orders are written in another language": Fault(
        "hubspot.orders",
        change_values({"Order Status": lambda text: f"{text}o"}),
        "held",
        "most values are listed",
        "values of order_status",
    ),
    "comments hold HTML": Fault(
        "qualtrics.responses",
        change_values({"Q_COMMENT": lambda text: f"<p>{text}</p>"}),
        "warning",
        "text has no markup",
        "rows hold HTML tags",
    ),
    "the header stands in the middle once more": Fault(
        "hubspot.contacts",
        repeat_the_header,
        "warning",
        "no row is unreadable",
        "read the reasons in audit.rejects",
    ),
    "answers say test test": Fault(
        "qualtrics.responses",
        set_value("Q_COMMENT", "Test test"),
        "held",
        "hardly any row is a test",
        "rows say 'test'",
    ),
    "a tenth of the contacts are called test": Fault(
        "hubspot.contacts",
        lambda folder: name_some(folder, "First Name", "Teste"),
        "warning",
        "few rows are tests",
        "mark or delete them",
    ),
    "yesterday's answers come again under new ids": Fault(
        "qualtrics.responses",
        lambda folder: send_again_under_new_ids(folder),
        "held",
        "a delta brings its own day",
        "an older export under a new date",
    ),
    "amounts come in another currency": Fault(
        "hubspot.orders",
        change_values({"Total Amount": lambda text: f"{float(text) * 6:.2f}"}),
        "warning",
        "amounts are about as usual",
        "the middle total_amount is",
    ),
    "a third of the orders are of nobody known": Fault(
        "hubspot.orders",
        lambda folder: name_some(folder, "Associated Contact ID", "123", 3),
        "warning",
        "nearly all rows belong to somebody",
        "make sure that the lists that they refer to are whole",
    ),
    "a tenth of the contacts have a segment that nobody declared": Fault(
        "hubspot.contacts",
        lambda folder: name_some(folder, "Customer Segment", "gold"),
        "warning",
        "nearly all values are listed",
        "add the new values to the contract's list",
    ),
    "every contact is changed at once": Fault(
        "hubspot.contacts",
        change_values({"City": str.upper}),
        "warning",
        "a list does not change as a whole",
        "are gone or changed",
    ),
    "two surveys are mixed up": Fault(
        "qualtrics.responses",
        mix_up_surveys,
        "warning",
        "surveys ask what they asked",
        "under another survey's name",
    ),
}


def change_one(folder: Path, name: str, value: str) -> None:
    (path,) = list_files(folder)
    header, *rows = read_table(path)
    rows[3][header.index(name)] = value
    write_table(path, [header, *rows])


def name_some(folder: Path, name: str, value: str, every: int = 10) -> None:
    (path,) = list_files(folder)
    header, *rows = read_table(path)
    for row in rows[::every]:
        row[header.index(name)] = value
    write_table(path, [header, *rows])


def send_again_under_new_ids(folder: Path) -> None:
    change_values({"ResponseId": lambda text: f"R_{text[:1:-1]}"})(folder)
    move_time(-24, "StartDate", "EndDate", "RecordedDate")(folder)


@dataclass(frozen=True)
class Judgement:
    """What became of a load, and which loads were in force before and after."""

    load_id: int
    status: str
    reason: str
    broken: dict[str, tuple[str, str]]
    in_force_before: int
    in_force_after: int


@pytest.fixture(scope="module")
def judgements(
    postgres_server: EmbeddedPostgres,
    company_template: str,
    exports: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Judgement]]:
    """All faults sent one after the other, those of different feeds judged together.

    A run of the gate costs as much for ten loads as for one.
    """
    report = tmp_path_factory.mktemp("report")
    left = dict(FAULTS)
    judged: dict[str, Judgement] = {}
    with open_company(postgres_server, company_template, exports, report) as company:
        while left:
            by_feed = {fault.feed: name for name, fault in reversed(left.items())}
            before = {feed: company.find_in_force(feed) for feed in by_feed}
            loads = {
                feed: company.send(
                    feed, left.pop(name).spoil, tmp_path_factory.mktemp("landing")
                )
                for feed, name in by_feed.items()
            }
            check_raw(company.settings, f"{len(left)} left")
            for feed, name in by_feed.items():
                judged[name] = Judgement(
                    loads[feed],
                    *company.read_status(loads[feed]),
                    company.list_broken_rules(loads[feed]),
                    before[feed],
                    company.find_in_force(feed),
                )
        yield judged


def turn_round(folder: Path) -> None:
    for path in list_files(folder):
        if path.suffix == ".json":
            path.write_text(path.read_text() + "\n")
        else:
            headers = count_headers(path)
            rows = read_table(path)
            write_table(path, [*rows[:headers], *rows[: headers - 1 : -1]])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_held_or_told(judgements: dict[str, Judgement], name: str) -> None:
    fault, judged = FAULTS[name], judgements[name]
    assert fault.rule in judged.broken, judged
    is_held = fault.decision == "held"
    severity, observed = judged.broken[fault.rule]
    assert severity == ("critical" if is_held else "warning")
    assert judged.status == ("held" if is_held else "accepted"), judged
    # What is held changes nothing: there is nothing to build, marts stay as they are.
    assert judged.in_force_after == (
        judged.in_force_before if is_held else judged.load_id
    )
    rule = RULES_BY_NAME[fault.rule]
    sentence = f"{observed}, expected: {rule.expected}; {rule.remedy}."
    assert fault.words in (judged.reason if is_held else sentence)


def test_every_rule_of_values_is_shown_failing() -> None:
    assert {rule.name for rule in CONTENT_RULES} <= {
        fault.rule for fault in FAULTS.values()
    }


def test_the_same_night_without_a_fault_raises_no_alarm(
    postgres_server: EmbeddedPostgres,
    company_template: str,
    exports: Path,
    tmp_path: Path,
) -> None:
    report = tmp_path / "report"
    with open_company(postgres_server, company_template, exports, report) as company:
        for number, feed in enumerate(sorted({f.feed for f in FAULTS.values()})):
            # Another order of the rows is other content.
            company.send(feed, turn_round, tmp_path / str(number))
        result = check_raw(company.settings, "again")
        assert (result.failed_critical, result.failed_warning) == ([], [])
