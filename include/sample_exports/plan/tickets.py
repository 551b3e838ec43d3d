"""Support: tickets, their requesters, organizations, audits and ratings.

In: the world. Out: one frame per Zendesk feed, one row per record of a page, with
`night`; and the tickets themselves, which surveys ask about. Times are UTC seconds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import AGENT_NAMES, TICKET_STATUSES
from include.sample_exports.company.comments import (
    CLOSINGS,
    find_checkout_text,
    read_ticket_texts,
)
from include.sample_exports.company.touchpoints import HOUR_WEIGHTS
from include.sample_exports.company.weeks import OFFICE_WEEK
from include.sample_exports.parameters import SampleParameters
from include.sample_exports.plan.deltas import keep_told
from include.sample_exports.plan.draws import (
    Stream,
    draw_by_group,
    draw_days,
    draw_lag,
    draw_seconds,
    draw_weighted,
    expect_per_day,
    open_stream,
)
from include.sample_exports.plan.local_days import DAY, HOUR, NEVER, IntArray, LocalDays
from include.sample_exports.plan.world import World, draw_contacts

TICKETS_PER_CUSTOMER = 0.045  # a night
USER_NUMBERS = 9_100_000_000_000
STRANGER_USERS = 9_300_000_000_000
AGENT_USERS = 9_000_000_000_000
ORGANIZATION_NUMBERS = 8_100_000_000_000
# Ticket channels by country, in the order of TICKET_CHANNELS.
CHANNEL_WEIGHTS = (
    (0.16, 0.12, 0.14, 0.06, 0.3, 0.12, 0.03, 0.06, 0.01),
    (0.3, 0.2, 0.18, 0.04, 0.06, 0.15, 0.03, 0.03, 0.01),
    (0.32, 0.18, 0.16, 0.02, 0.05, 0.2, 0.03, 0.03, 0.01),
    (0.34, 0.2, 0.16, 0.04, 0.06, 0.12, 0.03, 0.04, 0.01),
    (0.4, 0.2, 0.2, 0.04, 0.0, 0.1, 0.02, 0.03, 0.01),
    (0.2, 0.14, 0.16, 0.04, 0.26, 0.12, 0.03, 0.04, 0.01),
)
GROUP_OF_MARKET = (0, 1, 2, 0, 3, 1)
# While the checkout confuses, this share of the tickets in Portuguese is about it.
CONFUSED_FROM, CONFUSED_UNTIL, CONFUSED = 0.55, 0.75, 0.4  # of all days
WITHOUT_TOPIC, FLAGGED = 0.04, 0.75
NEW, OPEN, PENDING, HOLD, SOLVED, CLOSED, DELETED = range(7)
UNOFFERED, OFFERED, GOOD, BAD = range(4)
# The steps of a ticket's life, in order: what its audit says happened.
CREATED_STEP, REPLY_STEP, SOLVE_STEP, REOPEN_STEP, SOLVE_AGAIN_STEP = range(5)
RATE_STEP, CLOSE_STEP, DELETE_STEP = range(5, 8)


@dataclass
class Support:
    """Tickets and the rows that tell of them.

    tickets : one row per ticket: ticket_id, contact (-1 stranger), user_id, channel,
        created_at, solved_at, reopened_at, solved_again_at, deleted_at (or NEVER),
        language, market, topic (-1 none), is_flagged (as solved at the first contact)
    ticket_rows, audit_rows, rating_rows : one row per record of the feed, in order of
        night: what changed, and `ticket`, the row number in `tickets`
    user_rows, organization_rows : likewise, complete
    """

    tickets: pd.DataFrame
    ticket_rows: pd.DataFrame
    user_rows: pd.DataFrame
    organization_rows: pd.DataFrame
    audit_rows: pd.DataFrame
    rating_rows: pd.DataFrame

    def complete(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows of tickets, audits or ratings with all columns of their tickets."""
        complete = self.tickets.iloc[rows["ticket"].to_numpy()].reset_index(drop=True)
        return complete.assign(
            **{column: rows[column].to_numpy() for column in rows.columns}
        )


def build_support(
    parameters: SampleParameters, days: LocalDays, world: World
) -> Support:
    """Let the customers ask for help."""
    rng = open_stream(parameters.seed, Stream.TICKETS)
    tickets = _open_tickets(rng, parameters.customers, days, world)
    _open_again(open_stream(parameters.seed, Stream.REOPENED), tickets)
    _fill_fields(open_stream(parameters.seed, Stream.TICKET_FIELDS), days, tickets)
    steps = _live_through(rng, days, tickets)
    return Support(
        tickets=tickets,
        ticket_rows=keep_told(steps, days, "ticket"),
        user_rows=_register_users(rng, days, world, tickets),
        organization_rows=_register_organizations(rng, days, world),
        audit_rows=_audit(days, steps),
        rating_rows=_rate(days, steps),
    )


def _open_tickets(
    rng: np.random.Generator, customers: int, days: LocalDays, world: World
) -> pd.DataFrame:
    expected = expect_per_day(
        days, TICKETS_PER_CUSTOMER * customers, OFFICE_WEEK, growth=-0.1
    )
    # Both contacts of the merged pair, one deleted ticket and one stranger need one.
    day = draw_days(rng, expected, at_least=4)
    count = len(day)
    at = days.at(day, draw_seconds(rng, HOUR_WEIGHTS["office"], count))
    contact = draw_contacts(rng, world, at, customers_only=True)
    is_stranger = rng.random(count) < 0.03
    is_stranger[3] = True
    contact[:3] = world.featured
    is_stranger[:3] = False
    market = world.contacts["market"].to_numpy()[contact]
    language = world.contacts["language"].to_numpy()[contact]
    texts = read_ticket_texts()
    company = world.contacts["company"].to_numpy()[contact]
    first_reply = draw_lag(rng, 5 * HOUR, count, at_least=60)
    work = draw_lag(rng, 26 * HOUR, count, at_least=60)
    first_reply[:3], work[:3] = HOUR, 2 * HOUR
    solved_at = at + first_reply + work
    is_never_solved = rng.random(count) < 0.06
    is_rated = (rng.random(count) < 0.22) & ~is_never_solved
    is_rated[:2] = True
    is_never_solved[:3] = False
    hours = (solved_at - at) / HOUR
    is_deleted = rng.random(count) < 0.015
    # A ticket of the first day that surely is answered about and then deleted.
    is_deleted[:3] = (False, False, True)
    deleted_at = at + draw_lag(rng, 5 * DAY, count, at_least=2 * DAY)
    deleted_at[2] = at[2] + 4 * DAY
    return pd.DataFrame(
        {
            "ticket": np.arange(count),
            "ticket_id": 200_001 + np.arange(count),
            "contact": np.where(is_stranger, -1, contact),
            "user_id": np.where(
                is_stranger, STRANGER_USERS + np.arange(count), USER_NUMBERS + contact
            ),
            "market": market,
            "language": language,
            "channel": draw_by_group(rng, CHANNEL_WEIGHTS, market),
            "text": np.array(texts.first)[language]
            + rng.integers(0, 1_000, count) % np.array(texts.size)[language],
            "priority": draw_weighted(rng, (0.12, 0.5, 0.18, 0.05, 0.15), count) % 5,
            "type": draw_weighted(rng, (0.4, 0.25, 0.15, 0.05, 0.15), count),
            "organization": np.where(is_stranger, -1, company),
            "group": np.array(GROUP_OF_MARKET)[market],
            "agent": rng.integers(0, len(AGENT_NAMES), count),
            "created_at": at,
            "replied_at": at + first_reply,
            "reply_status": draw_weighted(rng, (0.5, 0.42, 0.08), count) + OPEN,
            "solved_at": np.where(is_never_solved, NEVER, solved_at),
            "rating": np.where(
                is_rated,
                np.where(rng.random(count) < 0.88 - np.minimum(hours, 90) / 200, 2, 3),
                UNOFFERED,
            ),
            "rated_at": np.where(
                is_rated, solved_at + draw_lag(rng, 8 * HOUR, count), NEVER
            ),
            "deleted_at": np.where(is_deleted, deleted_at, NEVER),
            "closing": _draw_closings(rng, language),
        }
    )


def _draw_closings(rng: np.random.Generator, language: IntArray) -> IntArray:
    sizes = np.array([len(closings) for closings in CLOSINGS.values()])
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    drawn = rng.integers(0, 1_000, len(language))
    closing: IntArray = first[language] + drawn % sizes[language]
    return closing


def _open_again(rng: np.random.Generator, tickets: pd.DataFrame) -> None:
    """Let some customers come back about a solved ticket; most within a week.

    Adds reopened_at and solved_again_at, or NEVER. Who rates a ticket is content.
    """
    count = len(tickets)
    solved_at = tickets["solved_at"].to_numpy()
    is_reopened = (
        (solved_at < NEVER)
        & (tickets["rated_at"].to_numpy() == NEVER)
        & (tickets["ticket"].to_numpy() >= 3)
        & (rng.random(count) < 0.06)
    )
    reopened_at = solved_at + rng.integers(2 * HOUR, 10 * DAY, count)
    solved_again_at = reopened_at + draw_lag(rng, 20 * HOUR, count, at_least=60)
    tickets["reopened_at"] = np.where(is_reopened, reopened_at, NEVER)
    tickets["solved_again_at"] = np.where(is_reopened, solved_again_at, NEVER)


def _fill_fields(
    rng: np.random.Generator, days: LocalDays, tickets: pd.DataFrame
) -> None:
    """Let the checkout confuse for some days, and agents fill in their fields.

    Changes `text` of some tickets; adds topic and is_flagged.
    """
    count = len(tickets)
    day = days.day_of(tickets["created_at"].to_numpy()) / days.count
    is_confused = (
        (tickets["language"].to_numpy() == 0)
        & (day >= CONFUSED_FROM)
        & (day < CONFUSED_UNTIL)
        & (rng.random(count) < CONFUSED)
    )
    text = np.where(is_confused, find_checkout_text(), tickets["text"].to_numpy())
    first = np.array(read_ticket_texts().first)[tickets["language"].to_numpy()]
    tickets["text"] = text
    tickets["topic"] = np.where(rng.random(count) < WITHOUT_TOPIC, -1, text - first)
    tickets["is_flagged"] = (rng.random(count) < FLAGGED) & (
        tickets["reopened_at"].to_numpy() == NEVER
    )


def _live_through(
    rng: np.random.Generator, days: LocalDays, tickets: pd.DataFrame
) -> pd.DataFrame:
    """The steps of every ticket that happen within the nights, in order of time.

    Columns: ticket, step, at, and what holds after it: status, rating; status_before.
    """
    count = len(tickets)
    solved_at = tickets["solved_at"].to_numpy()
    rated_at = tickets["rated_at"].to_numpy()
    deleted_at = tickets["deleted_at"].to_numpy()
    rating = tickets["rating"].to_numpy()
    is_solved = solved_at < NEVER
    again_at = tickets["solved_again_at"].to_numpy()
    last_solved_at = np.where(again_at < NEVER, again_at, solved_at)
    closed_at = (
        np.where(is_solved, last_solved_at, 0) + 4 * DAY + rng.integers(0, HOUR, count)
    )
    # Who rates a ticket that is closed by then changes nothing.
    is_rated = is_solved & (rated_at < NEVER) & (rated_at < closed_at - HOUR)
    unoffered = np.full(count, UNOFFERED)
    closing_rating = np.where(is_rated, rating, OFFERED)
    steps = (
        (CREATED_STEP, tickets["created_at"].to_numpy(), NEW, unoffered),
        (REPLY_STEP, tickets["replied_at"].to_numpy(), -1, unoffered),
        (SOLVE_STEP, solved_at, SOLVED, np.full(count, OFFERED)),
        (REOPEN_STEP, tickets["reopened_at"].to_numpy(), OPEN, unoffered),
        (SOLVE_AGAIN_STEP, again_at, SOLVED, np.full(count, OFFERED)),
        (RATE_STEP, np.where(is_rated, rated_at, NEVER), SOLVED, rating),
        (CLOSE_STEP, np.where(is_solved, closed_at, NEVER), CLOSED, closing_rating),
        (DELETE_STEP, deleted_at, DELETED, unoffered),
    )
    frames = []
    for step, at, status, rating_after in steps:
        is_lived = (at < days.end) & ((at <= deleted_at) | (step == DELETE_STEP))
        ticket = np.flatnonzero(is_lived)
        replied = tickets["reply_status"].to_numpy()[ticket]
        frames.append(
            pd.DataFrame(
                {
                    "ticket": ticket,
                    "step": step,
                    "at": at[ticket],
                    "status": replied if step == REPLY_STEP else status,
                    "rating": rating_after[ticket],
                }
            )
        )
    lived = pd.concat(frames, ignore_index=True)
    lived = lived.sort_values(["ticket", "at", "step"], ignore_index=True)
    before = lived["status"].shift(1, fill_value=-1)
    is_first = ~lived["ticket"].duplicated()
    return lived.assign(status_before=np.where(is_first, -1, before))


def _audit(days: LocalDays, steps: pd.DataFrame) -> pd.DataFrame:
    """One audit per step of a ticket."""
    audits = steps.assign(audit_id=5_000_000_001 + 7 * np.arange(len(steps)))
    return keep_told(audits, days, "audit_id")


def _rate(days: LocalDays, steps: pd.DataFrame) -> pd.DataFrame:
    """One rating per ticket that was rated."""
    rated = steps.loc[steps["step"] == RATE_STEP]
    rated = rated.assign(rating_id=6_000_000_001 + 3 * np.arange(len(rated)))
    return keep_told(rated, days, "rating_id")


def _register_users(
    rng: np.random.Generator, days: LocalDays, world: World, tickets: pd.DataFrame
) -> pd.DataFrame:
    """Requesters from their first ticket on, again when they change; agents at first.

    Every twelfth contact is known by e-mail only; strangers have an e-mail that the CRM
    does not know, or none.
    """
    first = tickets.drop_duplicates("user_id")
    count = len(first)
    contact = first["contact"].to_numpy()
    is_by_email = (contact % 12 == 7) & ~np.isin(contact, world.featured)
    requesters = pd.DataFrame(
        {
            "user_id": first["user_id"].to_numpy(),
            "contact": contact,
            "agent": -1,
            "language": first["language"].to_numpy(),
            "organization": first["organization"].to_numpy(),
            "created_at": first["created_at"].to_numpy(),
            "has_external_id": (contact >= 0) & ~is_by_email,
            "has_email": (contact >= 0) | (rng.random(count) < 0.6),
        }
    ).assign(at=first["created_at"].to_numpy())
    changed = requesters.loc[rng.random(count) < 0.04]
    changed = changed.assign(at=changed["at"] + draw_lag(rng, 6 * DAY, len(changed)))
    agents = pd.DataFrame(
        {
            "user_id": AGENT_USERS + np.arange(len(AGENT_NAMES) + 1),
            "contact": -1,
            "agent": np.arange(len(AGENT_NAMES) + 1),
            "language": np.arange(len(AGENT_NAMES) + 1) % 4,
            "organization": -1,
            "created_at": days.starts[0] - 300 * DAY,
            "has_external_id": False,
            "has_email": True,
            "at": days.starts[0] + 60,
        }
    )
    return keep_told(pd.concat([agents, requesters, changed]), days, "user_id")


def _register_organizations(
    rng: np.random.Generator, days: LocalDays, world: World
) -> pd.DataFrame:
    """Every company on the first night, the changed ones again."""
    companies = world.companies
    rows = companies.assign(
        organization=np.arange(len(companies)), at=days.starts[0] + 120
    )
    changed = world.company_changes
    again = rows.iloc[changed["company"]].assign(at=changed["at"].to_numpy())
    return keep_told(pd.concat([rows, again]), days, "organization")


def count_ticket_statuses(status: IntArray) -> dict[str, int]:
    """How many tickets have each status."""
    counts = np.bincount(status, minlength=len(TICKET_STATUSES))
    return {name: int(counts[code]) for code, name in enumerate(TICKET_STATUSES)}
