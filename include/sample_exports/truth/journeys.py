"""Stage visits, one customer after the other, one event after the other.

In: touches and the life of tickets. Out: `Visits`. This is the state machine in the
plainest words, not the warehouse's way.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from include.sample_exports.company.touchpoints import (
    STAGES,
    TOUCHPOINTS,
    UNKNOWN,
    Stage,
)
from include.sample_exports.plan.local_days import DAY, NEVER, LocalDays
from include.sample_exports.plan.tickets import DELETED, SOLVED
from include.sample_exports.truth.touches import Contacts

BUYING, OWNING, SUPPORT = "buying", "owning", "support"
JOURNEY_GAP = 90 * DAY
REOPENED_WITHIN = 7 * DAY
FUNNEL_WINDOW = 60 * DAY
ORDERED = {"order_web", "order_app", "order_store", "order_phone", "order_whatsapp"}


@dataclass(slots=True)
class Visit:
    """One visit of one customer to one stage."""

    lane: str
    stage: str
    entered_at: int
    last_at: int
    events: int = 1
    advancing_events: int = 1
    journey_number: int = 0
    skipped: str = ""
    exit_reason: str = ""
    left_at: int = NEVER
    open_until: int = NEVER
    next_stage: str = ""

    def leave(self, reason: str, at: int) -> None:
        self.exit_reason, self.left_at = reason, at
        self.open_until = at


@dataclass
class Visits:
    """All visits by customer, in order of entry within each lane."""

    of_customer: dict[int, list[Visit]]

    def find_open_stage(self, customer: int, at: int) -> str:
        """Stage of the visit that was open just before a moment: owning first."""
        open_stages = {
            visit.lane: visit.stage
            for visit in self.of_customer.get(customer, ())
            if visit.entered_at < at <= visit.open_until
        }
        for lane in (OWNING, SUPPORT, BUYING):
            if lane in open_stages:
                return open_stages[lane]
        return UNKNOWN


@dataclass
class _Lane:
    """The open visit of one customer in buying or owning, and what was before."""

    name: str
    visits: list[Visit] = field(default_factory=list)
    open: Visit | None = None
    journey: int = 1
    is_journey_over: bool = False
    last_at: int | None = None
    visited: set[str] = field(default_factory=set)

    def take(self, at: int, stage: Stage, advances: bool, is_purchase: bool) -> None:
        """One more event, later than all before."""
        is_late = self.open is not None and at - self.open.last_at > _wait(self.open)
        if self.open is not None and is_late:
            self._time_out(self.open)
        if not advances:
            if self.open is not None:
                self.open.events += 1
            return
        if self.name == BUYING:
            gap = 0 if self.last_at is None else at - self.last_at
            if self.is_journey_over or gap > JOURNEY_GAP:
                self.journey += 1
                self.is_journey_over = False
                self.visited = set()
        self.last_at = at
        before = self.open
        if before is not None and before.stage == stage.name:
            before.events += 1
            before.advancing_events += 1
            before.last_at = at
        else:
            skipped = ""
            if before is not None:
                order = STAGES[before.stage].order
                moved_up = stage.order > order
                before.leave("advanced" if moved_up else "returned", at)
                skipped = ",".join(
                    one.name
                    for one in STAGES.values()
                    if one.lane == self.name
                    and order < one.order < stage.order
                    and one.name not in self.visited
                )
            self.open = Visit(self.name, stage.name, at, at, skipped=skipped)
            if self.name == BUYING:
                self.open.journey_number = self.journey
            self.visits.append(self.open)
        self.visited.add(stage.name)
        if is_purchase and self.open is not None:
            self.open.leave("completed", at)
            self.open = None
            self.is_journey_over = True

    def end(self, end: int) -> None:
        """The end of the as-of day, which also applies the time-outs."""
        if self.open is None:
            return
        self.open.open_until = self.open.last_at + _wait(self.open)
        if end - self.open.last_at > _wait(self.open):
            self._time_out(self.open)

    def _time_out(self, visit: Visit) -> None:
        visit.leave("timed_out", visit.last_at)
        visit.open_until = visit.last_at + _wait(visit)
        self.open = None


def _wait(visit: Visit) -> int:
    return STAGES[visit.stage].times_out_after_days * DAY


def visit_stages(contacts: Contacts, changes: pd.DataFrame, end: int) -> Visits:
    """Let every customer walk through the stages, up to `end` (UTC second).

    changes : what the audits tell of the tickets' statuses
    """
    touches = contacts.touches
    is_case = touches["ticket_id"] >= 0
    events: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    columns = touches.loc[~is_case, ["customer", "at", "touchpoint"]]
    for customer, at, code in zip(*(columns[c].tolist() for c in columns), strict=True):
        stage = STAGES.get(TOUCHPOINTS[code].stage)
        # An event that no rule maps is no visit.
        if stage is not None:
            events[customer].append((at, stage.order, code))
    of_customer: dict[int, list[Visit]] = defaultdict(list)
    for customer, theirs in events.items():
        of_customer[customer] = _walk(sorted(theirs), end)
    for customer, visit in _open_cases(contacts, changes):
        of_customer[customer].append(visit)
    for visits in of_customer.values():
        _look_ahead(visits)
    return Visits(of_customer)


def _walk(events: Iterable[tuple[int, int, int]], end: int) -> list[Visit]:
    """All visits of one customer but those that are tickets."""
    lanes = {name: _Lane(name) for name in (BUYING, OWNING)}
    cases = []
    for at, _, code in events:
        touchpoint = TOUCHPOINTS[code]
        stage = STAGES[touchpoint.stage]
        if stage.lane == SUPPORT:
            # A help article, a return: a case of one event, over at once.
            cases.append(Visit(SUPPORT, stage.name, at, at))
            cases[-1].leave("completed", at)
        else:
            lanes[stage.lane].take(
                at, stage, touchpoint.advances_stage, touchpoint.name in ORDERED
            )
    for lane in lanes.values():
        lane.end(end)
    return [*lanes[BUYING].visits, *lanes[OWNING].visits, *cases]


def _open_cases(
    contacts: Contacts, changes: pd.DataFrame
) -> Iterable[tuple[int, Visit]]:
    """One visit per ticket, opened when it was created and closed when it was solved.

    One that is opened again within seven days goes on; later, it is another visit.
    """
    tickets = contacts.tickets.loc[contacts.tickets["status"] != DELETED]
    lives: dict[int, list[tuple[int, int, bool]]] = defaultdict(list)
    for ticket, at, audit, is_open in zip(
        changes["ticket"].tolist(),
        changes["at"].tolist(),
        changes["audit_id"].tolist(),
        (changes["status"] < SOLVED).tolist(),
        strict=True,
    ):
        lives[ticket].append((at, audit, is_open))
    for ticket, customer, created_at in zip(
        tickets["ticket"].tolist(),
        tickets["customer"].tolist(),
        tickets["created_at"].tolist(),
        strict=True,
    ):
        visit = Visit(SUPPORT, "support", created_at, created_at)
        visits = [visit]
        was_open = True
        for at, _, is_open in sorted(lives[ticket]):
            if is_open == was_open:
                continue
            was_open = is_open
            if not is_open:
                visit.leave("completed", at)
            elif at - visit.last_at <= REOPENED_WITHIN:
                visit.exit_reason, visit.left_at, visit.open_until = "", NEVER, NEVER
            else:
                visits.append(visit := Visit(SUPPORT, "support", at, at))
                continue
            visit.last_at = at
            visit.events += 1
            visit.advancing_events += 1
        yield from ((customer, one) for one in visits)


def _look_ahead(visits: list[Visit]) -> None:
    """Which stage the customer went to next, whatever became of this visit."""
    others = [visit for visit in visits if visit.lane != SUPPORT]
    others.sort(key=lambda visit: (visit.entered_at, STAGES[visit.stage].order))
    for visit, following in pairwise(others):
        visit.next_stage = following.stage


def list_visits(visits: Visits) -> list[tuple[object, ...]]:
    """Every visit, without its customer, in one order: the whole truth about visits.

    lane, stage, journey number, entered at, left at, open until, exit reason, events,
    advancing events, skipped stages, next stage; blanks where there is none.
    """
    return sorted(
        (
            visit.lane,
            visit.stage,
            visit.journey_number,
            visit.entered_at,
            -1 if visit.left_at == NEVER else visit.left_at,
            -1 if visit.open_until == NEVER else visit.open_until,
            visit.exit_reason,
            visit.events,
            visit.advancing_events,
            visit.skipped,
            visit.next_stage,
        )
        for theirs in visits.of_customer.values()
        for visit in theirs
    )


def count_visits(visits: Visits) -> dict[str, object]:
    """What truth.json says of the visits: counts, and a hash of the whole list."""
    counts: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    skipped: Counter[tuple[str, str]] = Counter()
    following: Counter[tuple[str, str]] = Counter()
    listed = list_visits(visits)
    for row in listed:
        lane, stage, exit_reason = str(row[0]), str(row[1]), str(row[6])
        sums = counts[lane, stage, exit_reason]
        for place, number in enumerate((1, row[7], row[8])):
            sums[place] += int(str(number))
        skipped[stage, str(row[9])] += 1
        following[stage, str(row[10])] += 1
    lines = "\n".join("|".join(map(str, row)) for row in listed)
    return {
        "visits": [
            {
                "lane": lane,
                "journey_stage": stage,
                "exit_reason": reason,
                "visits": sums[0],
                "events": sums[1],
                "advancing_events": sums[2],
            }
            for (lane, stage, reason), sums in sorted(counts.items())
        ],
        "skipped_stages": [
            {"journey_stage": stage, "skipped_stages": names, "visits": count}
            for (stage, names), count in sorted(skipped.items())
            if names
        ],
        "next_stages": [
            {"journey_stage": stage, "next_stage": following_stage, "visits": count}
            for (stage, following_stage), count in sorted(following.items())
            if following_stage
        ],
        "sha256": hashlib.sha256(lines.encode()).hexdigest(),
    }


def count_funnel(visits: Visits, days: LocalDays) -> list[dict[str, object]]:
    """Journeys by stage and month of their first entry, and how many went further."""
    path = [stage for stage in STAGES.values() if stage.lane == BUYING]
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for theirs in visits.of_customer.values():
        journeys: dict[int, list[Visit]] = defaultdict(list)
        for visit in theirs:
            if visit.lane == BUYING:
                journeys[visit.journey_number].append(visit)
        for journey in journeys.values():
            for stage in path[:-1]:
                entries = [one.entered_at for one in journey if one.stage == stage.name]
                if not entries:
                    continue
                first = min(entries)
                day = int(days.count_dates(np.array([first]))[0])
                later = {
                    STAGES[one.stage].order
                    for one in journey
                    if first < one.entered_at <= first + FUNNEL_WINDOW
                    and STAGES[one.stage].order > stage.order
                }
                counts = sums[stage.name, days.name_months(np.array([first]))[0]]
                counts["journeys"] += 1
                counts["visits"] += len(entries)
                if day + FUNNEL_WINDOW // DAY < days.count:
                    counts["mature"] += 1
                    counts["converted"] += bool(later)
                    counts["direct"] += stage.order + 1 in later
    names = ("journeys", "mature", "converted", "direct")
    return [
        {
            "journey_stage": stage,
            "month": month,
            **{name: counts[name] for name in names},
        }
        for (stage, month), counts in sorted(sums.items())
    ]
