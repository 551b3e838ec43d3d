"""A second, slow and plain way to the truth: read the files, follow the rules, count.

In: a landing folder with HubSpot, Qualtrics and Zendesk exports. Out: `read_truth`, the
same figures as truth.json. It shares no code with `include.sample_exports`: csv, json,
dictionaries and loops, and the rules written down once more.
"""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from include.settings import PROJECT_FOLDER

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
    ("CALL", "follow_up_call"): ("follow_up_call", "loyalty", "phone"),
    ("EMAIL", "follow_up_mail_sent"): ("follow_up_mail", "loyalty", "e-mail"),
    ("EMAIL", "survey_thanks_sent"): ("survey_thanks", "loyalty", "e-mail"),
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

# touchpoint -> environment, owner area, whether a touch moves the customer
TRAITS = {
    row["touchpoint"]: (
        row["environment"],
        row["owner_area"],
        row["advances_stage"] == "true",
    )
    for row in csv.DictReader(
        (PROJECT_FOLDER / "dbt_project/seeds/touchpoints.csv").open(encoding="utf-8")
    )
}
CONFIDENTIAL = "SV_CSAT_COMPLAINT"
LOOK_BACK = timedelta(days=7)
ATTRIBUTED = ("stage", "touchpoint", "channel", "environment", "owner_area", "product")

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
    "touchpoint": lambda answer: answer["touchpoint"],
    "environment": lambda answer: answer["environment"],
    "owner_area": lambda answer: answer["owner_area"],
    "product": lambda answer: answer["product"],
    "language": lambda answer: answer["language"],
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
    reviews: list[dict]
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
        reviews=read_csv_feed(qualtrics / "reviews"),
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

    def find(self, number: str, email: str) -> str | None:
        """The contact behind a number, else behind an address."""
        if number in self.versions or number in self.merged_into:
            return self.survive(number)
        email = email.strip().lower()
        if email and email in self.by_email:
            return self.survive(self.by_email[email])
        return None

    def name_respondent(self, response: dict) -> str:
        """The contact, or a name of one's own for whoever matches none."""
        number, email = response["ExternalReference"], response["RecipientEmail"]
        contact = self.find(number, email)
        if contact:
            return contact
        if number or email:
            return f"{number}:{email.strip().lower()}"
        return f"response {response['ResponseId']}"

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


class Happened:
    """Touches of every customer, and the things that answers may be about."""

    def __init__(self, exports: Exports, customers: Customers) -> None:
        self.customers = customers
        self.objects: dict[tuple[str, str], tuple[str, tuple, str]] = {}
        self.touches: dict[str, list[tuple[datetime, tuple, str]]] = defaultdict(list)
        self.invitations: dict[str, dict] = {}
        orders = keep_last(exports.orders, "Record ID")
        lines = {number: row["Product Line"] for number, row in orders.items()}
        for number, row in orders.items():
            who = self.follow(row["Associated Contact ID"])
            rule, product = ORDER_RULES[row["Sales Channel"]], row["Product Line"]
            self.objects["order", number] = (who, rule, product)
            self.touch(who, row["Order Date"], rule, product)
        for number, row in keep_last(exports.deliveries, "Record ID").items():
            who = self.follow(row["Associated Contact ID"])
            rule = DELIVERY_RULES[row["Delivery Method"]]
            product = lines.get(row["Order ID"], UNKNOWN)
            self.objects["delivery", number] = (who, rule, product)
            if row["Delivered Date"]:
                self.touch(who, row["Delivered Date"], rule, product)
        for row in keep_last(exports.returns, "Record ID").values():
            who = self.follow(row["Associated Contact ID"])
            product = lines.get(row["Order ID"], UNKNOWN)
            self.touch(who, row["Return Date"], RETURN_RULE, product)
        for row in keep_last(exports.activities, "Record ID").values():
            rule = ACTIVITY_RULES.get((row["Activity Type"], row["Event"]), UNMAPPED)
            number = row["Associated Contact ID"]
            if number:
                self.touch(self.follow(number), row["Activity Date"], rule, UNKNOWN)
        users = {row["id"]: row for row in exports.users}
        for number, row in keep_latest_tickets(exports.tickets).items():
            user = users[row["requester_id"]]
            contact = customers.find(user["external_id"] or "", user["email"] or "")
            who = contact or f"user {user['id']}"
            rule = TICKET_RULES.get(row["via"]["channel"], OTHER_TICKET)
            self.objects["ticket", str(number)] = (who, rule, UNKNOWN)
            if row["status"] != "deleted":
                self.touch(who, row["created_at"], rule, UNKNOWN)
        for row in exports.distributions:
            key = f"{row['Distribution ID']}:{row['Contact ID']}"
            self.invitations[key] = row

    def follow(self, number: str) -> str:
        return self.customers.find(number, "") or f"contact {number}"

    def touch(self, who: str, at: str, rule: tuple, product: str) -> None:
        self.touches[who].append((read_utc(at), rule, product))

    def look_back(self, who: str, sent: datetime, stage: str | None) -> list[tuple]:
        """The last advancing touches before the invitation, all of one moment."""
        seen = [
            touch
            for touch in self.touches[who]
            if sent - LOOK_BACK <= touch[0] < sent
            and TRAITS.get(touch[1][0], ("", "", False))[2]
            and stage in (None, touch[1][1])
        ]
        return [touch for touch in seen if touch[0] == max(one[0] for one in seen)]


def attribute(response: dict, happened: Happened, who: str) -> dict:
    """What a response is about, by the first rule that gives a stage."""
    survey = response["_file"]
    if "RELATIONAL" in survey:
        return describe_touches("relational", [])
    for kind in ("ticket", "order", "delivery"):
        if response[f"{kind}_id"]:
            thing = happened.objects.get((kind, response[f"{kind}_id"]))
            return describe_thing("explicit_id", thing, who)
    if response["touchpoint"]:
        rule = BY_NAME.get(response["touchpoint"])
        touches = [(None, rule, UNKNOWN)] if rule else []
        return describe_touches("link_parameter" if rule else "unattributed", touches)
    invitation = happened.invitations.get(response["invitation_id"])
    if invitation:
        for kind in ("ticket", "order", "delivery"):
            number = invitation[f"Trigger {kind.title()} ID"]
            if (kind, number) in happened.objects:
                thing = happened.objects[kind, number]
                return describe_thing("invitation_trigger", thing, who)
    stage = REGISTERED_STAGES.get(survey)
    touches = []
    if invitation:
        touches = happened.look_back(who, read_utc(invitation["Sent At"]), stage)
    if stage:
        return {**describe_touches("registered_stage", touches), "stage": stage}
    about = describe_touches("last_touch", touches)
    if not touches:
        about["method"] = "unattributed"
    elif about["stage"] == UNKNOWN:
        return describe_touches("ambiguous", [])
    return about


def describe_thing(method: str, thing: tuple | None, who: str) -> dict:
    if thing is None:
        return describe_touches("unattributed", [])
    owner, rule, product = thing
    is_conflict = owner != who and not who.startswith("response ")
    about = describe_touches(method, [(None, rule, product)])
    return {**about, "is_conflict": is_conflict}


def describe_touches(method: str, touches: list[tuple]) -> dict:
    """What the touches have in common."""
    described = [
        (rule[1], rule[0], rule[2], *TRAITS[rule[0]][:2], product)
        for _, rule, product in touches
    ]
    shared = [
        values[0] if len(set(values)) == 1 else UNKNOWN
        for values in zip(*described, strict=True)
    ] or [UNKNOWN] * len(ATTRIBUTED)
    return {
        "method": method,
        "is_conflict": False,
        **dict(zip(ATTRIBUTED, shared, strict=True)),
    }


def list_answers(exports: Exports) -> list[dict]:
    """One dict per response and scored question, with `reason` ("" if it counts)."""
    customers = Customers(exports.contacts)
    happened = Happened(exports, customers)
    answers = []
    for response in keep_last(exports.responses, "ResponseId").values():
        day = exports.local_date(response["RecordedDate"])
        who = customers.name_respondent(response)
        contact = customers.find(
            response["ExternalReference"], response["RecipientEmail"]
        )
        segment, country = customers.describe(contact, day)
        about = attribute(response, happened, who)
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
                    "is_confidential": response["_file"] == CONFIDENTIAL,
                    "customer": who,
                    "language": response["UserLanguage"].lower(),
                    "segment": segment,
                    "country": country,
                    **about,
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
                groups[key].append(answer)
    scored = []
    for (kind, month, breakdown, value), given in groups.items():
        head = {
            "survey_kind": kind,
            "month": month,
            "breakdown": breakdown,
            "value": value,
            "respondents": len({answer["customer"] for answer in given}),
        }
        scores = [int(answer["score"]) for answer in given]
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
        "easy_share": round(100 * sum(one >= 5 for one in scores) / len(scores), 4),
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


def count_by(rows: Iterable[tuple[dict, dict]]) -> list[dict]:
    """Sums of the second dicts by the first, as truth.json lists them, in order."""
    sums: dict[tuple, Counter] = defaultdict(Counter)
    for keys, numbers in rows:
        sums[tuple(keys.items())].update(dict.fromkeys(numbers, 0))
        sums[tuple(keys.items())].update(numbers)
    return [{**dict(keys), **sums[keys]} for keys in sorted(sums)]


def count_attributions(answers: list[dict]) -> list[dict]:
    """Answers by method, survey and what they are about; not by the stage that was
    open when a relational survey was sent: this reading knows no visits."""
    return count_by(
        (
            {
                "attribution_method": answer["method"],
                "survey_id": answer["survey"],
                "metric": answer["metric"],
                "journey_stage": answer["stage"],
                "touchpoint": answer["touchpoint"],
                "experience_channel": answer["channel"],
                "environment": answer["environment"],
                "owner_area": answer["owner_area"],
                "product": answer["product"],
            },
            {"answers": 1, "identity_conflicts": int(answer["is_conflict"])},
        )
        for answer in answers
        if not answer["is_confidential"]
    )


def count_response_funnel(exports: Exports, last_night: date) -> list[dict]:
    """What became of the invitations by day of sending and survey."""
    customers = Customers(exports.contacts)
    invitations: dict[tuple, dict] = {}
    statuses = defaultdict(set)
    for row in exports.distributions:
        key = (row["Distribution ID"], row["Contact ID"])
        invitations[key] = row
        statuses[key].add(row["Status"])
    rows = []
    last_delivered: dict[tuple[str, str], date] = {}
    for key, row in sorted(
        invitations.items(), key=lambda item: (item[1]["Sent At"], item[0])
    ):
        if row["Survey ID"] == CONFIDENTIAL:
            continue
        sent = exports.local_date(row["Sent At"])
        kind = "relational" if "RELATIONAL" in row["Survey ID"] else "transactional"
        is_delivered = not statuses[key] & {"Bounced", "Failed"}
        number = row["External Data Reference"]
        who = customers.find(number, row["Email"]) or number
        is_breach = False
        if is_delivered:
            before = last_delivered.get((who, kind))
            rest = 180 if kind == "relational" else 90
            is_breach = before is not None and (sent - before).days < rest
            last_delivered[who, kind] = sent
        finished = row["Response Completed At"]
        in_time = bool(finished) and (
            read_utc(finished) - read_utc(row["Sent At"]) < timedelta(hours=672)
        )
        rows.append(
            (
                {"sent_date": sent.isoformat(), "survey_id": row["Survey ID"]},
                {
                    "invited": 1,
                    "delivered": int(is_delivered),
                    "delivery_assumed": int(
                        is_delivered and not row["Delivered At"] + row["Opened At"]
                    ),
                    "opened": int(is_delivered and bool(row["Opened At"])),
                    "started": int(is_delivered and bool(row["Response Started At"])),
                    "finished": int(is_delivered and in_time),
                    "finished_late": int(
                        is_delivered and bool(finished) and not in_time
                    ),
                    "fatigue_breaches": int(is_breach),
                },
            )
        )
    return [
        {
            **row,
            "is_mature": date.fromisoformat(row["sent_date"]) + timedelta(days=28)
            <= last_night,
        }
        for row in count_by(rows)
    ]


def count_deliveries(exports: Exports, last_night: date) -> list[dict]:
    """Deliveries by local month of shipping and method."""
    rows = []
    orders = keep_last(exports.orders, "Record ID")
    for row in keep_last(exports.deliveries, "Record ID").values():
        order = orders.get(row["Order ID"])
        ordered = order and exports.local_date(order["Order Date"])
        shipped = exports.local_date(row["Shipped Date"])
        promised = date.fromisoformat(row["Promised Date"])
        arrived = row["Delivered Date"] and exports.local_date(row["Delivered Date"])
        is_on_time = bool(arrived) and arrived <= promised
        rows.append(
            (
                {
                    "month": f"{shipped:%Y-%m}",
                    "delivery_method": row["Delivery Method"],
                },
                {
                    "deliveries": 1,
                    "delivered": int(bool(arrived)),
                    "on_time": int(is_on_time),
                    "late": int(
                        not is_on_time and (bool(arrived) or promised <= last_night)
                    ),
                    "same_day": int(bool(arrived) and arrived == ordered),
                },
            )
        )
    return count_by(rows)


def read_truth(exports: Exports) -> dict[str, object]:
    """The figures of truth.json, out of the files."""
    last_night = max(row["_night"] for row in exports.contacts)
    every_answer = list_answers(exports)
    answers = [row for row in every_answer if not row["is_confidential"]]
    confidential = [row for row in every_answer if row["is_confidential"]]
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
        "qualtrics.reviews": exports.reviews,
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
        "confidential": score(confidential, "csat"),
        "attributions": count_attributions(answers),
        "response_funnel": count_response_funnel(exports, last_night),
        "deliveries_by_month": count_deliveries(exports, last_night),
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
