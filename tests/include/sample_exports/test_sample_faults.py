"""Every planted fault is really in the files, as often as truth.json says."""

import csv
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from include.sample_exports import SampleParameters, write_sample_exports
from tests.include.sample_exports.plain_reading import (
    Customers,
    Exports,
    keep_last,
    keep_latest_tickets,
    read_utc,
)


def count_page_repeats(rows: list[dict[str, Any]]) -> int:
    """Records that stand twice, with the same content, in the files of one night."""
    seen = Counter((row["_night"], row["id"], str(row)) for row in rows)
    return sum(count - 1 for count in seen.values())


def test_late_rows_arrive_one_to_five_nights_after_their_day(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    first_sent = {}
    for row in tiny_exports.responses:
        first_sent.setdefault(row["ResponseId"], row)
    moments = {
        "hubspot.activities": [
            (row["_night"], row["Activity Date"])
            for row in keep_last(tiny_exports.activities, "Record ID").values()
        ],
        "qualtrics.responses": [
            (row["_night"], row["RecordedDate"]) for row in first_sent.values()
        ],
        "zendesk.tickets": list(
            {
                (row["id"], row["_night"], row["updated_at"]): (
                    row["_night"],
                    row["updated_at"],
                )
                for row in tiny_exports.tickets
            }.values()
        ),
    }
    for feed, pairs in moments.items():
        delays = [
            (night - tiny_exports.local_date(moment)).days for night, moment in pairs
        ]
        assert set(delays) <= set(range(6)), feed
        late = sum(delay > 0 for delay in delays)
        assert late == tiny_truth["faults"]["late_rows"][feed] > 0, feed
        assert tiny_truth["faults"]["rows_not_arrived"][feed] > 0


def test_corrected_responses_come_again_with_another_score(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    versions = defaultdict(list)
    for row in tiny_exports.responses:
        versions[row["ResponseId"]].append(row)
    corrected = [rows for rows in versions.values() if len(rows) > 1]
    assert len(corrected) == tiny_truth["faults"]["corrected_responses"] > 0
    for first, second in corrected:
        assert first["_night"] < second["_night"]
        assert first["RecordedDate"] == second["RecordedDate"]
        scores = [
            [row.get(question) for question in ("Q_NPS", "Q_CSAT", "Q_CES")]
            for row in (first, second)
        ]
        assert scores[0] != scores[1]


def test_corrected_orders_come_again_with_another_amount(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    amounts = defaultdict(set)
    for row in tiny_exports.orders:
        amounts[row["Record ID"]].add(row["Total Amount"])
    corrected = [order for order, values in amounts.items() if len(values) > 1]
    assert len(corrected) == tiny_truth["faults"]["corrected_orders"] > 0


def test_deleted_tickets_come_as_tombstones_after_answers_about_them(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    latest = keep_latest_tickets(tiny_exports.tickets)
    deleted = {
        str(number) for number, row in latest.items() if row["status"] == "deleted"
    }
    assert len(deleted) == tiny_truth["faults"]["deleted_tickets"] > 0
    answers = keep_last(tiny_exports.responses, "ResponseId").values()
    about = sum(row["ticket_id"] in deleted for row in answers)
    assert about == tiny_truth["faults"]["answers_about_deleted_tickets"] > 0
    for number in deleted:
        assert latest[int(number)]["subject"] == "SCRUBBED"


def test_answers_about_objects_that_no_export_shows(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    known = {
        "ticket_id": {str(row["id"]) for row in tiny_exports.tickets},
        "order_id": {row["Record ID"] for row in tiny_exports.orders},
        "delivery_id": {row["Record ID"] for row in tiny_exports.deliveries},
    }
    answers = keep_last(tiny_exports.responses, "ResponseId").values()
    lost = sum(
        row[column] != "" and row[column] not in ids
        for row in answers
        for column, ids in known.items()
    )
    assert lost == tiny_truth["faults"]["answers_about_unknown_objects"] > 0


def test_some_contacts_leave_the_snapshot(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    customers = Customers(tiny_exports.contacts)
    last_night = max(row["_night"] for row in tiny_exports.contacts)
    left = {
        contact
        for contact, versions in customers.versions.items()
        if versions[-1]["_night"] < last_night
    }
    merged = left & set(customers.merged_into)
    assert len(merged) == tiny_truth["faults"]["merged_contacts"] > 0
    assert len(left - merged) == tiny_truth["faults"]["contacts_removed"] > 0
    never_shown = set(customers.merged_into) - set(customers.versions)
    assert len(never_shown) == tiny_truth["faults"]["earlier_merged_ids"] > 0


def test_both_sides_of_a_merge_had_orders_answers_and_tickets_before(
    tiny_exports: Exports,
) -> None:
    customers = Customers(tiny_exports.contacts)
    users = {row["id"]: row["external_id"] for row in tiny_exports.users}
    complete = 0
    for victim, survivor in customers.merged_into.items():
        if victim not in customers.versions:
            continue
        end = customers.versions[victim][-1]["_night"]
        assert any(
            victim in row["Merged object IDs"].split(";") and row["_night"] > end
            for row in customers.versions[survivor]
        )
        complete += all(
            any(row["Associated Contact ID"] == side for row in tiny_exports.orders)
            and any(
                row["ExternalReference"] == side and row["_night"] <= end
                for row in tiny_exports.responses
            )
            and any(
                users.get(row["requester_id"]) == side for row in tiny_exports.tickets
            )
            for side in (victim, survivor)
        )
    assert complete >= 1


def test_a_customer_changes_segment_between_two_answers(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    customers = Customers(tiny_exports.contacts)
    changes, moved_between_answers = 0, 0
    for contact, versions in customers.versions.items():
        segments = [row["Customer Segment"] for row in versions]
        changes += sum(a != b for a, b in pairwise(segments))
        answered = {
            customers.describe(contact, tiny_exports.local_date(row["RecordedDate"]))[0]
            for row in tiny_exports.responses
            if row["ExternalReference"] == contact
        }
        moved_between_answers += len(answered) > 1
    assert changes == tiny_truth["faults"]["segment_changes"] > 0
    assert moved_between_answers >= 1


def test_pages_repeat_their_last_record(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    repeated = tiny_truth["faults"]["repeated_page_rows"]
    assert count_page_repeats(tiny_exports.tickets) == repeated["zendesk.tickets"] > 0
    assert count_page_repeats(tiny_exports.users) == repeated["zendesk.users"] > 0
    assert count_page_repeats(tiny_exports.audits) == repeated["zendesk.ticket_audits"]


def test_some_activities_stand_twice_in_one_file(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    counts = Counter(
        (row["_night"], *(value for key, value in row.items() if key[0] != "_"))
        for row in tiny_exports.activities
    )
    repeats = sum(count - 1 for count in counts.values())
    assert repeats == tiny_truth["faults"]["duplicate_rows"] > 0
    numbers = Counter(row["Record ID"] for row in tiny_exports.activities)
    assert sum(count - 1 for count in numbers.values()) == repeats


def test_exactly_one_row_is_unreadable(
    tiny_exports: Exports, tiny_landing: Path
) -> None:
    (row,) = tiny_exports.unreadable
    fields, expected = row["_width"]
    assert fields == expected + 1
    assert row["Record ID"] not in {row["Record ID"] for row in tiny_exports.activities}
    for path in sorted(tiny_landing.glob("*/*/*/*.csv")):
        if path.parent.parent.name == "activities":
            continue
        with path.open(encoding="utf-8", newline="") as text:
            widths = {len(record) for record in csv.reader(text)}
        assert len(widths) == 1, path


def test_responses_of_every_uncounted_kind_are_there(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    assert tiny_truth["faults"]["responses_by_reason"].keys() == {
        "test",
        "preview",
        "spam",
        "unfinished",
        "skipped",
        "score_out_of_scale",
        "repeated_answer",
    }
    assert all(tiny_truth["faults"]["responses_by_reason"].values())
    assert tiny_truth["faults"]["responses_by_reason"]["score_out_of_scale"] == 1
    scores = [row.get("Q_NPS") for row in tiny_exports.responses]
    assert scores.count("11") == 1
    statuses = Counter(row["Status"] for row in tiny_exports.responses)
    assert statuses.keys() == {"IP Address", "Survey Test", "Survey Preview", "Spam"}


def test_some_people_answer_one_invitation_twice_and_thrice(
    tiny_exports: Exports,
) -> None:
    moments = defaultdict(set)
    for row in tiny_exports.responses:
        if row["invitation_id"]:
            moments[row["invitation_id"]].add(read_utc(row["RecordedDate"]))
    waits = [
        (max(times) - min(times)).total_seconds() / 3_600
        for times in moments.values()
        if len(times) > 1
    ]
    assert any(wait < 24 for wait in waits)
    assert any(wait > 24 for wait in waits)


def test_unknown_events_orders_and_requesters(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    faults = tiny_truth["faults"]
    activities = keep_last(tiny_exports.activities, "Record ID").values()
    kiosks = sum(row["Activity Type"] == "KIOSK" for row in activities)
    assert kiosks == faults["unknown_events"] > 0

    contacts = {row["Record ID"] for row in tiny_exports.contacts}
    orders = keep_last(tiny_exports.orders, "Record ID").values()
    strange = sum(row["Associated Contact ID"] not in contacts for row in orders)
    assert strange == faults["orders_of_unknown_contacts"] > 0

    emails = {row["Email"].lower() for row in tiny_exports.contacts}
    strangers = {
        row["id"]
        for row in tiny_exports.users
        if row["role"] == "end-user"
        and row["external_id"] is None
        and (row["email"] or "").lower() not in emails
    }
    tickets = keep_latest_tickets(tiny_exports.tickets).values()
    asked = sum(row["requester_id"] in strangers for row in tickets)
    assert asked == faults["tickets_of_unknown_users"] > 0


def test_some_answers_fall_close_to_local_midnight(tiny_exports: Exports) -> None:
    """A warehouse that cuts days in UTC must come to other months and days."""
    other_day = sum(
        read_utc(row["RecordedDate"]).date()
        != tiny_exports.local_date(row["RecordedDate"])
        for row in tiny_exports.responses
    )
    assert other_day > 3


def test_people_are_named_in_every_way(tiny_exports: Exports) -> None:
    ways = Counter(
        (row["ExternalReference"] != "", row["RecipientEmail"] != "")
        for row in tiny_exports.responses
    )
    assert ways.keys() == {(True, True), (True, False), (False, True), (False, False)}
    emails = [row["RecipientEmail"] for row in tiny_exports.responses]
    assert any(email != email.lower() for email in emails)
    assert any(email != email.strip() for email in emails)


def test_answers_by_short_message_carry_no_id_and_their_invitation_does(
    tiny_exports: Exports,
) -> None:
    invitations = {
        f"{row['Distribution ID']}:{row['Contact ID']}": row
        for row in tiny_exports.distributions
    }
    columns = {
        "SV_NPS_PURCHASE": ("order_id", "Trigger Order ID"),
        "SV_CSAT_DELIVERY": ("delivery_id", "Trigger Delivery ID"),
    }
    ways = Counter()
    for row in tiny_exports.responses:
        embedded, trigger = columns.get(row["_file"], (None, None))
        invitation = invitations.get(row["invitation_id"])
        if embedded is None or invitation is None:
            continue
        is_short = invitation["Channel"] in ("sms", "whatsapp")
        assert (row[embedded] == "") == is_short == (invitation[trigger] != "")
        ways[row["_file"], is_short] += 1
    assert len(ways) == 4


def test_some_answers_are_about_the_ticket_of_somebody_else(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    customers = Customers(tiny_exports.contacts)
    users = {row["id"]: row for row in tiny_exports.users}
    tickets = keep_latest_tickets(tiny_exports.tickets)
    others = 0
    for row in keep_last(tiny_exports.responses, "ResponseId").values():
        ticket = tickets.get(int(row["ticket_id"] or 0))
        if ticket is None or not row["ExternalReference"]:
            continue
        user = users[ticket["requester_id"]]
        asked = customers.find(user["external_id"] or "", user["email"] or "")
        others += asked not in (None, customers.name_respondent(row))
    planted = tiny_truth["faults"]["answers_about_tickets_of_others"]
    assert others >= planted > 0
    conflicts = sum(row["identity_conflicts"] for row in tiny_truth["attributions"])
    assert conflicts >= planted


def test_some_orders_arrive_after_an_answer_about_them(
    tiny_exports: Exports, tiny_truth: dict[str, Any]
) -> None:
    first_seen: dict[str, Any] = {}
    for row in tiny_exports.orders:
        first_seen.setdefault(row["Record ID"], row["_night"])
    late = {
        row["order_id"]
        for row in tiny_exports.responses
        if row["order_id"] in first_seen and first_seen[row["order_id"]] > row["_night"]
    }
    assert 0 < len(late) <= tiny_truth["faults"]["orders_after_their_answers"]


def test_easy_contacts_are_attributed_to_one_touch_to_two_and_to_none(
    tmp_path: Path,
) -> None:
    truth = write_sample_exports(tmp_path, SampleParameters(customers=400, nights=20))
    methods = {
        row["attribution_method"]
        for row in truth["attributions"]
        if row["survey_id"] == "SV_CES_CONTACT"
    }
    assert methods == {"last_touch", "ambiguous", "unattributed"}


def test_confidential_answers_are_few_in_some_cells(tiny_truth: dict[str, Any]) -> None:
    cells = [row["responses"] for row in tiny_truth["confidential"]]
    assert any(1 <= answers < 5 for answers in cells)
    surveys = {row["value"] for row in tiny_truth["csat"]}
    assert "SV_CSAT_COMPLAINT" not in surveys


def test_reviews_come_again_with_a_reply(tiny_exports: Exports) -> None:
    versions = defaultdict(list)
    for row in tiny_exports.reviews:
        assert row["Rating"] in {"1", "2", "3", "4", "5"}
        assert row["Language"] in {"pt", "es", "ro", "en"}
        versions[row["Review ID"]].append(row)
    replied = [
        rows
        for rows in versions.values()
        if rows[0]["Replied At"] == "" and rows[-1]["Replied At"] != ""
    ]
    assert replied
    for rows in replied:
        assert rows[-1]["Updated At"] >= rows[-1]["Replied At"] > rows[0]["Updated At"]
    numbers = {rows[0]["Order Number"] for rows in versions.values()}
    assert "" in numbers
    assert numbers & {row["Record ID"] for row in tiny_exports.orders}
    assert numbers & {row["Order Name"] for row in tiny_exports.orders}
