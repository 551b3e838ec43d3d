"""What a correct warehouse must say about a sample, counted from the plan.

In: a plan with its faults. Out: the content of truth.json. Only rows delivered by
the last night count; nothing is read back from files or from a warehouse.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from include.sample_exports.catalogue import (
    COUNTRIES,
    SEGMENTS,
    TICKET_CHANNEL_TOUCHPOINTS,
)
from include.sample_exports.export_hubspot import find_unreadable_night
from include.sample_exports.export_zendesk import cut_pages
from include.sample_exports.local_days import DAY, NEVER, BoolArray, IntArray
from include.sample_exports.plan import Plan
from include.sample_exports.surveys import (
    BY_EMAIL,
    BY_NUMBER,
    BY_STRANGE_NUMBER,
    LINK_PARAMETERS,
    METRICS,
    PREVIEW,
    SCALES,
    SPAM,
    SURVEYS,
    TEST,
    find_parameter_touchpoints,
)
from include.sample_exports.tickets import DELETED, count_ticket_statuses
from include.sample_exports.touchpoints import (
    ACTIVITY_KINDS,
    CODE_OF,
    TOUCHPOINTS,
    UNKNOWN,
)

ALL = "(all)"
REASONS = (
    "test",
    "preview",
    "spam",
    "unfinished",
    "skipped",
    "score_out_of_scale",
    "repeated_answer",
)
SALES_TOUCHPOINTS = (
    "order_web",
    "order_app",
    "order_store",
    "order_phone",
    "order_whatsapp",
)
DELIVERY_TOUCHPOINTS = ("parcel_delivered", "store_pickup")
Record = dict[str, object]
ANSWER_COLUMNS = (
    "response",
    "survey",
    "contact",
    "reference",
    "email",
    "email_style",
    "invitation",
    "object_id",
    "parameter",
    "status",
    "is_finished",
    "recorded_at",
)


def count_truth(plan: Plan) -> Record:
    """Everything that truth.json says but the parameters."""
    responses = _latest(plan.listening.response_rows, "response")
    answers = _list_answers(plan, responses)
    _describe_customers(plan, answers)
    attribution = _attribute(plan, answers)
    answers["journey_stage"] = attribution["journey_stage"]
    answers["experience_channel"] = attribution["experience_channel"]
    counted = answers.loc[answers["reason"] == ""]
    tickets = _latest_tickets(plan)
    contacts = plan.world.contacts
    is_merged = contacts["merged_night"] != NEVER
    rows = _count_rows(plan)
    return {
        "nps": list(_score_nps(counted.loc[counted["metric"] == "nps"])),
        "csat": list(_score_csat(counted.loc[counted["metric"] == "csat"])),
        "ces": list(_score_ces(counted.loc[counted["metric"] == "ces"])),
        "excluded": _count_excluded(answers),
        "tickets": count_ticket_statuses(tickets["status"].to_numpy()),
        "touchpoints": _count_touchpoints(plan, tickets),
        "customers_known": int((~is_merged).sum()),
        "merged_contacts": int(is_merged.sum())
        + int((contacts["earlier_merged_id"] > 0).sum()),
        "rejects": {"hubspot.activities": 1},
        "rows": rows,
        "orders": int(plan.journeys.order_rows["record_id"].nunique()),
        "deliveries": int(plan.journeys.delivery_rows["record_id"].nunique()),
        "returns": int(plan.journeys.return_rows["record_id"].nunique()),
        "deals": int(plan.journeys.deal_rows["deal_id"].nunique()),
        "responses": len(responses),
        "faults": _count_faults(plan, responses, answers),
    }


def _latest(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """The row of each key that was delivered last."""
    return rows.drop_duplicates(key, keep="last").reset_index(drop=True)


def _latest_tickets(plan: Plan) -> pd.DataFrame:
    """The version of each ticket that was updated last, among those delivered."""
    rows = plan.support.ticket_rows.sort_values(["at", "night"], kind="stable")
    return plan.support.complete(_latest(rows, "ticket"))


# ------------------------------------------------------------------------ answers


def _list_answers(plan: Plan, responses: pd.DataFrame) -> pd.DataFrame:
    """One row per response and scored question, with the reason why not counted."""
    frames = []
    for metric in METRICS:
        is_asked = np.array([metric in survey.metrics for survey in SURVEYS])
        asked = responses.loc[
            is_asked[responses["survey"].to_numpy()], [*ANSWER_COLUMNS, metric]
        ]
        scored = asked.rename(columns={metric: "score"}).assign(metric=metric)
        frames.append(scored.assign(reason=_exclude(scored, SCALES[metric])))
    answers: pd.DataFrame = pd.concat(frames, ignore_index=True)
    answers["day"] = plan.days.day_of(answers["recorded_at"].to_numpy())
    answers["month"] = np.array(plan.days.months())[answers["day"]]
    answers["survey_kind"] = np.array([one.kind for one in SURVEYS])[answers["survey"]]
    answers["survey_id"] = np.array([one.survey_id for one in SURVEYS])[
        answers["survey"]
    ]
    return answers


def _exclude(answers: pd.DataFrame, scale: tuple[int, int]) -> np.ndarray:
    """The first reason that applies to each answer of one metric, or ""."""
    score = answers["score"].to_numpy()
    status = answers["status"].to_numpy()
    reasons = np.select(
        [
            status == TEST,
            status == PREVIEW,
            status == SPAM,
            ~answers["is_finished"].to_numpy(),
            score < 0,
            (score < scale[0]) | (score > scale[1]),
        ],
        REASONS[:6],
        "",
    ).astype(object)
    is_repeated = _find_repeated(answers.loc[reasons == ""])
    reasons[np.flatnonzero(reasons == "")[is_repeated]] = "repeated_answer"
    return reasons


def _find_repeated(answers: pd.DataFrame) -> BoolArray:
    """All answers of an invitation but the last within 24 hours of its first."""
    invitation = answers["invitation"].to_numpy()
    recorded_at = answers["recorded_at"].to_numpy()
    groups = answers.groupby("invitation")["recorded_at"]
    is_in_time = recorded_at <= groups.transform("min").to_numpy() + DAY
    kept_at = (
        answers.loc[is_in_time].groupby("invitation")["recorded_at"].max()
        if len(answers)
        else pd.Series(dtype=np.int64)
    )
    is_kept = recorded_at == kept_at.reindex(invitation).to_numpy()
    repeated: BoolArray = (invitation >= 0) & ~is_kept
    return repeated


# ---------------------------------------------------------------------- customers


def _match_customers(plan: Plan, answers: pd.DataFrame) -> IntArray:
    """The surviving contact behind each answer, -1 for nobody or somebody unmatched."""
    contacts = plan.world.contacts
    contact = answers["contact"].to_numpy()
    reference = answers["reference"].to_numpy()
    owner = _own_addresses(plan)
    by_email = owner[np.maximum(answers["email"].to_numpy(), 0)]
    shows_email = _shows_email(answers)
    matched = np.where(
        reference == BY_NUMBER,
        contact,
        np.where(
            np.isin(reference, [BY_EMAIL, BY_STRANGE_NUMBER]) & shows_email,
            by_email,
            -1,
        ),
    )
    survivor = contacts["survivor"].to_numpy()
    return np.where(matched < 0, -1, survivor[matched])


def _shows_email(answers: pd.DataFrame) -> BoolArray:
    """Whether the response carries the address at all."""
    shown: BoolArray = (answers["email"].to_numpy() >= 0) & (
        (answers["reference"].to_numpy() == BY_EMAIL)
        | (answers["email_style"].to_numpy() < 8)
    )
    return shown


def _own_addresses(plan: Plan) -> IntArray:
    """The first contact whose latest snapshot shows each address code, or -1."""
    count = len(plan.world.contacts)
    email = plan.world.contacts["email"].to_numpy().copy()
    changes = plan.world.changes.loc[plan.world.changes["field"] == "email"]
    email[changes["contact"]] = changes["value"]
    owner = np.full(2 * count, -1)
    # Backwards, so that the lowest number stays.
    owner[email[::-1]] = np.arange(count)[::-1]
    return owner


def _describe_customers(plan: Plan, answers: pd.DataFrame) -> None:
    """Segment and country of each answer, as of the day it was given."""
    matched = _match_customers(plan, answers)
    contacts = plan.world.contacts
    # Before its first and after its last snapshot, the nearest one holds.
    day = np.clip(
        answers["day"].to_numpy(),
        contacts["first_night"].to_numpy()[matched],
        contacts["last_night"].to_numpy()[matched],
    )
    segment = _look_up(plan, "segment", matched, day)
    country = _look_up(plan, "country", matched, day)
    segments = np.array([*SEGMENTS, UNKNOWN])
    countries = np.array([*(country.code for country in COUNTRIES), UNKNOWN])
    answers["segment"] = segments[np.where(matched < 0, -1, segment)]
    answers["country"] = countries[np.where(matched < 0, -1, country)]


def _look_up(plan: Plan, field: str, contact: IntArray, day: IntArray) -> IntArray:
    """The value of a contact's field at the end of a day."""
    changes = plan.world.changes
    changes = changes.loc[changes["field"] == field]
    changes = changes.sort_values(["contact", "night", "at"], kind="stable")
    span = plan.days.count + 1
    keys = changes["contact"].to_numpy() * span + changes["night"].to_numpy()
    place = np.searchsorted(keys, contact * span + day, side="right") - 1
    found = changes["contact"].to_numpy()[place] if len(changes) else contact * 0 - 1
    is_changed = (place >= 0) & (found == contact)
    first = plan.world.contacts[field].to_numpy()[contact]
    if not len(changes):
        return first
    return np.where(is_changed, changes["value"].to_numpy()[place], first)


# -------------------------------------------------------------------- attribution


def _attribute(plan: Plan, answers: pd.DataFrame) -> pd.DataFrame:
    """Stage and channel of what each answer is about."""
    touchpoint = np.full(len(answers), -1)
    survey = answers["survey"].to_numpy()
    is_relational = np.array([one.kind == "relational" for one in SURVEYS])[survey]
    object_id = answers["object_id"].to_numpy()
    has_object = (object_id >= 0) & ~is_relational
    for kind, known in _list_objects(plan).items():
        is_kind = np.array([one.object == kind for one in SURVEYS])[survey]
        chosen = has_object & is_kind
        touchpoint[chosen] = (
            known.reindex(object_id[chosen]).fillna(-1).to_numpy().astype(np.int64)
        )
    parameter = answers["parameter"].to_numpy()
    has_parameter = (
        ~is_relational
        & ~has_object
        & (parameter >= 0)
        & (np.array(LINK_PARAMETERS)[parameter] != "")
    )
    touchpoint[has_parameter] = find_parameter_touchpoints()[parameter[has_parameter]]
    stages = np.array([*(one.stage for one in TOUCHPOINTS), UNKNOWN])
    channels = np.array([*(one.channel for one in TOUCHPOINTS), UNKNOWN])
    registered = np.array([one.stage or UNKNOWN for one in SURVEYS])[survey]
    is_registered = ~is_relational & ~has_object & ~has_parameter
    return pd.DataFrame(
        {
            "journey_stage": np.where(is_registered, registered, stages[touchpoint]),
            "experience_channel": channels[touchpoint],
        },
        index=answers.index,
    )


def _list_objects(plan: Plan) -> dict[str, pd.Series]:
    """The touchpoint code of every delivered order, delivery and ticket, by its id."""
    orders = _latest(plan.journeys.order_rows, "record_id")
    deliveries = _latest(plan.journeys.delivery_rows, "record_id")
    tickets = _latest_tickets(plan)
    return {
        "order": pd.Series(
            _code(SALES_TOUCHPOINTS)[orders["channel"]], orders["record_id"]
        ),
        "delivery": pd.Series(
            _code(DELIVERY_TOUCHPOINTS)[deliveries["method"]], deliveries["record_id"]
        ),
        "ticket": pd.Series(
            _code(TICKET_CHANNEL_TOUCHPOINTS)[tickets["channel"]], tickets["ticket_id"]
        ),
    }


def _code(names: tuple[str, ...]) -> IntArray:
    return np.array([CODE_OF[name] for name in names])


# ------------------------------------------------------------------------- scores


def _break_down(
    counted: pd.DataFrame, parts: dict[str, str]
) -> Iterator[tuple[Record, dict[str, int]]]:
    """Sums of the columns `parts` by survey kind, month and every breakdown.

    parts : name of the sum -> column that is summed
    """
    breakdowns = {
        "total": None,
        "journey_stage": "journey_stage",
        "experience_channel": "experience_channel",
        "segment": "segment",
        "country": "country",
        "survey": "survey_id",
    }
    for breakdown, column in breakdowns.items():
        value = counted[column] if column else pd.Series(ALL, counted.index)
        keys = [counted["survey_kind"], counted["month"], value.rename("value")]
        sums = counted.groupby(keys, sort=True)[list(parts.values())].sum()
        for (kind, month, key), values in zip(
            sums.index, sums.to_numpy().tolist(), strict=True
        ):
            head: Record = {
                "survey_kind": kind,
                "month": month,
                "breakdown": breakdown,
                "value": key,
            }
            yield head, dict(zip(parts, (int(one) for one in values), strict=True))


def _score_nps(counted: pd.DataFrame) -> Iterator[Record]:
    score = counted["score"]
    counted = counted.assign(
        promoters=score >= 9, detractors=score <= 6, responses=1
    ).assign(passives=(score >= 7) & (score <= 8))
    names = ("promoters", "passives", "detractors", "responses")
    for head, sums in _break_down(counted, {name: name for name in names}):
        nps = 100 * (sums["promoters"] - sums["detractors"]) / sums["responses"]
        yield {**head, **sums, "nps": round(nps, 4)}


def _score_csat(counted: pd.DataFrame) -> Iterator[Record]:
    counted = counted.assign(top_box=counted["score"] >= 4, responses=1)
    for head, sums in _break_down(
        counted, {"top_box": "top_box", "responses": "responses"}
    ):
        csat = 100 * sums["top_box"] / sums["responses"]
        yield {**head, **sums, "csat": round(csat, 4)}


def _score_ces(counted: pd.DataFrame) -> Iterator[Record]:
    score = counted["score"]
    counted = counted.assign(
        score_sum=score, score_sum_squares=score**2, easy=score >= 5, responses=1
    )
    names = ("score_sum", "score_sum_squares", "easy", "responses")
    for head, sums in _break_down(counted, {name: name for name in names}):
        ces = sums["score_sum"] / sums["responses"]
        yield {**head, **sums, "ces": round(ces, 4)}


def _count_excluded(answers: pd.DataFrame) -> dict[str, dict[str, int]]:
    counts = answers.groupby(["metric", "reason"]).size()
    return {
        metric: {reason: int(counts.get((metric, reason), 0)) for reason in REASONS}
        for metric in METRICS
    }


# -------------------------------------------------------------------- touchpoints


def _count_touchpoints(plan: Plan, tickets: pd.DataFrame) -> list[Record]:
    """Touches by local month of occurrence and touchpoint."""
    journeys = plan.journeys
    activities = _latest(journeys.activity_rows, "record_id")
    orders = _latest(journeys.order_rows, "record_id")
    deliveries = _latest(journeys.delivery_rows, "record_id")
    arrived = deliveries.loc[deliveries["delivered_at"] < NEVER]
    returns = _latest(journeys.return_rows, "record_id")
    kept = tickets.loc[tickets["status"] != DELETED]
    kinds = _code(tuple(kind.touchpoint for kind in ACTIVITY_KINDS))
    touches = [
        (kinds[activities["kind"]], activities["at"]),
        (_code(SALES_TOUCHPOINTS)[orders["channel"]], orders["ordered_at"]),
        (_code(DELIVERY_TOUCHPOINTS)[arrived["method"]], arrived["delivered_at"]),
        (np.full(len(returns), CODE_OF["product_return"]), returns["at"]),
        (_code(TICKET_CHANNEL_TOUCHPOINTS)[kept["channel"]], kept["created_at"]),
    ]
    months, month_of_day = np.unique(plan.days.months(), return_inverse=True)
    counts = np.zeros((len(months), len(TOUCHPOINTS)), dtype=np.int64)
    for codes, moments in touches:
        month = month_of_day[plan.days.day_of(moments.to_numpy())]
        np.add.at(counts, (month, codes), 1)
    return [
        {
            "month": str(months[month]),
            "touchpoint": TOUCHPOINTS[code].name,
            "journey_stage": TOUCHPOINTS[code].stage,
            "channel": TOUCHPOINTS[code].channel,
            "touches": int(counts[month, code]),
        }
        for month, code in np.argwhere(counts)
    ]


# ----------------------------------------------------------------- rows and faults


def _count_rows(plan: Plan) -> dict[str, dict[str, int]]:
    """Records in the files of every feed, and those that load."""
    contacts = plan.world.contacts
    shown = contacts["last_night"] - contacts["first_night"] + 1
    counts = {
        "hubspot.contacts": int(shown.sum()),
        "hubspot.companies": len(plan.world.companies) * plan.days.count,
        "hubspot.deals": len(plan.journeys.deal_rows),
        "hubspot.deal_stage_history": len(plan.journeys.deal_stage_rows),
        "hubspot.orders": len(plan.journeys.order_rows),
        "hubspot.deliveries": len(plan.journeys.delivery_rows),
        "hubspot.returns": len(plan.journeys.return_rows),
        "hubspot.activities": len(plan.journeys.activity_rows) + 1,
        "qualtrics.responses": len(plan.listening.response_rows),
        "qualtrics.distributions": len(plan.listening.distribution_rows),
    }
    for feed, rows in _list_paged(plan).items():
        counts[feed] = len(rows) + _count_page_repeats(plan, rows)
    rejected = {"hubspot.activities": 1}
    assert find_unreadable_night(plan) < plan.days.count
    return {
        feed: {"in_files": count, "loaded": count - rejected.get(feed, 0)}
        for feed, count in counts.items()
    }


def _list_paged(plan: Plan) -> dict[str, pd.DataFrame]:
    support = plan.support
    return {
        "zendesk.tickets": support.ticket_rows,
        "zendesk.users": support.user_rows,
        "zendesk.organizations": support.organization_rows,
        "zendesk.ticket_audits": support.audit_rows,
        "zendesk.satisfaction_ratings": support.rating_rows,
    }


def _count_page_repeats(plan: Plan, rows: pd.DataFrame) -> int:
    """Records that pages repeat: one for each page of a night but the first."""
    counts = np.bincount(rows["night"], minlength=plan.days.count)
    return sum(len(list(cut_pages(int(count), plan.page_size))) - 1 for count in counts)


def _count_lost(plan: Plan, responses: pd.DataFrame) -> int:
    """Responses about an object that no export shows."""
    lost = 0
    for kind, known in _list_objects(plan).items():
        is_kind = np.array([one.object == kind for one in SURVEYS])
        about = responses.loc[is_kind[responses["survey"]], "object_id"]
        lost += int(((about >= 0) & ~about.isin(known.index)).sum())
    return lost


def _count_faults(
    plan: Plan, responses: pd.DataFrame, answers: pd.DataFrame
) -> dict[str, object]:
    """How often each fault is in the files."""
    contacts = plan.world.contacts
    changes = plan.world.changes
    tickets = _latest_tickets(plan)
    deleted = tickets.loc[tickets["status"] == DELETED, "ticket_id"]
    about_tickets = responses.loc[
        [SURVEYS[survey].object == "ticket" for survey in responses["survey"]]
    ]
    gone = (contacts["last_night"] < plan.days.count - 1) & (
        contacts["merged_night"] == NEVER
    )
    orders = _latest(plan.journeys.order_rows, "record_id")
    numbers = contacts["record_id"]
    users = plan.support.user_rows.drop_duplicates("user_id")
    strangers = users.loc[(users["contact"] < 0) & (users["agent"] < 0), "user_id"]
    unmapped = CODE_OF["(unmapped)"]
    kinds = _code(tuple(kind.touchpoint for kind in ACTIVITY_KINDS))
    activities = _latest(plan.journeys.activity_rows, "record_id")
    late = {
        name.removeprefix("late_rows."): count
        for name, count in plan.planted.items()
        if name.startswith("late_rows.")
    }
    missing = {
        name.removeprefix("rows_not_arrived."): count
        for name, count in plan.planted.items()
        if name.startswith("rows_not_arrived.")
    }
    reasons = answers.drop_duplicates(["response", "reason"])["reason"].value_counts()
    return {
        "late_rows": late,
        "rows_not_arrived": missing,
        "corrected_responses": plan.planted["corrected_responses"],
        "corrected_orders": plan.planted["corrected_orders"],
        "deleted_tickets": len(deleted),
        "answers_about_deleted_tickets": int(
            about_tickets["object_id"].isin(deleted).sum()
        ),
        "answers_about_unknown_objects": _count_lost(plan, responses),
        "contacts_removed": int(gone.sum()),
        "merged_contacts": int((contacts["merged_night"] != NEVER).sum()),
        "earlier_merged_ids": int((contacts["earlier_merged_id"] > 0).sum()),
        "segment_changes": int((changes["field"] == "segment").sum()),
        "repeated_page_rows": {
            feed: _count_page_repeats(plan, rows)
            for feed, rows in _list_paged(plan).items()
        },
        "duplicate_rows": plan.planted["duplicate_rows"],
        "responses_by_reason": {
            reason: int(reasons.get(reason, 0)) for reason in REASONS
        },
        "unknown_events": int((kinds[activities["kind"]] == unmapped).sum()),
        "unreadable_rows": 1,
        "orders_of_unknown_contacts": int((~orders["contact_id"].isin(numbers)).sum()),
        "tickets_of_unknown_users": int(tickets["user_id"].isin(strangers).sum()),
    }
