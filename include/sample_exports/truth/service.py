"""How tickets were served: replies, promises kept, first contacts, causes.

In: a plan and what happened in it. Out: rows of truth.json by local month of the
tickets' creation. Opening hours and promises are the company's, as the project's seeds
have them; when working minutes are over is walked hour by hour, day after day.
"""

import csv
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from include.sample_exports.company.catalogue import PRIORITIES, TICKET_CAUSES
from include.sample_exports.company.comments import TICKET_TOPICS
from include.sample_exports.company.surveys import SUPPORT
from include.sample_exports.company.touchpoints import TOUCHPOINTS
from include.sample_exports.export.zendesk import GROUP_NUMBERS
from include.sample_exports.plan.local_days import DAY, NEVER
from include.sample_exports.plan.plan import Plan
from include.sample_exports.plan.tickets import (
    DELETED,
    REOPEN_STEP,
    REPLY_STEP,
    SOLVE_AGAIN_STEP,
    SOLVE_STEP,
    SOLVED,
)
from include.sample_exports.truth.facts import name_months
from include.sample_exports.truth.scores import Record
from include.sample_exports.truth.touches import Contacts
from include.seeds import SEEDS_FOLDER
from include.settings import PROJECT_FOLDER

WINDOW = 7 * DAY
CONFIRMS_FROM = 4
REPLIES = (REPLY_STEP, SOLVE_STEP, SOLVE_AGAIN_STEP)
UNMAPPED = "(unmapped)"


def count_service(
    plan: Plan, contacts: Contacts, responses: pd.DataFrame, answers: pd.DataFrame
) -> list[Record]:
    """What became of the tickets that were created in each month."""
    tickets = _serve(plan, contacts, responses, answers)
    months = name_months(plan.days, tickets["created_at"])
    return [
        _count_month(str(month), tickets.loc[months == month])
        for month in np.unique(months)
    ]


def _count_month(month: str, tickets: pd.DataFrame) -> Record:
    minutes = (tickets["replied_at"] - tickets["created_at"]).dropna() / 60
    is_solved = tickets["solved_at"].notna()
    counts = {
        "created": len(tickets),
        "replied": len(minutes),
        "unreplied": int((tickets["replied_at"].isna() & ~tickets["is_done"]).sum()),
        "agent_judged": int(is_solved.sum()),
        "agent_flagged": int((is_solved & tickets["shows_flag"]).sum()),
        "customer_judged": int(tickets["confirmed"].notna().sum()),
        "customer_confirmed": int((tickets["confirmed"] == 1).sum()),
        "mature_solved": int(tickets["is_mature"].sum()),
        "no_repeat": int((tickets["is_mature"] & ~tickets["is_repeated"]).sum()),
    }
    clocks = {
        f"{metric}_{status}": int((tickets[metric] == status).sum())
        for metric in ("first_reply", "resolution")
        for status in ("met", "breached", "running")
    }
    median = round(float(minutes.median()), 6) if len(minutes) else None
    return {
        "month": month,
        **counts,
        **clocks,
        "first_reply_minutes_median": median,
    }


def _serve(
    plan: Plan, contacts: Contacts, responses: pd.DataFrame, answers: pd.DataFrame
) -> pd.DataFrame:
    """One row per ticket that is not deleted, with what became of it."""
    tickets = contacts.tickets
    tickets = tickets.loc[tickets["status"] != DELETED].reset_index(drop=True)
    audits = plan.support.audit_rows

    def find_first(steps: tuple[int, ...]) -> pd.Series:
        told = audits.loc[audits["step"].isin(steps)]
        found: pd.Series = told.groupby("ticket")["at"].min().reindex(tickets["ticket"])
        return found.reset_index(drop=True)

    tickets["replied_at"] = find_first(REPLIES)
    tickets["solved_at"] = find_first((SOLVE_STEP,))
    tickets["again_at"] = find_first((REOPEN_STEP,))
    tickets["is_done"] = tickets["status"] >= SOLVED
    tickets["shows_flag"] = tickets["is_flagged"] & (tickets["step"] >= SOLVE_STEP)
    until = tickets["solved_at"] + WINDOW
    tickets["is_mature"] = until <= plan.days.end
    tickets["is_repeated"] = (tickets["again_at"] <= until) | _find_repeats(tickets)
    tickets["confirmed"] = _find_confirmations(tickets, responses, answers)
    hours = _Hours()
    promises = _read_seed("sla_policies")
    for metric in ("first_reply", "resolution"):
        done = tickets["replied_at" if metric == "first_reply" else "solved_at"]
        statuses = []
        created = zip(
            *(tickets[name] for name in ("created_at", "group", "priority")),
            strict=True,
        )
        for asked, at in zip(created, done, strict=True):
            due = _find_due(plan, hours, promises, metric, *map(int, asked))
            if at == at:  # a number
                statuses.append("met" if at <= due else "breached")
            else:
                statuses.append("breached" if due < plan.days.end else "running")
        tickets[metric] = statuses
    return tickets


def _find_repeats(tickets: pd.DataFrame) -> np.ndarray:
    """Whose customer opened another ticket on the topic, from the creation on."""
    created_at = tickets["created_at"].to_numpy()
    until = tickets["solved_at"].to_numpy() + WINDOW
    is_repeated = np.zeros(len(tickets), dtype=bool)
    for alike in tickets.groupby(["customer", "topic"]).indices.values():
        for row in alike:
            others = created_at[alike]
            # What was never solved is compared with no number.
            within = (others > created_at[row]) & (others <= until[row])
            is_repeated[row] = within.any()
    return is_repeated


def _find_confirmations(
    tickets: pd.DataFrame, responses: pd.DataFrame, answers: pd.DataFrame
) -> pd.Series:
    """1 or 0: what the ticket's customer said about it last; empty: nothing."""
    said = answers.loc[
        (answers["survey"] == SUPPORT)
        & (answers["metric"] == "csat")
        & (answers["reason"] == "")
        & (answers["attribution_method"] == "explicit_id")
    ]
    about = responses.set_index("response")["object_id"]
    said = said.assign(ticket_id=about.reindex(said["response"]).to_numpy())
    customers = tickets.set_index("ticket_id")["customer"]
    is_own = customers.reindex(said["ticket_id"]).to_numpy() == said["customer"]
    said = said.loc[is_own].sort_values("recorded_at", kind="stable")
    last = said.drop_duplicates("ticket_id", keep="last").set_index("ticket_id")
    confirmed = (last["score"] >= CONFIRMS_FROM).astype(float)
    found: pd.Series = confirmed.reindex(tickets["ticket_id"]).reset_index(drop=True)
    return found.where(tickets["solved_at"].notna())


def count_contacts(plan: Plan, contacts: Contacts) -> list[Record]:
    """Tickets by month and cause."""
    kept = contacts.tickets.loc[contacts.tickets["status"] != DELETED]
    causes = [
        TICKET_CAUSES[TICKET_TOPICS[topic]] if topic >= 0 else (UNMAPPED, UNMAPPED)
        for topic in kept["topic"]
    ]
    found = Counter(
        (str(month), *cause)
        for month, cause in zip(
            name_months(plan.days, kept["created_at"]), causes, strict=True
        )
    )
    stages = {one.name: one.stage for one in TOUCHPOINTS} | {UNMAPPED: UNMAPPED}
    return [
        {
            "month": month,
            "cause_stage": stages[touchpoint],
            "cause_touchpoint": touchpoint,
            "cause_area": area,
            "contacts": count,
        }
        for (month, touchpoint, area), count in sorted(found.items())
    ]


def _read_seed(name: str) -> list[dict[str, str]]:
    path = PROJECT_FOLDER / SEEDS_FOLDER / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _find_due(
    plan: Plan,
    hours: "_Hours",
    promises: list[dict[str, str]],
    metric: str,
    created_at: int,
    group_code: int,
    priority_code: int,
) -> float:
    """When the promise that held at the creation of the ticket is due, UTC seconds."""
    day = plan.days.dates[int(plan.days.day_of(created_at))].isoformat()
    group = str(GROUP_NUMBERS + group_code)
    priority = (*PRIORITIES, "")[priority_code]
    for promise in sorted(promises, key=lambda promise: int(promise["priority"])):
        if (
            promise["sla_metric"] == metric
            and promise["source_system"] in ("", "zendesk")
            and promise["group_id"] in ("", group)
            and promise["ticket_priority"] in ("", priority)
            and promise["valid_from"] <= day
            and day < (promise["valid_to"] or "9999")
        ):
            minutes = int(promise["target_minutes"])
            if promise["minutes_kind"] == "elapsed":
                return float(created_at + 60 * minutes)
            return hours.add(group, float(created_at), 60 * minutes)
    return float(NEVER)


class _Hours:
    """The opening hours of the groups."""

    def __init__(self) -> None:
        calendars = {row["calendar"]: row for row in _read_seed("calendars")}
        self._of_group = {
            row["group_id"]: calendars[row["calendar"]]
            for row in _read_seed("ticket_groups")
        }
        self._holidays = {
            (row["holiday_region"], row["holiday_date"]): row
            for row in _read_seed("holidays")
        }

    def add(self, group: str, at: float, seconds: int) -> float:
        """When so many open seconds are over, from `at` on."""
        calendar = self._of_group[group]
        zone = ZoneInfo(calendar["time_zone"])
        day = datetime.fromtimestamp(at, zone).date()
        while True:
            opens, closes = self._open(calendar, zone, day)
            opens = max(opens, at)
            if opens < closes:
                if seconds <= closes - opens:
                    return opens + seconds
                seconds -= int(closes - opens)
            day += timedelta(days=1)

    def _open(
        self, calendar: dict[str, str], zone: ZoneInfo, day: date
    ) -> tuple[float, float]:
        opens, closes = calendar["opens_at"], calendar["closes_at"]
        if calendar["is_always_open"] != "true":
            if str(day.isoweekday()) not in calendar["weekdays"]:
                return 0, 0
            holiday = self._holidays.get((calendar["holiday_region"], day.isoformat()))
            if holiday is not None:
                if not holiday["opens_at"]:
                    return 0, 0
                opens = max(opens, holiday["opens_at"])
                closes = min(closes, holiday["closes_at"])
        return _turn_to_utc(day, opens, zone), _turn_to_utc(day, closes, zone)


def _turn_to_utc(day: date, clock: str, zone: ZoneInfo) -> float:
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    local = datetime.combine(day, time.fromisoformat(clock), zone)
    return local.astimezone(UTC).timestamp()
