"""Zendesk's JSON pages out of the plan.

In: plan and landing. Out: <landing>/zendesk/<feed>/<batch date>/page_0001.json and
so on. The last record of a page is the first of the next: incremental exports repeat.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from include.sample_exports.company import catalogue
from include.sample_exports.company.comments import (
    CLOSINGS,
    REPLIES,
    TICKET_TOPICS,
    read_ticket_texts,
)
from include.sample_exports.export.landing_writer import LandingWriter, render_nights
from include.sample_exports.export.people import (
    render_addresses,
    render_company_names,
    render_names,
)
from include.sample_exports.export.render import (
    Text,
    escape_json,
    fill_json,
    join,
    take,
    write_integers,
    write_iso_times,
)
from include.sample_exports.export.zendesk_records import (
    API,
    AUDIT,
    ORGANIZATION,
    RATING,
    TICKET,
    USER,
)
from include.sample_exports.plan.local_days import IntArray
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.tickets import (
    AGENT_USERS,
    CREATED_STEP,
    DELETED,
    GOOD,
    ORGANIZATION_NUMBERS,
    RATE_STEP,
    REOPEN_STEP,
    REPLY_STEP,
    SOLVE_AGAIN_STEP,
    SOLVE_STEP,
    Support,
)
from include.sample_exports.plan.world import World

STEPS_WITH_COMMENTS = (REPLY_STEP, SOLVE_STEP, REOPEN_STEP, SOLVE_AGAIN_STEP)
GROUP_NUMBERS = 7_000_000_000_000
BOT_USER = AGENT_USERS + len(catalogue.AGENT_NAMES)
REPLY_TEXTS = escape_json([reply for replies in REPLIES.values() for reply in replies])


def write_zendesk(plan: Plan, landing: LandingWriter) -> None:
    """Write all Zendesk feeds."""
    support = plan.support
    feeds: tuple[tuple[str, str, pd.DataFrame, Callable[[pd.DataFrame], Text]], ...] = (
        (
            "tickets",
            "tickets",
            support.ticket_rows,
            partial(_render_tickets, support),
        ),
        ("users", "users", support.user_rows, partial(_render_users, plan.world)),
        (
            "organizations",
            "organizations",
            support.organization_rows,
            _render_organizations,
        ),
        (
            "ticket_audits",
            "audits",
            support.audit_rows,
            partial(_render_audits, support),
        ),
        (
            "satisfaction_ratings",
            "satisfaction_ratings",
            support.rating_rows,
            partial(_render_ratings, support),
        ),
    )
    for feed, record_path, rows, render in feeds:
        _write_pages(plan, landing, feed, record_path, rows, render)


def cut_pages(count: int, page_size: int) -> Iterator[tuple[int, int]]:
    """First and end record of each page of a night; pages overlap by one."""
    first = 0
    while True:
        end = min(first + page_size, count)
        yield first, end
        if end == count:
            return
        first = end - 1


def _write_pages(
    plan: Plan,
    landing: LandingWriter,
    feed: str,
    record_path: str,
    rows: pd.DataFrame,
    render: Callable[[pd.DataFrame], Text],
) -> None:
    opening = f'{{"{record_path}":['.encode()
    nights = render_nights(rows, plan.export_nights, render, plan.page_size)
    for night, parts in nights:
        day = plan.days.dates[night].isoformat()
        end_time = int(plan.days.starts[night + 1])
        number = 0
        for part in parts:
            for first, end in cut_pages(part.end - part.first, plan.page_size):
                number += 1
                records = part.lines.cut(part.first + first, part.first + end)
                is_last = part.is_last and part.first + end == part.end
                closing = _close_page(feed, end - first, end_time, is_last)
                landing.write(
                    f"zendesk/{feed}/{day}/page_{number:04d}.json",
                    # Every record is followed by a comma; the last one's goes.
                    [opening, records[: max(len(records) - 1, 0)], closing],
                )


def _close_page(feed: str, count: int, end_time: int, is_last: bool) -> bytes:
    address = f"{API}/incremental/{feed}.json?start_time={end_time}"
    closing = {
        "count": count,
        "end_of_stream": is_last,
        "next_page": None if is_last else address,
        "end_time": end_time,
    }
    return ("]," + json.dumps(closing, separators=(",", ":"))[1:]).encode()


def _render_tickets(support: Support, rows: pd.DataFrame) -> Text:
    rows = support.complete(rows)
    is_deleted = rows["status"].to_numpy() == DELETED
    texts = read_ticket_texts().texts
    subjects = escape_json([text.split("\0")[0] for text in texts] + ["SCRUBBED"])
    descriptions = escape_json([text.split("\0")[1] for text in texts] + ["X"])
    text = np.where(is_deleted, len(texts), rows["text"])
    priority, kind = rows["priority"].to_numpy(), rows["type"].to_numpy()
    channel = rows["channel"].to_numpy()
    is_messaging = np.isin(
        channel,
        [catalogue.TICKET_CHANNELS.index(c) for c in ("native_messaging", "whatsapp")],
    )
    closings = escape_json([one for some in CLOSINGS.values() for one in some])
    columns = {
        "id": write_integers(rows["ticket_id"]),
        "channel": take(catalogue.TICKET_CHANNELS, channel),
        "created_at": write_iso_times(rows["created_at"]),
        "updated_at": write_iso_times(rows["at"]),
        "type": take(catalogue.TICKET_TYPES, np.where(kind == 4, -1, kind)),
        "subject": take(subjects, text),
        "description": join(
            take(descriptions, text),
            take(closings, np.where(is_deleted, -1, rows["closing"])),
        ),
        "priority": take(catalogue.PRIORITIES, np.where(priority == 4, -1, priority)),
        "status": take(catalogue.TICKET_STATUSES, rows["status"]),
        "requester_id": write_integers(rows["user_id"]),
        "assignee_id": write_integers(_find_assignees(rows), blank=-1),
        "organization_id": _write_organization_ids(rows),
        "group_id": write_integers(GROUP_NUMBERS + rows["group"].to_numpy()),
        "topic": take(TICKET_TOPICS, rows["topic"]),
        "topic_tag": take((*TICKET_TOPICS, "no_topic"), rows["topic"].to_numpy() % 8),
        "is_flagged": take(("null", "false", "true"), _find_flags(rows)),
        "language": take(catalogue.LANGUAGES, rows["language"]),
        "satisfaction_rating": take(
            [
                f'{{"score":"{score}"}}'
                for score in ("unoffered", "offered", "good", "bad")
            ],
            rows["rating"],
        ),
        "custom_status_id": write_integers(900_000_000_000 + rows["status"].to_numpy()),
        "from_messaging_channel": take(("false", "true"), is_messaging.astype(int)),
        "generated_timestamp": write_integers(rows["at"].to_numpy() + 1),
    }
    return fill_json(TICKET, columns)


def _find_assignees(rows: pd.DataFrame) -> IntArray:
    """The agent from the first reply on, nobody before."""
    is_assigned = rows["step"].to_numpy() >= REPLY_STEP
    return np.where(is_assigned, AGENT_USERS + rows["agent"].to_numpy(), -1)


def _find_flags(rows: pd.DataFrame) -> IntArray:
    """1 or 2, not flagged or flagged, from the first solve on; 0 before."""
    is_solved = rows["step"].to_numpy() >= SOLVE_STEP
    return np.where(is_solved, 1 + rows["is_flagged"].to_numpy(), 0)


def _write_organization_ids(rows: pd.DataFrame) -> Text:
    organization = rows["organization"].to_numpy()
    numbers = np.where(organization < 0, -1, ORGANIZATION_NUMBERS + organization)
    return write_integers(numbers, blank=-1)


def _render_users(world: World, rows: pd.DataFrame) -> Text:
    contact, agent = rows["contact"].to_numpy(), rows["agent"].to_numpy()
    is_known, is_agent = contact >= 0, agent >= 0
    first_name, last_name = render_names(world, contact)
    agents = (*catalogue.AGENT_NAMES, catalogue.BOT_NAME)
    stranger = join("Visitor ", write_integers(rows["user_id"].to_numpy() % 10**6))
    name = pc.if_else(
        pa.array(is_known),
        join(first_name, " ", last_name),
        pc.if_else(pa.array(is_agent), take(agents, agent), stranger),
    )
    known_address = render_addresses(
        world, world.contacts["email"].to_numpy()[np.maximum(contact, 0)]
    )
    staff = join("agent", write_integers(agent), "@shop.example")
    unknown = join(
        "visitor", write_integers(rows["user_id"].to_numpy() % 10**6), "@who.example"
    )
    address = pc.if_else(
        pa.array(is_known),
        known_address,
        pc.if_else(pa.array(is_agent), staff, unknown),
    )
    nothing = pa.scalar(None, pa.string())
    number = write_integers(world.contacts["record_id"].to_numpy()[contact])
    has_number = pa.array(rows["has_external_id"].to_numpy())
    columns = {
        "id": write_integers(rows["user_id"]),
        "name": name,
        "email": pc.if_else(pa.array(rows["has_email"].to_numpy()), address, nothing),
        "created_at": write_iso_times(rows["created_at"]),
        "updated_at": write_iso_times(rows["at"]),
        "time_zone": take(
            ("Brasilia", "Madrid", "Bucharest", "London"), rows["language"]
        ),
        "phone": pc.if_else(
            pa.array(rows["has_email"].to_numpy()), nothing, pa.scalar("+550000000000")
        ),
        "locale": take(catalogue.LOCALES, rows["language"]),
        "organization_id": _write_organization_ids(rows),
        "role": take(("end-user", "agent"), is_agent.astype(np.int64)),
        "external_id": pc.if_else(has_number, number, nothing),
    }
    return fill_json(USER, columns)


def _render_organizations(rows: pd.DataFrame) -> Text:
    companies = rows.set_index("organization")
    number = companies.index.to_numpy()
    columns = {
        "id": write_integers(ORGANIZATION_NUMBERS + number),
        "name": pc.replace_substring(render_company_names(companies), '"', '\\"'),
        "external_id": write_integers(companies["record_id"]),
        "created_at": write_iso_times(companies["created_at"]),
        "updated_at": write_iso_times(companies["at"]),
        "domain_name": join("company", write_integers(number), ".example"),
    }
    return fill_json(ORGANIZATION, columns)


def _render_audits(support: Support, rows: pd.DataFrame) -> Text:
    rows = support.complete(rows)
    step = rows["step"].to_numpy()
    is_customer = np.isin(step, [CREATED_STEP, REOPEN_STEP, RATE_STEP])
    agent = AGENT_USERS + rows["agent"].to_numpy()
    is_human = np.isin(step, [REPLY_STEP, SOLVE_STEP, SOLVE_AGAIN_STEP])
    author = np.select([is_customer, is_human], [rows["user_id"], agent], BOT_USER)
    columns = {
        "id": write_integers(rows["audit_id"]),
        "ticket_id": write_integers(rows["ticket_id"]),
        "created_at": write_iso_times(rows["at"]),
        "author_id": write_integers(author),
        "client": take(("Browser", "Rules"), (~(is_customer | is_human)).astype(int)),
        "events": _write_events(rows, author),
        "via": take(
            (*catalogue.TICKET_CHANNELS, "rule"),
            np.where(
                is_customer | is_human, rows["channel"], len(catalogue.TICKET_CHANNELS)
            ),
        ),
    }
    return fill_json(AUDIT, columns)


def _write_events(rows: pd.DataFrame, author: IntArray) -> Text:
    """What each audit says: the first comment, replies, changes of the status."""
    step = rows["step"].to_numpy()
    number = write_integers(rows["audit_id"].to_numpy() * 10)
    after = take(catalogue.TICKET_STATUSES, rows["status"])
    before = take(catalogue.TICKET_STATUSES, rows["status_before"])
    texts = read_ticket_texts().texts
    descriptions = escape_json([text.split("\0")[1] for text in texts])
    is_solved = np.isin(step, [SOLVE_STEP, SOLVE_AGAIN_STEP]).astype(np.int64)
    body = pc.if_else(
        pa.array(np.isin(step, [CREATED_STEP, REOPEN_STEP])),
        take(descriptions, rows["text"]),
        take(REPLY_TEXTS, rows["language"].to_numpy() * 2 + is_solved),
    )
    comment = join(
        '{"id":',
        number,
        ',"type":"Comment","author_id":',
        write_integers(author),
        ',"body":"',
        body,
        '","public":true}',
    )
    created = join(
        ',{"id":',
        write_integers(rows["audit_id"].to_numpy() * 10 + 1),
        ',"type":"Create","field_name":"status","value":"new"}',
    )
    changed = join(
        '{"id":',
        write_integers(rows["audit_id"].to_numpy() * 10 + 2),
        ',"type":"Change","field_name":"status","value":"',
        after,
        '","previous_value":"',
        before,
        '"}',
    )
    rated = join(
        '{"id":',
        number,
        ',"type":"Change","field_name":"satisfaction_score","value":"',
        take(("good", "bad"), np.clip(rows["rating"].to_numpy() - GOOD, 0, 1)),
        '","previous_value":"offered"}',
    )
    events = pc.case_when(
        pc.make_struct(
            pa.array(step == CREATED_STEP),
            pa.array(np.isin(step, STEPS_WITH_COMMENTS)),
            pa.array(step == RATE_STEP),
        ),
        join(comment, created),
        join(comment, ",", changed),
        rated,
        changed,
    )
    return join("[", events, "]")


def _render_ratings(support: Support, rows: pd.DataFrame) -> Text:
    rows = support.complete(rows)
    comments = escape_json(
        ["Obrigado!", "Gracias 🙂", "Mulțumesc.", "Thanks", 'Demorou "demais"']
    )
    is_bad = rows["rating"].to_numpy() != GOOD
    comment = np.where(rows["ticket"] % 3 == 0, rows["language"], -1)
    comment = np.where((comment >= 0) & is_bad, 4, comment)
    columns = {
        "id": write_integers(rows["rating_id"]),
        "assignee_id": write_integers(AGENT_USERS + rows["agent"].to_numpy()),
        "group_id": write_integers(GROUP_NUMBERS + rows["group"].to_numpy()),
        "requester_id": write_integers(rows["user_id"]),
        "ticket_id": write_integers(rows["ticket_id"]),
        "score": take(("good", "bad"), is_bad.astype(np.int64)),
        "created_at": write_iso_times(rows["at"]),
        "comment": take(comments, comment),
    }
    return fill_json(RATING, columns)
