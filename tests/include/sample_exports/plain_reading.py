"""A second, slow and plain way to the truth: read the files, follow the rules, count.

In: a landing folder with HubSpot, Qualtrics and Zendesk exports. Out: `read_truth`, the
same figures as truth.json. It shares no code with `include.sample_exports`: csv, json,
dictionaries and loops, and the rules written down once more.
"""

import csv
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

UNKNOWN = "(unknown)"
UNMAPPED = ("(unmapped)", UNKNOWN, UNKNOWN)

# (activity type, event) -> touchpoint, stage, channel
ACTIVITY_RULES = {
    ("BLOG_VISIT", "article_read"): ("blog_article", "discovery", "blog"),
    ("SOCIAL", "post_engaged"): ("social_post", "discovery", "social"),
    ("EMAIL", "newsletter_sent"): ("newsletter", "discovery", "e-mail"),
    ("WEB_VISIT", "landing_page_viewed"): ("landing_page", "recognition", "web"),
    ("WEB_VISIT", "product_page_viewed"): ("product_page", "recognition", "web"),
    ("WEB_VISIT", "price_page_viewed"): ("price_page", "consideration", "web"),
    ("CALL", "sales_call"): ("sales_call", "consideration", "phone"),
    ("MEETING", "demo_meeting"): ("demo_meeting", "consideration", "meeting"),
    ("CHAT", "sales_chat"): ("sales_chat", "consideration", "chat"),
    ("WHATS_APP", "sales_message"): ("sales_whatsapp", "consideration", "WhatsApp"),
    ("STORE_VISIT", "store_visit"): ("store_visit", "consideration", "store"),
    ("WEB_VISIT", "checkout_viewed"): ("checkout", "purchase", "web"),
    ("SMS", "delivery_notice_sent"): ("delivery_notice", "delivery", "SMS"),
    ("APP_SESSION", "app_session"): ("app_session", "use", "app"),
    ("WEB_VISIT", "account_viewed"): ("account_page", "use", "web"),
    ("WEB_VISIT", "help_article_viewed"): ("help_article", "support", "self-service"),
    ("APP_SESSION", "loyalty_points_viewed"): ("loyalty_programme", "loyalty", "app"),
    ("EMAIL", "referral_sent"): ("referral_invitation", "loyalty", "e-mail"),
    ("SOCIAL", "recommendation_posted"): ("recommendation", "loyalty", "social"),
}
ORDER_RULES = {
    "web": ("order_web", "purchase", "web"),
    "app": ("order_app", "purchase", "app"),
    "store": ("order_store", "purchase", "store"),
    "phone": ("order_phone", "purchase", "phone"),
    "whatsapp": ("order_whatsapp", "purchase", "WhatsApp"),
}
DELIVERY_RULES = {
    "courier": ("parcel_delivered", "delivery", "courier"),
    "store pickup": ("store_pickup", "delivery", "store"),
}
RETURN_RULE = ("product_return", "support", "courier")
TICKET_RULES = {
    "email": ("ticket_email", "support", "e-mail"),
    "web": ("ticket_web", "support", "web"),
    "chat": ("ticket_chat", "support", "chat"),
    "native_messaging": ("ticket_chat", "support", "chat"),
    "whatsapp": ("ticket_whatsapp", "support", "WhatsApp"),
    "voice": ("ticket_phone", "support", "phone"),
    "twitter": ("ticket_social", "support", "social"),
    "mobile_sdk": ("ticket_app", "support", "app"),
}
OTHER_TICKET = ("ticket_other", "support", "other")
BY_NAME = {
    rule[0]: rule
    for rules in (ACTIVITY_RULES, ORDER_RULES, DELIVERY_RULES, TICKET_RULES)
    for rule in rules.values()
}
BY_NAME |= {RETURN_RULE[0]: RETURN_RULE, OTHER_TICKET[0]: OTHER_TICKET}

REGISTERED_STAGES = {"SV_CES_USE": "use", "SV_NPS_LOYALTY": "loyalty"}
QUESTIONS = {"Q_NPS": ("nps", 0, 10), "Q_CSAT": ("csat", 1, 5), "Q_CES": ("ces", 1, 7)}
COUNTRY_CODES = {
    "Brazil": "BR",
    "Spain": "ES",
    "Romania": "RO",
    "Portugal": "PT",
    "United States": "US",
    "Mexico": "MX",
    "": UNKNOWN,
}
BREAKDOWNS = {
    "total": lambda answer: "(all)",
    "journey_stage": lambda answer: answer["stage"],
    "experience_channel": lambda answer: answer["channel"],
    "segment": lambda answer: answer["segment"],
    "country": lambda answer: answer["country"],
    "survey": lambda answer: answer["survey"],
}


def read_csv_feed(folder: Path, header_rows: int = 1) -> list[dict]:
    """All rows of a feed in the order of nights, files and rows.

    Each row is a dict with the keys _night (date), _file (stem), _row and _width (how
    many fields it has, how many it should have).
    """
    rows = []
    for night in sorted(folder.iterdir()):
        for path in sorted(night.iterdir()):
            with path.open(encoding="utf-8", newline="") as text:
                records = list(csv.reader(text))
            header = records[0]
            for number, record in enumerate(records[header_rows:], start=1):
                row = dict(zip(header, record, strict=False))
                row["_night"] = date.fromisoformat(night.name)
                row["_file"] = path.stem.split("__")[0]
                row["_row"] = number
                row["_width"] = (len(record), len(header))
                rows.append(row)
    return rows


def read_json_feed(folder: Path, record_path: str) -> list[dict]:
    """All records of a feed in the order of nights, pages and records."""
    rows = []
    for night in sorted(folder.iterdir()):
        for path in sorted(night.iterdir()):
            page = json.loads(path.read_text(encoding="utf-8"))
            assert page["count"] == len(page[record_path])
            for record in page[record_path]:
                rows.append({**record, "_night": date.fromisoformat(night.name)})
    return rows


def read_utc(text: str) -> datetime:
    """A vendor's UTC time, with a blank or a T in the middle."""
    stamp = datetime.fromisoformat(text.replace("Z", "").replace(" ", "T"))
    return stamp.replace(tzinfo=timezone.utc)  # noqa: UP017


@dataclass
class Exports:
    """Everything in a landing folder, read once."""

    zone: ZoneInfo
    contacts: list[dict]
    companies: list[dict]
    deals: list[dict]
    deal_stages: list[dict]
    orders: list[dict]
    deliveries: list[dict]
    returns: list[dict]
    activities: list[dict]
    responses: list[dict]
    distributions: list[dict]
    tickets: list[dict]
    users: list[dict]
    organizations: list[dict]
    audits: list[dict]
    ratings: list[dict]
    # Activities with too many or too few fields; never in `activities`.
    unreadable: list[dict] = field(default_factory=list)

    def local_date(self, text: str) -> date:
        return read_utc(text).astimezone(self.zone).date()


def read_exports(landing: Path, time_zone: str) -> Exports:
    """Read every file of a landing folder."""
    hubspot, qualtrics, zendesk = (
        landing / system for system in ("hubspot", "qualtrics", "zendesk")
    )
    activities = read_csv_feed(hubspot / "activities")
    return Exports(
        zone=ZoneInfo(time_zone),
        contacts=read_csv_feed(hubspot / "contacts"),
        companies=read_csv_feed(hubspot / "companies"),
        deals=read_csv_feed(hubspot / "deals"),
        deal_stages=read_csv_feed(hubspot / "deal_stage_history"),
        orders=read_csv_feed(hubspot / "orders"),
        deliveries=read_csv_feed(hubspot / "deliveries"),
        returns=read_csv_feed(hubspot / "returns"),
        activities=[row for row in activities if row["_width"][0] == row["_width"][1]],
        unreadable=[row for row in activities if row["_width"][0] != row["_width"][1]],
        responses=read_csv_feed(qualtrics / "responses", header_rows=3),
        distributions=read_csv_feed(qualtrics / "distributions"),
        tickets=read_json_feed(zendesk / "tickets", "tickets"),
        users=read_json_feed(zendesk / "users", "users"),
        organizations=read_json_feed(zendesk / "organizations", "organizations"),
        audits=read_json_feed(zendesk / "ticket_audits", "audits"),
        ratings=read_json_feed(
            zendesk / "satisfaction_ratings", "satisfaction_ratings"
        ),
    )


def keep_last(rows: list[dict], key: str) -> dict[str, dict]:
    """The row of each key that was delivered last."""
    kept = {}
    for row in rows:
        kept[row[key]] = row
    return kept


def keep_latest_tickets(rows: list[dict]) -> dict[int, dict]:
    """The version of each ticket that was updated last, then delivered last."""
    kept: dict[int, dict] = {}
    for row in rows:
        other = kept.get(row["id"])
        if other is None or row["updated_at"] >= other["updated_at"]:
            kept[row["id"]] = row
    return kept


class Customers:
    """Who a response comes from, and what the CRM said about them on a day."""

    def __init__(self, snapshots: list[dict]) -> None:
        self.versions: dict[str, list[dict]] = defaultdict(list)
        self.merged_into: dict[str, str] = {}
        for row in snapshots:
            self.versions[row["Record ID"]].append(row)
            for merged in filter(None, row["Merged object IDs"].split(";")):
                self.merged_into[merged] = row["Record ID"]
        self.by_email: dict[str, str] = {}
        for contact in sorted(self.versions, key=int):
            email = self.versions[contact][-1]["Email"].strip().lower()
            self.by_email.setdefault(email, contact)

    def survive(self, contact: str) -> str:
        while contact in self.merged_into:
            contact = self.merged_into[contact]
        return contact

    def find(self, response: dict) -> str | None:
        reference = response["ExternalReference"]
        if reference in self.versions or reference in self.merged_into:
            return self.survive(reference)
        email = response["RecipientEmail"].strip().lower()
        if email and email in self.by_email:
            return self.survive(self.by_email[email])
        return None

    def describe(self, contact: str | None, day: date) -> tuple[str, str]:
        """Segment and country code on a local day."""
        if contact is None:
            return UNKNOWN, UNKNOWN
        valid = self.versions[contact][0]
        for version in self.versions[contact]:
            if version["_night"] <= day:
                valid = version
        segment = valid["Customer Segment"] or UNKNOWN
        return segment, COUNTRY_CODES[valid["Country/Region"]]


def attribute(
    response: dict, orders: dict, deliveries: dict, tickets: dict[int, dict]
) -> tuple[str, str]:
    """Stage and channel of what a response is about, by the first rule that applies."""
    survey = response["_file"]
    if "RELATIONAL" in survey:
        return UNKNOWN, UNKNOWN
    nothing = ("", UNKNOWN, UNKNOWN)
    if response["ticket_id"]:
        ticket = tickets.get(int(response["ticket_id"]))
        if ticket is None:
            return UNKNOWN, UNKNOWN
        return TICKET_RULES.get(ticket["via"]["channel"], OTHER_TICKET)[1:]
    if response["order_id"]:
        order = orders.get(response["order_id"])
        return (ORDER_RULES[order["Sales Channel"]] if order else nothing)[1:]
    if response["delivery_id"]:
        delivery = deliveries.get(response["delivery_id"])
        return (DELIVERY_RULES[delivery["Delivery Method"]] if delivery else nothing)[
            1:
        ]
    if response["touchpoint"]:
        return BY_NAME.get(response["touchpoint"], nothing)[1:]
    return REGISTERED_STAGES.get(survey, UNKNOWN), UNKNOWN


def list_answers(exports: Exports) -> list[dict]:
    """One dict per response and scored question, with `reason` ("" if it counts)."""
    customers = Customers(exports.contacts)
    orders = keep_last(exports.orders, "Record ID")
    deliveries = keep_last(exports.deliveries, "Record ID")
    tickets = keep_latest_tickets(exports.tickets)
    answers = []
    for response in keep_last(exports.responses, "ResponseId").values():
        day = exports.local_date(response["RecordedDate"])
        segment, country = customers.describe(customers.find(response), day)
        stage, channel = attribute(response, orders, deliveries, tickets)
        for question, (metric, low, high) in QUESTIONS.items():
            if question not in response:
                continue
            answers.append(
                {
                    "metric": metric,
                    "score": response[question],
                    "reason": exclude(response, question, low, high),
                    "invitation": response["invitation_id"],
                    "recorded_at": read_utc(response["RecordedDate"]),
                    "month": f"{day:%Y-%m}",
                    "survey": response["_file"],
                    "kind": "relational"
                    if "RELATIONAL" in response["_file"]
                    else "transactional",
                    "stage": stage,
                    "channel": channel,
                    "segment": segment,
                    "country": country,
                }
            )
    mark_repeated(answers)
    return answers


def exclude(response: dict, question: str, low: int, high: int) -> str:
    """The first reason why an answer does not count, repeats apart."""
    by_status = {
        "Survey Test": "test",
        "Survey Preview": "preview",
        "Spam": "spam",
        "IP Address": "",
    }
    if by_status[response["Status"]]:
        return by_status[response["Status"]]
    if response["Finished"] == "False":
        return "unfinished"
    if response[question] == "":
        return "skipped"
    if not low <= int(response[question]) <= high:
        return "score_out_of_scale"
    return ""


def mark_repeated(answers: list[dict]) -> None:
    """Keep one answer of each invitation and question."""
    groups = defaultdict(list)
    for answer in answers:
        if answer["reason"] == "" and answer["invitation"]:
            groups[answer["invitation"], answer["metric"]].append(answer)
    for group in groups.values():
        group.sort(key=lambda answer: answer["recorded_at"])
        end = group[0]["recorded_at"] + timedelta(hours=24)
        counted = [answer for answer in group if answer["recorded_at"] <= end][-1]
        for answer in group:
            if answer is not counted:
                answer["reason"] = "repeated_answer"


def score(answers: list[dict], metric: str) -> list[dict]:
    """The scores of one metric, as truth.json lists them."""
    groups = defaultdict(list)
    for answer in answers:
        if answer["metric"] == metric and answer["reason"] == "":
            for breakdown, read in BREAKDOWNS.items():
                key = (answer["kind"], answer["month"], breakdown, read(answer))
                groups[key].append(int(answer["score"]))
    scored = []
    for (kind, month, breakdown, value), scores in groups.items():
        head = {
            "survey_kind": kind,
            "month": month,
            "breakdown": breakdown,
            "value": value,
        }
        scored.append({**head, **SUMMARIES[metric](scores)})
    return scored


def summarize_nps(scores: list[int]) -> dict:
    promoters = sum(one >= 9 for one in scores)
    detractors = sum(one <= 6 for one in scores)
    return {
        "promoters": promoters,
        "passives": len(scores) - promoters - detractors,
        "detractors": detractors,
        "responses": len(scores),
        "nps": round(100 * (promoters - detractors) / len(scores), 4),
    }


def summarize_csat(scores: list[int]) -> dict:
    top_box = sum(one >= 4 for one in scores)
    return {
        "top_box": top_box,
        "responses": len(scores),
        "csat": round(100 * top_box / len(scores), 4),
    }


def summarize_ces(scores: list[int]) -> dict:
    return {
        "score_sum": sum(scores),
        "score_sum_squares": sum(one * one for one in scores),
        "easy": sum(one >= 5 for one in scores),
        "responses": len(scores),
        "ces": round(sum(scores) / len(scores), 4),
    }


SUMMARIES = {"nps": summarize_nps, "csat": summarize_csat, "ces": summarize_ces}


def count_touchpoints(exports: Exports) -> list[dict]:
    """Touches by local month and touchpoint, as truth.json lists them."""
    touches = [
        (
            ACTIVITY_RULES.get((row["Activity Type"], row["Event"]), UNMAPPED),
            row["Activity Date"],
        )
        for row in keep_last(exports.activities, "Record ID").values()
    ]
    touches += [
        (ORDER_RULES[row["Sales Channel"]], row["Order Date"])
        for row in keep_last(exports.orders, "Record ID").values()
    ]
    touches += [
        (DELIVERY_RULES[row["Delivery Method"]], row["Delivered Date"])
        for row in keep_last(exports.deliveries, "Record ID").values()
        if row["Delivered Date"]
    ]
    touches += [
        (RETURN_RULE, row["Return Date"])
        for row in keep_last(exports.returns, "Record ID").values()
    ]
    touches += [
        (TICKET_RULES.get(row["via"]["channel"], OTHER_TICKET), row["created_at"])
        for row in keep_latest_tickets(exports.tickets).values()
        if row["status"] != "deleted"
    ]
    counts = Counter(
        (f"{exports.local_date(moment):%Y-%m}", *rule) for rule, moment in touches
    )
    return [
        {
            "month": month,
            "touchpoint": name,
            "journey_stage": stage,
            "channel": channel,
            "touches": count,
        }
        for (month, name, stage, channel), count in counts.items()
    ]


def read_truth(exports: Exports) -> dict[str, object]:
    """The figures of truth.json, out of the files."""
    answers = list_answers(exports)
    customers = Customers(exports.contacts)
    excluded = Counter((answer["metric"], answer["reason"]) for answer in answers)
    statuses = Counter(
        row["status"] for row in keep_latest_tickets(exports.tickets).values()
    )
    reasons = (
        "test",
        "preview",
        "spam",
        "unfinished",
        "skipped",
        "score_out_of_scale",
        "repeated_answer",
    )
    loaded = {
        "hubspot.contacts": exports.contacts,
        "hubspot.companies": exports.companies,
        "hubspot.deals": exports.deals,
        "hubspot.deal_stage_history": exports.deal_stages,
        "hubspot.orders": exports.orders,
        "hubspot.deliveries": exports.deliveries,
        "hubspot.returns": exports.returns,
        "hubspot.activities": exports.activities,
        "qualtrics.responses": exports.responses,
        "qualtrics.distributions": exports.distributions,
        "zendesk.tickets": exports.tickets,
        "zendesk.users": exports.users,
        "zendesk.organizations": exports.organizations,
        "zendesk.ticket_audits": exports.audits,
        "zendesk.satisfaction_ratings": exports.ratings,
    }
    unreadable = {"hubspot.activities": len(exports.unreadable)}
    return {
        "nps": score(answers, "nps"),
        "csat": score(answers, "csat"),
        "ces": score(answers, "ces"),
        "excluded": {
            metric: {reason: excluded[metric, reason] for reason in reasons}
            for metric in ("nps", "csat", "ces")
        },
        "tickets": {
            status: statuses[status]
            for status in (
                "new",
                "open",
                "pending",
                "hold",
                "solved",
                "closed",
                "deleted",
            )
        },
        "touchpoints": count_touchpoints(exports),
        "customers_known": len(set(customers.versions) - set(customers.merged_into)),
        "merged_contacts": len(customers.merged_into),
        "rejects": unreadable,
        "rows": {
            feed: {
                "in_files": len(rows) + unreadable.get(feed, 0),
                "loaded": len(rows),
            }
            for feed, rows in loaded.items()
        },
        "orders": len(keep_last(exports.orders, "Record ID")),
        "deliveries": len(keep_last(exports.deliveries, "Record ID")),
        "returns": len(keep_last(exports.returns, "Record ID")),
        "deals": len(keep_last(exports.deals, "Record ID")),
        "responses": len(keep_last(exports.responses, "ResponseId")),
    }
