"""Qualtrics' CSV files out of the plan.

In: plan and landing. Out, below <landing>/qualtrics:
responses/<batch date>/<survey>__responses.csv with three header rows,
distributions/<batch date>/distributions.csv and reviews/<batch date>/reviews.csv.
"""

import csv
import io
import json
from functools import partial
from itertools import chain

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from include.sample_exports.company.catalogue import (
    ALL_STORES,
    LANGUAGES,
    USER_LANGUAGES,
)
from include.sample_exports.company.comments import (
    read_bodies,
    read_closings,
    read_openings,
)
from include.sample_exports.company.surveys import (
    BY_EMAIL,
    DELIVERY,
    DISTRIBUTION_CHANNELS,
    DISTRIBUTION_STATUSES,
    DRIVERS,
    INVITATION_CHANNELS,
    LINK_PARAMETERS,
    NOBODY,
    PURCHASE,
    RESPONSE_STATUSES,
    SURVEYS,
    Survey,
)
from include.sample_exports.export.landing_writer import LandingWriter, render_nights
from include.sample_exports.export.people import render_addresses, render_names
from include.sample_exports.export.render import (
    Numbers,
    Text,
    join,
    join_csv,
    quote_csv,
    take,
    write_integers,
    write_padded,
    write_times,
    write_vendor_ids,
)
from include.sample_exports.plan.local_days import NEVER, IntArray
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.reviews import REVIEW_SITES
from include.sample_exports.plan.world import World

DISTRIBUTION_HEADER = (
    "Distribution ID",
    "Contact ID",
    "Survey ID",
    "Channel",
    "Status",
    "External Data Reference",
    "Email",
    "Sent At",
    "Delivered At",
    "Opened At",
    "Response Started At",
    "Response Completed At",
    "Response ID",
    "Trigger Ticket ID",
    "Trigger Order ID",
    "Trigger Delivery ID",
)
REVIEW_HEADER = (
    "Review ID",
    "Site",
    "Rating",
    "Title",
    "Text",
    "Author",
    "Language",
    "Order Number",
    "Store",
    "Published At",
    "Updated At",
    "Replied At",
)
# name, text of the second header row, import id
META_COLUMNS = (
    ("StartDate", "Start Date", "startDate"),
    ("EndDate", "End Date", "endDate"),
    ("Status", "Response Type", "status"),
    ("IPAddress", "IP Address", "ipAddress"),
    ("Progress", "Progress", "progress"),
    ("Duration (in seconds)", "Duration (in seconds)", "duration"),
    ("Finished", "Finished", "finished"),
    ("RecordedDate", "Recorded Date", "recordedDate"),
    ("ResponseId", "Response ID", "_recordId"),
    ("RecipientLastName", "Recipient Last Name", "recipientLastName"),
    ("RecipientFirstName", "Recipient First Name", "recipientFirstName"),
    ("RecipientEmail", "Recipient Email", "recipientEmail"),
    ("ExternalReference", "External Data Reference", "externalDataReference"),
    ("LocationLatitude", "Location Latitude", "locationLatitude"),
    ("LocationLongitude", "Location Longitude", "locationLongitude"),
    ("DistributionChannel", "Distribution Channel", "distributionChannel"),
    ("UserLanguage", "User Language", "userLanguage"),
)
DATE_COLUMNS = {"StartDate", "EndDate", "RecordedDate"}
METRIC_QUESTIONS = {
    "nps": (
        "Q_NPS",
        "De 0 a 10, quanto você nos recomendaria a um amigo, colega ou familiar?",
    ),
    "csat": ("Q_CSAT", "Quão satisfeito você ficou, de 1 a 5?"),
    "ces": (
        "Q_CES",
        "A empresa facilitou a solução. De 1 (discordo totalmente) a 7 (concordo "
        "totalmente)?",
    ),
}
DRIVER_TEXTS = (
    "Os produtos resolvem o que eu preciso.",
    "É fácil fazer negócio com a empresa.",
    "Gosto de usar os produtos e serviços.",
    "A empresa responde rápido.",
    "O preço é justo pelo que recebo.",
)
COMMENT_QUESTION = ("Q_COMMENT", 'O que mais pesou na sua nota?\n("conte", se quiser)')
EMBEDDED = ("ticket_id", "order_id", "delivery_id", "touchpoint", "invitation_id")


def list_questions(survey: Survey) -> list[tuple[str, str]]:
    """(name, text) of the questions of a survey, in the order of its columns."""
    questions = [METRIC_QUESTIONS[metric] for metric in survey.metrics]
    if survey.has_drivers:
        questions += list(zip(DRIVERS, DRIVER_TEXTS, strict=True))
    return [*questions, COMMENT_QUESTION]


def write_qualtrics(plan: Plan, landing: LandingWriter) -> None:
    """Write all Qualtrics feeds."""
    rows = plan.listening.response_rows
    for code, survey in enumerate(SURVEYS):
        _write_responses(plan, landing, survey, rows.loc[rows["survey"] == code])
    _write_distributions(plan, landing)
    _write_reviews(plan, landing)


def _write_responses(
    plan: Plan, landing: LandingWriter, survey: Survey, rows: pd.DataFrame
) -> None:
    header = _header_rows(survey)
    render = partial(_render_responses, plan, survey)
    for night, parts in render_nights(rows, plan.export_nights, render):
        day = plan.days.dates[night].isoformat()
        landing.write(
            f"qualtrics/responses/{day}/{survey.survey_id}__responses.csv",
            chain([header], (part.cut() for part in parts)),
        )


def _header_rows(survey: Survey) -> bytes:
    """Names, texts and import ids, as Qualtrics writes them."""
    names, texts, imports = [], [], []
    for name, text, import_id in META_COLUMNS:
        names.append(name)
        texts.append(text)
        imported = {"ImportId": import_id}
        if name in DATE_COLUMNS:
            imported["timeZone"] = "Z"
        imports.append(json.dumps(imported, separators=(",", ":")))
    for number, (name, text) in enumerate(list_questions(survey), start=1):
        names.append(name)
        texts.append(text)
        ending = "_TEXT" if name == COMMENT_QUESTION[0] else ""
        imports.append(f'{{"ImportId":"QID{number}{ending}"}}')
    for name in EMBEDDED:
        names.append(name)
        texts.append(name)
        imports.append(f'{{"ImportId":"{name}"}}')
    text_rows = io.StringIO()
    csv.writer(text_rows, lineterminator="\n").writerows([names, texts, imports])
    return text_rows.getvalue().encode()


def write_distribution_ids(survey: Numbers, day: Numbers) -> Text:
    """Ids of mailings: one per survey and day."""
    return write_vendor_ids("EMD_", np.asarray(day) * 100 + np.asarray(survey))


def write_contact_ids(contact: Numbers) -> Text:
    """Qualtrics' ids of the invited people."""
    number = np.asarray(contact)
    return write_vendor_ids("CID_", np.where(number < 0, -1, number + 7 * 10**9))


def write_response_ids(response: Numbers) -> Text:
    """Qualtrics' ids of the responses."""
    number = np.asarray(response)
    return write_vendor_ids("R_", np.where(number < 0, -1, number + 3 * 10**12))


def _render_responses(plan: Plan, survey: Survey, rows: pd.DataFrame) -> Text:
    world = plan.world
    is_named = rows["reference"].to_numpy() != NOBODY
    first_name, last_name = render_names(world, np.where(is_named, rows["contact"], -1))
    duration = (rows["ended_at"] - rows["started_at"]).to_numpy()
    is_finished = rows["is_finished"].to_numpy()
    place = rows["place"].to_numpy()
    progress = np.where(is_finished, 100, 10 + place % 80)
    is_precise = place % 4 != 0
    columns = [
        write_times(rows["started_at"]),
        write_times(rows["ended_at"]),
        take(RESPONSE_STATUSES, rows["status"]),
        # Addresses for documentation (RFC 5737).
        join("203.0.113.", write_integers(place % 254 + 1)),
        write_integers(progress),
        write_integers(duration),
        take(("False", "True"), is_finished.astype(np.int64)),
        write_times(rows["recorded_at"]),
        write_response_ids(rows["response"]),
        quote_csv(last_name),
        quote_csv(first_name),
        _write_addresses(world, rows),
        write_integers(rows["reference_id"], blank=-1),
        _write_degrees(np.where(is_precise, place % 40, -1), place),
        _write_degrees(np.where(is_precise, place % 70, -1), place // 7),
        take(DISTRIBUTION_CHANNELS, rows["distribution_channel"]),
        take(USER_LANGUAGES, rows["language"]),
    ]
    for name, _ in list_questions(survey):
        if name == COMMENT_QUESTION[0]:
            columns.append(_write_comments(rows))
        elif name in DRIVERS:
            columns.append(write_integers(rows[name], blank=-1))
        else:
            metric = name.removeprefix("Q_").lower()
            columns.append(write_integers(rows[metric], blank=-1))
    nothing = np.full(len(rows), -1)
    for kind in ("ticket", "order", "delivery"):
        object_id = rows["object_id"] if survey.object == kind else nothing
        columns.append(write_integers(object_id, blank=-1))
    columns.append(take(LINK_PARAMETERS, rows["parameter"]))
    columns.append(_write_invitation_ids(plan, rows["invitation"].to_numpy()))
    return join_csv(columns)


def _write_addresses(world: World, rows: pd.DataFrame) -> Text:
    """Addresses as typed: some in capitals, some with a blank behind."""
    email = rows["email"].to_numpy()
    style = rows["email_style"].to_numpy()
    is_shown = (email >= 0) & ((rows["reference"].to_numpy() == BY_EMAIL) | (style < 8))
    address = render_addresses(world, np.maximum(email, 0))
    is_capital = pa.array(style == 3)
    address = pc.if_else(is_capital, pc.utf8_upper(address), address)
    address = join(address, take(("", " "), (style == 5).astype(np.int64)))
    return pc.if_else(pa.array(is_shown), address, pa.scalar(None, pa.string()))


def _write_degrees(whole: IntArray, digits: IntArray) -> Text:
    """Latitudes and longitudes of nowhere in particular; null where negative."""
    number = join("-", write_integers(whole), ".", write_padded(digits % 10_000, 4))
    return pc.if_else(pa.array(whole >= 0), number, pa.scalar(None, pa.string()))


def _write_comments(rows: pd.DataFrame) -> Text:
    opening = take(read_openings().texts, rows["opening"])
    body = take(read_bodies().texts, rows["body"])
    closing = take(read_closings().texts, rows["closing"])
    blank = take((" ",), np.where(rows["opening"] < 0, -1, 0))
    return quote_csv(join(opening, blank, body, closing))


def _write_invitation_ids(plan: Plan, invitation: IntArray) -> Text:
    found = plan.listening.invitations.iloc[np.maximum(invitation, 0)]
    text = join(
        write_distribution_ids(found["survey"], found["day"]),
        ":",
        write_contact_ids(found["contact"]),
    )
    return pc.if_else(pa.array(invitation >= 0), text, pa.scalar(None, pa.string()))


def _write_distributions(plan: Plan, landing: LandingWriter) -> None:
    header = (",".join(DISTRIBUTION_HEADER) + "\n").encode()
    rows = plan.listening.distribution_rows
    render = partial(_render_distributions, plan)
    for night, parts in render_nights(rows, plan.export_nights, render):
        day = plan.days.dates[night].isoformat()
        landing.write(
            f"qualtrics/distributions/{day}/distributions.csv",
            chain([header], (part.cut() for part in parts)),
        )


def _render_distributions(plan: Plan, rows: pd.DataFrame) -> Text:
    contacts = plan.world.contacts
    told = plan.listening.invitations.iloc[rows["invitation"]]
    contact = told["contact"].to_numpy()
    at = rows["at"].to_numpy()

    def write_past(column: str) -> Text:
        """A time, blank when it had not come yet."""
        time = told[column].to_numpy()
        return write_times(np.where(time <= at, time, NEVER))

    return join_csv(
        [
            write_distribution_ids(told["survey"], told["day"]),
            write_contact_ids(contact),
            take([survey.survey_id for survey in SURVEYS], told["survey"]),
            take(INVITATION_CHANNELS, told["channel"]),
            take(DISTRIBUTION_STATUSES, rows["status"]),
            write_integers(contacts["record_id"].to_numpy()[contact]),
            render_addresses(plan.world, contacts["email"].to_numpy()[contact]),
            write_times(told["sent_at"]),
            write_past("delivered_at"),
            write_past("opened_at"),
            write_past("started_at"),
            write_past("completed_at"),
            write_response_ids(rows["response"]),
            *(
                write_integers(_find_triggers(told, survey), blank=-1)
                for survey in (-1, PURCHASE, DELIVERY)
            ),
        ]
    )


def _find_triggers(told: pd.DataFrame, survey: int) -> IntArray:
    """The orders or deliveries that sent the invitations of a survey, else -1."""
    is_sent_by = told["is_triggered"] & (told["survey"] == survey)
    return np.where(is_sent_by, told["object_id"], -1)


def _write_reviews(plan: Plan, landing: LandingWriter) -> None:
    header = (",".join(REVIEW_HEADER) + "\n").encode()
    rows = plan.listening.review_rows
    render = partial(_render_reviews, plan)
    for night, parts in render_nights(rows, plan.export_nights, render):
        day = plan.days.dates[night].isoformat()
        landing.write(
            f"qualtrics/reviews/{day}/reviews.csv",
            chain([header], (part.cut() for part in parts)),
        )


def _render_reviews(plan: Plan, rows: pd.DataFrame) -> Text:
    """A review's title is an opening without its comma, its text the rest."""
    first_name, last_name = render_names(plan.world, rows["contact"].to_numpy())
    title = take(read_openings().texts, rows["opening"])
    initial = pc.utf8_slice_codeunits(last_name, 0, 1)
    return join_csv(
        [
            write_vendor_ids("RV_", rows["review"], 11),
            take(REVIEW_SITES, rows["site"]),
            write_integers(rows["rating"]),
            quote_csv(pc.utf8_rtrim(title, ",:")),
            quote_csv(
                join(
                    take(read_bodies().texts, rows["body"]),
                    take(read_closings().texts, rows["closing"]),
                )
            ),
            quote_csv(join(first_name, " ", initial, ".")),
            take(LANGUAGES, rows["language"]),
            _write_order_numbers(rows),
            quote_csv(take(ALL_STORES, rows["store"])),
            write_times(rows["published_at"]),
            write_times(rows["at"]),
            write_times(rows["replied_at"]),
        ]
    )


def _write_order_numbers(rows: pd.DataFrame) -> Text:
    """The order as the CRM or as the customer calls it; null where there is none."""
    number = write_integers(rows["order_id"], blank=-1)
    seen = join("#", write_integers(rows["order_id"].to_numpy() % 10**7))
    by_customer = (rows["order_id"] >= 0) & (rows["review"] % 2 == 1)
    return pc.if_else(pa.array(by_customer.to_numpy()), seen, number)
